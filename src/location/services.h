// Which transports and SRV names a next hop leads to (RFC 3263 §4.1), in order of preference.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/dns.h"
#include "location/next_hop.h"

namespace holdfast::location {

struct Service {
    std::string name;  // "_sip._udp.example.test"
    Transport transport = Transport::udp;
    std::uint32_t rank = 0;  // 0 is best; equal ones share their load
    std::string reason;
};

// The transports that both the next hop and the account allow, the preferred first; empty if they
// contradict.
std::vector<Transport> usable_transports(const NextHop& next_hop,
                                         const std::vector<Transport>& allowed);
// Without SRV there is no word from the domain: the order in which transports are tried at one
// address.
std::vector<Transport> default_transports(const std::vector<Transport>& usable, std::uint16_t port);

std::vector<Service> services_by_preference(std::string_view host,
                                            const std::vector<Transport>& usable);
// Records that are not ours to use are skipped, with words where a person could have meant them.
std::vector<Service> services_of_naptr(std::span<const dns::Naptr> records,
                                       const std::vector<Transport>& usable,
                                       std::vector<std::string>& skipped);

}  // namespace holdfast::location
