#include "registration/waiting.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace holdfast::registration {

namespace {

constexpr std::string_view anybody = "*:";

}  // namespace

std::string waits_at(std::uint16_t udp_port) {
    return std::string(anybody) + std::to_string(udp_port);
}

std::optional<std::uint16_t> waiting_port(std::string_view direct_to) {
    if (!direct_to.starts_with(anybody)) return std::nullopt;
    return parse_number<std::uint16_t>(direct_to.substr(anybody.size()));
}

// RFC 3261 §19.1.1: who has no user is called by the host alone.
Waiting::Waiting(std::string aor, std::uint16_t udp_port) : user_(std::move(aor)), port_(udp_port) {
    const auto at = user_.rfind('@');
    user_.resize(at == std::string::npos ? user_.find(':') + 1 : at + 1);
}

void Waiting::handle(const Told& told, const Context& context) {
    if (std::holds_alternative<told::Start>(told) ||
        std::holds_alternative<told::RegisterNow>(told))
        return say_where(context);
    if (std::holds_alternative<told::Network>(told) &&
        !std::ranges::equal(context.addresses, said_))
        return say_where(context);
    if (!std::holds_alternative<told::ShutDown>(told)) return;
    state_ = "leaving";
    context.act(act::Unregistered{});
}

void Waiting::say_where(const Context& context) {
    said_.assign(context.addresses.begin(), context.addresses.end());
    if (said_.empty()) {
        state_ = "can be called by nobody: this host has no network address";
        return context.act(Event{.kind = EventKind::notice,
                                 .account = context.account,
                                 .reason = "Nobody can call: this host has no network address. "
                                           "As soon as it has one, it is said here"});
    }
    state_ = "can be called at ";
    for (const auto& address : said_) {
        auto uri = uri_at(address);
        state_ += (address == said_.front() ? "" : ", ") + uri;
        context.act(Event{.kind = EventKind::connected,
                          .account = context.account,
                          .contact = std::move(uri),
                          .reason = "udp"});
    }
    state_ += " (udp)";
}

std::string Waiting::uri_at(const IpAddress& address) const {
    return user_ + Endpoint{address, port_}.to_string();
}

View Waiting::view() const {
    View view;
    view.state = state_;
    return view;
}

}  // namespace holdfast::registration
