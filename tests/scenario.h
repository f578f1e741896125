// What the scenarios of S1–S12 have in common: three registrars, a domain, and a phone behind an
// endpoint-dependent NAT, on UDP, TCP or TLS and over IPv4, IPv6 or both.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "lab/world.h"
#include "tests/fault_life.h"

namespace holdfast::lab {

using namespace std::chrono_literals;

enum class Families : std::uint8_t { ipv4, ipv6, both };
inline std::string name_of(Families families) {
    switch (families) {
    case Families::ipv4: return "ipv4";
    case Families::ipv6: return "ipv6";
    case Families::both: return "both";
    }
    return "?";
}

struct ScenarioOptions {
    Transport transport = Transport::udp;
    Families families = Families::ipv4;
    std::size_t nodes = 3;
    bool rotate = false;
    Duration ttl = 60s;
    ClusterOptions cluster{};
    std::uint64_t seed = 1;
    std::string preset = "holdfast";
    std::optional<Duration> expires{};
    std::uint32_t flows = 0;
    bool nat = true;
    NatOptions nat_options{.mapping = Dependence::address_and_port_dependent};
    std::function<void(registration::Policy&)> tune{};
    Duration one_way_delay = 10ms;
    std::function<void(Instant, const AccountStatus&)> watch{};  // as PhoneOptions
};

class Scenario {
public:
    explicit Scenario(const ScenarioOptions& options)
        : world(seed_from_number(options.seed), {.one_way_delay = options.one_way_delay}),
          cluster(world.add_registrars(nodes(options), options.cluster)),
          nat(world.add_nat(options.nat_options)),
          phone(add_phone(options)) {
        const RecordOptions records{.ttl = options.ttl, .rotate = options.rotate};
        world.dns().a("example.test", cluster.addresses(), records);
        world.dns().aaaa("example.test", cluster.addresses(), records);
    }

    bool registers_within(Duration limit) {
        return world.run_until([this] { return phone.is_registered(); }, limit) == Stop::goal;
    }
    // Everything a failure needs to be understood.
    [[nodiscard]] std::string story() const { return "\n" + phone.event_log() + world.ladder(); }

    World world;
    Cluster& cluster;
    Nat& nat;
    Phone& phone;
    FaultLife fault{world};  // last

private:
    static std::vector<std::string> nodes(const ScenarioOptions& options) {
        std::vector<std::string> all;
        for (std::size_t i = 1; i <= options.nodes; ++i) {
            const auto ipv4 = "203.0.113.1" + std::to_string(i);
            const auto ipv6 = "2001:db8:b::1" + std::to_string(i);
            switch (options.families) {
            case Families::ipv4: all.push_back(ipv4); break;
            case Families::ipv6: all.push_back(ipv6); break;
            case Families::both: all.push_back(std::string(ipv4).append(" ").append(ipv6)); break;
            }
        }
        return all;
    }
    Phone& add_phone(const ScenarioOptions& options) {
        return world.add_phone({.transport = options.transport,
                                .preset = options.preset,
                                .tune = options.tune,
                                .expires = options.expires,
                                .flows = options.flows,
                                .behind = options.nat ? &nat : nullptr,
                                .ipv4 = options.families != Families::ipv6,
                                .ipv6 = options.families != Families::ipv4,
                                .watch = options.watch});
    }
};

// Every transport and family, for the scenarios that must hold on all of them.
using Way = std::tuple<Transport, Families>;
inline std::string name_of_way(const testing::TestParamInfo<Way>& info) {
    return std::string(name_of(std::get<0>(info.param))) + "_" + name_of(std::get<1>(info.param));
}
inline auto every_way() {
    return testing::Combine(testing::Values(Transport::udp, Transport::tcp, Transport::tls),
                            testing::Values(Families::ipv4, Families::ipv6, Families::both));
}

}  // namespace holdfast::lab
