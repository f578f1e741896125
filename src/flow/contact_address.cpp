#include "flow/contact_address.h"

#include <algorithm>

#include "base/text.h"

namespace holdfast::flow {

namespace {

constexpr bool is_host_character(char c) {
    const char low = to_lower(c);
    return (low >= 'a' && low <= 'z') || is_digit(c) || c == '.' || c == '-';
}

ContactAddress from_endpoint(const Endpoint& endpoint, ContactOrigin origin) {
    return {.host_port = endpoint.to_string(), .endpoint = endpoint, .origin = origin};
}

// What a person writes: an address in any spelling, or a host name; the port may be missing.
std::optional<ContactAddress> by_hand(std::string_view text, std::uint16_t default_port) {
    if (text.empty()) return std::nullopt;
    const auto origin = ContactOrigin::by_hand;
    if (const auto address = IpAddress::parse(text))
        return from_endpoint({.address = *address, .port = default_port}, origin);
    if (auto endpoint = Endpoint::parse(text)) {
        if (endpoint->port == 0) endpoint->port = default_port;
        return from_endpoint(*endpoint, origin);
    }
    const auto colon = text.find(':');
    const auto host = text.substr(0, colon);
    if (host.empty() || host.front() == '.' || host.front() == '-' ||
        !std::ranges::all_of(host, is_host_character))
        return std::nullopt;
    auto port = default_port;
    if (colon != std::string_view::npos) {
        const auto written = parse_number<std::uint16_t>(text.substr(colon + 1));
        if (!written || *written == 0) return std::nullopt;
        port = *written;
    }
    // A name of digits and dots that is no address would be a typing error, not a host.
    if (std::ranges::all_of(host, [](char c) { return is_digit(c) || c == '.'; }))
        return std::nullopt;
    return ContactAddress{.host_port = std::string{host} + ":" + std::to_string(port),
                          .endpoint = std::nullopt,
                          .origin = origin};
}

}  // namespace

std::string_view name_of(ContactOrigin origin) {
    switch (origin) {
    case ContactOrigin::by_hand: return "by hand";
    case ContactOrigin::mapping: return "mapping";
    case ContactOrigin::stun_elsewhere: return "STUN";
    case ContactOrigin::local: return "local";
    }
    return "?";
}

bool is_contact_address(std::string_view text) { return by_hand(trimmed(text), 1).has_value(); }

ContactAddress contact_address(const ContactSources& sources) {
    if (auto written = by_hand(trimmed(sources.by_hand), sources.local.port))
        return *std::move(written);
    if (sources.mapping) return from_endpoint(*sources.mapping, ContactOrigin::mapping);
    if (!sources.answered && sources.stun_elsewhere)
        return from_endpoint(*sources.stun_elsewhere, ContactOrigin::stun_elsewhere);
    return from_endpoint(sources.local, ContactOrigin::local);
}

std::string via_sent_by(const Endpoint& local) { return local.to_string(); }

}  // namespace holdfast::flow
