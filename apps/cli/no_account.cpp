#include "apps/cli/no_account.h"

#include <pwd.h>
#include <unistd.h>

#include "apps/phone/telephone.h"
#include "registration/waiting.h"

namespace holdfast::cli {

namespace {

constexpr std::uint16_t sip_port = 5060;  // RFC 3261 §19.1.2: of a URI that names none

std::string_view useless_without_account(const Options& options) {
    const auto& account = options.account;
    if (!account.outbound_proxy.empty()) return "outbound-proxy";
    if (!account.registrar.empty()) return "registrar";
    if (!account.backups.empty()) return "backup";
    if (!account.auth_user.empty()) return "auth-user";
    if (!account.realms.empty()) return "realm";
    if (!account.contact_address.empty()) return "contact-address";
    if (!account.stun.empty()) return "stun";
    return options.password_given ? "password" : std::string_view{};
}

}  // namespace

std::string own_address(call::Number number) {
    const auto* const entry = ::getpwuid(::geteuid());
    std::string_view name = entry == nullptr ? "" : entry->pw_name;
    if (number == call::Number::withheld) name = {};
    return "sip:" + phone::escaped_user(name.empty() ? "anonymous" : name) + "@0.0.0.0";
}

std::expected<void, Refusal> check_without_account(const Options& options) {
    const auto useless = useless_without_account(options);
    if (useless.empty()) return {};
    return std::unexpected(Refusal{
        ExitCode::usage, std::string(useless) +
                             " is of an account, and there is none: --account sip:USER@DOMAIN, or "
                             "a --config FILE with an aor"});
}

std::expected<void, Refusal> wait_for_calls(Options& options) {
    if (auto checked = check_without_account(options); !checked) return checked;
    auto& account = options.account;
    if (account.transport.value_or(Transport::udp) != Transport::udp)
        return std::unexpected(
            Refusal{ExitCode::usage,
                    "Without an account calls are waited for over UDP only: name one "
                    "(sip:USER@DOMAIN) whose server passes them on over TCP or TLS"});
    auto& local = options.driver.local;
    if (!local) local = Endpoint{IpAddress::v4(0, 0, 0, 0), 0};
    if (local->port == 0) local->port = sip_port;
    account.aor = own_address(call::Number::shown);  // of who calls out, each call says it
    account.direct_to = registration::waits_at(local->port);
    account.transport.reset();
    account.follows_transfers = false;  // there is no server that would know the way
    account.policy.accept_direct_calls = true;
    return {};
}

}  // namespace holdfast::cli
