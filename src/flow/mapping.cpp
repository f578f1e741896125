#include "flow/mapping.h"

#include <algorithm>
#include <utility>

namespace holdfast::flow {

namespace {

// An IPv4 address that a dual-stack server writes as ::ffff:192.0.2.1 is the IPv4 address.
IpAddress without_v4_prefix(const IpAddress& address) {
    if (address.family() != Family::ipv6) return address;
    const auto& bytes = address.bytes();
    const bool zeros =
        std::all_of(bytes.begin(), bytes.begin() + 10, [](auto byte) { return byte == 0; });
    if (!zeros || bytes[10] != 0xff || bytes[11] != 0xff) return address;
    return IpAddress::v4(bytes[12], bytes[13], bytes[14], bytes[15]);
}

// RFC 5118 §4.5: `received` comes with and without brackets around IPv6; both are read.
std::optional<IpAddress> received_address(std::string_view text) {
    if (text.size() >= 2 && text.front() == '[' && text.back() == ']')
        text = text.substr(1, text.size() - 2);
    return IpAddress::parse(text);
}

}  // namespace

std::string_view name_of(Learned learned) {
    switch (learned) {
    case Learned::none: return "none";
    case Learned::first: return "first";
    case Learned::same: return "same";
    case Learned::changed: return "changed";
    case Learned::not_usable: return "not usable";
    }
    return "?";
}

namespace {

// RFC 6890: "this network" and what is reserved, the broadcast address among it, are nobody's.
bool is_nobodys(const IpAddress& address) {
    const auto first = address.bytes()[0];
    return address.family() == Family::ipv4 && (first == 0 || first >= 240);
}

}  // namespace

bool is_usable_mapping(const Endpoint& mapping, const IpAddress& reported_by) {
    const IpAddress& seen = mapping.address;
    if (mapping.port == 0 || seen.is_unspecified() || seen.is_multicast() || is_nobodys(seen))
        return false;
    if (seen.is_global()) return true;  // of the other family too: NAT64 (RFC 6146)
    if (reported_by.is_global() || seen.family() != reported_by.family()) return false;
    if (seen.is_loopback()) return reported_by.is_loopback();
    if (seen.is_link_local()) return reported_by.is_link_local();
    return true;  // private or shared, seen by a server of our own network
}

Learned MappingMemory::learn(Instant now, const ViaSighting& sighting) {
    if (sighting.source != sighting.sent_to) return Learned::none;
    if (!sighting.rport || *sighting.rport == 0) return Learned::none;
    auto address =
        sighting.received ? received_address(*sighting.received) : sighting.local.address;
    if (!address || address->is_unspecified()) return Learned::none;
    return take(now, {.address = *address, .port = *sighting.rport}, sighting.source);
}

Learned MappingMemory::learn_stun(Instant now, const Endpoint& mapped, const Endpoint& source,
                                  const Endpoint& sent_to) {
    if (source != sent_to || mapped.port == 0 || mapped.address.is_unspecified())
        return Learned::none;
    return take(now, mapped, source);
}

Learned MappingMemory::take(Instant now, const Endpoint& reported, const Endpoint& source) {
    const Endpoint mapping{.address = without_v4_prefix(reported.address), .port = reported.port};
    shown_ = mapping;
    if (!is_usable_mapping(mapping, source.address)) return Learned::not_usable;
    const auto before = std::exchange(usable_, mapping);
    if (!before) return Learned::first;
    if (*before == mapping) return Learned::same;
    count_change(now);
    return Learned::changed;
}

void MappingMemory::count_change(Instant now) {
    if (!is_unstable(now)) was_unstable_ = false;  // it has been quiet since
    changes_[change_count_ % changes_.size()] = now;
    ++change_count_;
    if (changes(now) > mapping_changes_allowed) was_unstable_ = true;
}

std::size_t MappingMemory::changes(Instant now) const {
    const auto known = std::min(change_count_, changes_.size());
    return static_cast<std::size_t>(
        std::count_if(changes_.begin(), changes_.begin() + static_cast<std::ptrdiff_t>(known),
                      [now](Instant at) { return now - at < mapping_change_window; }));
}

bool MappingMemory::is_unstable(Instant now) const {
    if (!was_unstable_) return false;
    const Instant last = changes_[(change_count_ - 1) % changes_.size()];
    return now - last < mapping_change_window;
}

}  // namespace holdfast::flow
