// A phone without an account: whoever calls this host rings here, and each call of ours has an
// account of its own for as long as it lasts, which finds the way to whom it calls (RFC 3263).
#include <utility>

#include "apps/phone/phone.h"
#include "engine/input.h"
#include "registration/waiting.h"

namespace holdfast::phone {

bool Phone::is_direct(AccountId account) const {
    if (!account) return false;
    const auto place = static_cast<std::size_t>(account.value) - 1;
    if (place >= settings_.accounts.size()) return true;  // of one call
    return registration::waiting_port(settings_.accounts[place].direct_to).has_value();
}

CallRef Phone::call_directly(AccountId host, const std::string& uri, CallSettings settings) {
    auto config = settings_.accounts[static_cast<std::size_t>(host.value) - 1];
    config.direct_to = uri;
    config.transport.reset();                   // as the URI says, and DNS
    config.policy.accept_direct_calls = false;  // whom it calls speaks in the dialog (§11 d)
    const AccountId account{
        static_cast<std::uint32_t>(settings_.accounts.size() + ++direct_calls_)};
    const auto ref = calls_.dial_when_connected(account, uri, std::move(settings));
    driver_.submit(in::AddAccount{account, std::move(config)});
    note_new_calls();
    return ref;
}

// Its BYE goes out first, and is answered or repeated (RFC 3261 §15.1.1). Another call may have
// taken its place (RFC 3891), and is the account's as well.
void Phone::end_directly(AccountId account) {
    if (!is_direct(account) || account.value <= settings_.accounts.size()) return;
    for (const auto& [ref, call] : calls_.all())
        if (call.account == account) return;
    calls_.forget(account);
    driver_.submit(in::RemoveAccount{account});
}

}  // namespace holdfast::phone
