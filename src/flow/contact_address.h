// Which address others are told to send to (design rule N4), and which one a Via has.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/address.h"

namespace holdfast::flow {

struct ContactSources {
    std::string_view by_hand{};         // "host", "host:port", any IPv6 spelling; "" for none
    std::optional<Endpoint> mapping{};  // this flow's own usable mapping: MappingMemory::usable()
    bool answered = false;  // this flow has had an answer; STUN of elsewhere counts only before
    std::optional<Endpoint> stun_elsewhere{};  // what a STUN server saw of the same local port
    Endpoint local;
};

enum class ContactOrigin : std::uint8_t { by_hand, mapping, stun_elsewhere, local };
std::string_view name_of(ContactOrigin origin);

struct ContactAddress {
    std::string host_port;  // as it stands in the URI: "203.0.113.5:13450", "[2001:db8::1]:40000"
    std::optional<Endpoint> endpoint;  // the same as a value; nothing for a host name
    ContactOrigin origin = ContactOrigin::local;
    friend bool operator==(const ContactAddress&, const ContactAddress&) = default;
};

// Whether a person's text can be a Contact's address.
bool is_contact_address(std::string_view text);

// The port is always written, so that no receiver's default (5060, 5061, SRV) can change it.
// by_hand without a port takes the local one; by_hand that cannot be a host is as if it were not
// given.
ContactAddress contact_address(const ContactSources& sources);

// Via keeps the local address, whatever the Contact says: `received` and `rport` are measured
// against it, and a server that trusts sent-by instead sends its answer to the source all the same
// (RFC 3581 §3, N4).
std::string via_sent_by(const Endpoint& local);

}  // namespace holdfast::flow
