#include "sdp/attributes.h"

#include <array>
#include <cstdint>
#include <utility>

#include "base/text.h"
#include "sdp/limits.h"

namespace holdfast::sdp {
namespace {

constexpr std::array<std::pair<std::string_view, Direction>, 4> directions{
    {{"sendrecv", Direction::sendrecv},
     {"sendonly", Direction::sendonly},
     {"recvonly", Direction::recvonly},
     {"inactive", Direction::inactive}}};
constexpr std::array<std::pair<std::string_view, Setup>, 4> setups{{{"actpass", Setup::actpass},
                                                                    {"active", Setup::active},
                                                                    {"passive", Setup::passive},
                                                                    {"holdconn", Setup::holdconn}}};

// The last one counts: who writes two has appended the second.
std::optional<Direction> direction_in(const Attributes& attributes) {
    std::optional<Direction> found;
    for (const auto& attribute : attributes)
        for (const auto& [name, direction] : directions)
            if (!attribute.value && equals_ignoring_case(attribute.name, name)) found = direction;
    return found;
}

const Connection* connection_in(const Description& description, const Media& media) {
    if (!media.connections.empty()) return &media.connections.front();
    return description.connection ? &*description.connection : nullptr;
}

std::string_view next_word(std::string_view& text) {
    text = trimmed(text);
    const auto taken = text.substr(0, text.find(' '));
    text.remove_prefix(taken.size());
    return taken;
}

}  // namespace

std::string_view name_of(Direction direction) {
    for (const auto& [name, one] : directions)
        if (one == direction) return name;
    return "sendrecv";
}

std::string_view name_of(Setup setup) {
    for (const auto& [name, one] : setups)
        if (one == setup) return name;
    return "actpass";
}

Direction direction_of(const Description& description, const Media& media) {
    if (const auto own = direction_in(media.attributes)) return *own;
    return direction_in(description.attributes).value_or(Direction::sendrecv);
}

std::optional<IpAddress> address_of(const Description& description, const Media& media) {
    const auto* connection = connection_in(description, media);
    if (connection == nullptr) return std::nullopt;
    const auto address = IpAddress::parse(connection->address);
    if (!address || address->is_multicast()) return std::nullopt;
    if ((address->family() == Family::ipv6) != (connection->address_type == "IP6"))
        return std::nullopt;
    return address;
}

bool is_held_by_address(const Description& description, const Media& media) {
    const auto address = address_of(description, media);
    return address && address->is_unspecified();
}

Connection connection_of(const IpAddress& address) {
    return {.address_type = address.family() == Family::ipv6 ? "IP6" : "IP4",
            .address = address.to_string()};
}

Endpoint rtcp_of(const Media& media, const Endpoint& rtp) {
    Endpoint rtcp{rtp.address, static_cast<std::uint16_t>(rtp.port == 65535 ? 0 : rtp.port + 1)};
    auto value = find(media.attributes, "rtcp").value_or(std::string_view{});
    const auto port = parse_number<std::uint16_t>(next_word(value));
    if (!port) return rtcp;
    rtcp.port = *port;
    next_word(value);  // IN
    next_word(value);  // IP4
    if (const auto address = IpAddress::parse(next_word(value))) rtcp.address = *address;
    return rtcp;
}

std::optional<unsigned> ptime_of(const Media& media) {
    const auto value = trimmed(find(media.attributes, "ptime").value_or(std::string_view{}));
    const auto number = parse_number<unsigned>(value.substr(0, value.find('.')));
    const auto maximum = parse_number<unsigned>(
        trimmed(find(media.attributes, "maxptime").value_or(std::string_view{})));
    constexpr unsigned most = 1000;
    if (!number || *number == 0 || *number > most) return std::nullopt;
    return maximum && *maximum > 0 && *maximum < *number ? maximum : number;
}

std::optional<unsigned> bandwidth_of(const Media& media) {
    for (const auto& one : media.bandwidths) {
        if (one.type == "AS") return one.value;
        if (one.type == "TIAS") return (one.value + 999) / 1000;
    }
    return std::nullopt;
}

// RFC 4568 §9.1: a=crypto:TAG SUITE KEY-PARAMS [SESSION-PARAMS].
std::vector<CryptoKey> crypto_of(const Media& media) {
    std::vector<CryptoKey> keys;
    for (const auto& attribute : media.attributes) {
        if (!attribute.value || !equals_ignoring_case(attribute.name, "crypto")) continue;
        std::string_view rest = *attribute.value;
        const auto tag = parse_number<std::uint32_t>(next_word(rest));
        const auto suite = next_word(rest);
        const auto key = next_word(rest);
        if (!tag || suite.empty() || !key.starts_with("inline:")) continue;
        keys.push_back({*tag, std::string(suite), Redacted(std::string(key)),
                        std::string(trimmed(rest))});
    }
    return keys;
}

std::string crypto_text(const CryptoKey& key) {
    auto text = std::to_string(key.tag) + " " + key.suite + " " + key.key.reveal();
    if (!key.session.empty()) text.append(" ").append(key.session);
    return text;
}

std::optional<std::string_view> find_either(const Description& description, const Media& media,
                                            std::string_view name) {
    if (const auto own = find(media.attributes, name)) return own;
    return find(description.attributes, name);
}

std::optional<Fingerprint> fingerprint_of(const Description& description, const Media& media) {
    auto value = find_either(description, media, "fingerprint").value_or(std::string_view{});
    const auto hash = next_word(value);
    const auto digest = next_word(value);
    if (hash.empty() || digest.empty()) return std::nullopt;
    return Fingerprint{lower_case(hash), std::string(digest)};
}

std::optional<Setup> setup_of(const Description& description, const Media& media) {
    const auto value =
        trimmed(find_either(description, media, "setup").value_or(std::string_view{}));
    for (const auto& [name, setup] : setups)
        if (equals_ignoring_case(value, name)) return setup;
    return std::nullopt;
}

std::optional<Ice> ice_of(const Description& description, const Media& media) {
    const auto ufrag = find_either(description, media, "ice-ufrag");
    const auto password = find_either(description, media, "ice-pwd");
    if (!ufrag || !password || ufrag->empty() || password->empty()) return std::nullopt;
    Ice ice{.ufrag = std::string(trimmed(*ufrag)),
            .password = Redacted(std::string(trimmed(*password)))};
    for (const auto& attribute : media.attributes)
        if (attribute.value && equals_ignoring_case(attribute.name, "candidate") &&
            ice.candidates.size() < limits::candidates)
            ice.candidates.push_back(*attribute.value);
    ice.lite = find(description.attributes, "ice-lite").has_value();
    ice.complete = !find_either(description, media, "ice-options")
                        .value_or(std::string_view{})
                        .contains("trickle") ||
                   find_either(description, media, "end-of-candidates").has_value();
    return ice;
}

bool has_ice_mismatch(const Media& media) {
    return find(media.attributes, "ice-mismatch").has_value();
}

}  // namespace holdfast::sdp
