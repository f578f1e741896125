#include "sdp/attributes.h"

#include <algorithm>
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

namespace {

std::optional<std::uint16_t> milliseconds(const Media& media, std::string_view name) {
    constexpr std::uint16_t most = 1000;
    const auto value = trimmed(find(media.attributes, name).value_or(std::string_view{}));
    const auto number = parse_number<std::uint16_t>(value.substr(0, value.find('.')));
    return number && *number > 0 && *number <= most ? number : std::nullopt;
}

}  // namespace

std::optional<std::uint16_t> maxptime_of(const Media& media) {
    return milliseconds(media, "maxptime");
}
std::optional<std::uint16_t> ptime_of(const Media& media) {
    const auto wished = milliseconds(media, "ptime");
    const auto maximum = maxptime_of(media);
    return wished && maximum ? std::min(*wished, *maximum) : wished;
}

std::optional<std::uint32_t> bandwidth_of(const Media& media) {
    const auto of = [&](std::string_view type) {
        return std::ranges::find(media.bandwidths, type, &Bandwidth::type);
    };
    const auto none = media.bandwidths.end();
    if (const auto as = of("AS"); as != none) return as->value;
    if (const auto tias = of("TIAS"); tias != none)
        return tias->value / 1000 + (tias->value % 1000 != 0 ? 1 : 0);
    if (const auto ct = of("CT"); ct != none) return ct->value;
    return std::nullopt;
}

// RFC 4568 §9.1: a=crypto:TAG SUITE inline:KEY[|LIFETIME][|MKI:LENGTH] [SESSION-PARAMS].
std::vector<CryptoKey> crypto_of(const Media& media) {
    constexpr std::string_view method = "inline:";
    std::vector<CryptoKey> keys;
    for (const auto& attribute : media.attributes) {
        if (!attribute.value || !equals_ignoring_case(attribute.name, "crypto")) continue;
        std::string_view rest = *attribute.value;
        const auto tag = parse_number<std::uint32_t>(next_word(rest));
        const auto suite = next_word(rest);
        auto key = next_word(rest);
        if (!tag || suite.empty() || !key.starts_with(method)) continue;
        // Several keys behind ';' need an MKI in each packet: not ours to follow.
        if (key.find(';') != std::string_view::npos) continue;
        key.remove_prefix(method.size());
        const auto bar = key.find('|');
        keys.push_back(
            {.tag = *tag,
             .suite = std::string(suite),
             .key = Redacted(std::string(key.substr(0, bar))),
             .lifetime_and_mki = std::string(bar == std::string_view::npos ? std::string_view{}
                                                                           : key.substr(bar + 1)),
             .session_parameters = std::string(trimmed(rest))});
    }
    return keys;
}

std::string crypto_text(const CryptoKey& key) {
    auto text = std::to_string(key.tag) + " " + key.suite + " inline:" + key.key.reveal();
    if (!key.lifetime_and_mki.empty()) text.append("|").append(key.lifetime_and_mki);
    if (!key.session_parameters.empty()) text.append(" ").append(key.session_parameters);
    return text;
}

std::optional<std::string_view> find_either(const Description& description, const Media& media,
                                            std::string_view name) {
    if (const auto own = find(media.attributes, name)) return own;
    return find(description.attributes, name);
}

std::vector<Fingerprint> fingerprints_of(const Description& description, const Media& media) {
    const auto in = [](const Attributes& attributes) {
        std::vector<Fingerprint> found;
        for (const auto& attribute : attributes) {
            if (!attribute.value || !equals_ignoring_case(attribute.name, "fingerprint")) continue;
            std::string_view rest = *attribute.value;
            const auto hash = next_word(rest);
            const auto digest = next_word(rest);
            if (!hash.empty() && !digest.empty())
                found.push_back({lower_case(hash), std::string(digest)});
        }
        return found;
    };
    auto own = in(media.attributes);
    return own.empty() ? in(description.attributes) : own;
}

std::optional<Setup> setup_of(const Description& description, const Media& media) {
    const auto value =
        trimmed(find_either(description, media, "setup").value_or(std::string_view{}));
    for (const auto& [name, setup] : setups)
        if (equals_ignoring_case(value, name)) return setup;
    return std::nullopt;
}

std::optional<AgreedIce> ice_of(const Description& description, const Media& media) {
    const auto ufrag = find_either(description, media, "ice-ufrag");
    const auto pwd = find_either(description, media, "ice-pwd");
    if (!ufrag || !pwd || ufrag->empty() || pwd->empty()) return std::nullopt;
    AgreedIce ice;
    ice.remote = {std::string(trimmed(*ufrag)), Redacted(std::string(trimmed(*pwd)))};
    for (const auto& attribute : media.attributes)
        if (attribute.value && equals_ignoring_case(attribute.name, "candidate") &&
            ice.candidates.size() < limits::candidates)
            ice.candidates.push_back(*attribute.value);
    ice.remote_lite = find(description.attributes, "ice-lite").has_value();
    ice.end_of_candidates = find_either(description, media, "end-of-candidates").has_value();
    return ice;
}

std::optional<Source> source_of(const Media& media) {
    constexpr std::string_view key = "cname:";
    for (const auto& attribute : media.attributes) {
        if (!attribute.value || !equals_ignoring_case(attribute.name, "ssrc")) continue;
        std::string_view rest = *attribute.value;
        const auto ssrc = parse_number<std::uint32_t>(next_word(rest));
        rest = trimmed(rest);
        if (ssrc && rest.starts_with(key))
            return Source{*ssrc, std::string(rest.substr(key.size()))};
    }
    return std::nullopt;
}

bool has_ice_mismatch(const Media& media) {
    return find(media.attributes, "ice-mismatch").has_value();
}

}  // namespace holdfast::sdp
