#include "location/services.h"

#include <algorithm>
#include <optional>
#include <tuple>

#include "base/text.h"
#include "location/limits.h"
#include "location/names.h"

namespace holdfast::location {

namespace {

bool contains(const std::vector<Transport>& transports, Transport transport) {
    return std::find(transports.begin(), transports.end(), transport) != transports.end();
}

std::string_view service_label(Transport transport) {
    switch (transport) {
    case Transport::tls: return "_sips._tcp.";  // RFC 3263 §4.2
    case Transport::tcp: return "_sip._tcp.";
    case Transport::udp: return "_sip._udp.";
    }
    return "";
}

std::optional<Transport> transport_of_service(std::string_view service) {
    if (equals_ignoring_case(service, "SIPS+D2T")) return Transport::tls;
    if (equals_ignoring_case(service, "SIP+D2T")) return Transport::tcp;
    if (equals_ignoring_case(service, "SIP+D2U")) return Transport::udp;
    return std::nullopt;  // another service (ENUM), or SCTP, WebSocket
}

// Why a record with a SIP service cannot be used; nothing if it can.
std::optional<std::string_view> fault_of(const dns::Naptr& record) {
    if (!record.regexp.empty()) return "has a regular expression";  // RFC 3263 §4.1: must be empty
    if (!equals_ignoring_case(record.flags, "s")) return "has flags other than \"s\"";
    if (!is_valid_name(normal_name(record.replacement))) return "has no usable replacement";
    return std::nullopt;
}

}  // namespace

std::vector<Transport> usable_transports(const NextHop& next_hop,
                                         const std::vector<Transport>& allowed) {
    // sips → TLS only; an explicit transport is the only one (L1).
    const auto only = next_hop.secure ? std::optional(Transport::tls) : next_hop.transport;
    if (!only) return allowed;
    if (!contains(allowed, *only)) return {};
    return {*only};
}

std::vector<Transport> default_transports(const std::vector<Transport>& usable,
                                          std::uint16_t port) {
    if (usable.size() < 2) return usable;
    // RFC 3263 §4.1: UDP for a SIP URI; "another transport MAY be used": the others come behind it,
    // in the account's order, for networks where UDP does not get through.
    std::vector<Transport> order;
    if (contains(usable, Transport::udp)) order.push_back(Transport::udp);
    for (const auto transport : usable)
        if (transport != Transport::udp) order.push_back(transport);
    // Deviates: 5061 is registered for SIP over TLS and 5060 for clear text; who writes :5061 means
    // TLS, and TLS to 5060 only fails in a long way.
    const auto tls = std::find(order.begin(), order.end(), Transport::tls);
    if (tls == order.end()) return order;
    if (port == 5061) std::rotate(order.begin(), tls, tls + 1);
    if (port == 5060) order.erase(tls);
    return order;
}

std::vector<Service> services_by_preference(std::string_view host,
                                            const std::vector<Transport>& usable) {
    std::vector<Service> services;
    services.reserve(usable.size());
    for (const auto transport : usable)
        services.push_back({std::string(service_label(transport)) + std::string(host), transport,
                            static_cast<std::uint32_t>(services.size()), ""});
    return services;
}

std::vector<Service> services_of_naptr(std::span<const dns::Naptr> records,
                                       const std::vector<Transport>& usable,
                                       std::vector<std::string>& skipped) {
    using Key = std::tuple<std::uint16_t, std::uint16_t, std::size_t>;  // order, preference, ours
    struct Found {
        Key key;
        Service service;
    };
    std::vector<Found> found;
    for (const auto& record : records) {
        const auto transport = transport_of_service(record.service);
        if (!transport) continue;
        if (const auto fault = fault_of(record)) {
            skipped.push_back("the NAPTR record for " + std::string(name_of(*transport)) + " " +
                              std::string(*fault));
            continue;
        }
        const auto ours = std::find(usable.begin(), usable.end(), *transport);
        if (ours == usable.end()) continue;
        const Key key{record.order, record.preference,
                      static_cast<std::size_t>(ours - usable.begin())};
        found.push_back({key,
                         {normal_name(record.replacement), *transport, 0,
                          "NAPTR order " + std::to_string(record.order) + " preference " +
                              std::to_string(record.preference) + ", "}});
    }
    // The order of the answer means nothing (L2).
    std::sort(found.begin(), found.end(), [](const Found& a, const Found& b) {
        return std::tie(a.key, a.service.name) < std::tie(b.key, b.service.name);
    });
    std::vector<Service> services;
    for (std::size_t i = 0; i < found.size() && services.size() < limits::naptr_services; ++i) {
        if (i > 0 && found[i].key == found[i - 1].key &&
            found[i].service.name == found[i - 1].service.name)
            continue;
        auto service = found[i].service;
        if (!services.empty())
            service.rank = services.back().rank + (found[i].key != found[i - 1].key ? 1 : 0);
        services.push_back(std::move(service));
    }
    return services;
}

}  // namespace holdfast::location
