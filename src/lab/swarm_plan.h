// A world of the swarm before it runs, as data: all that its number draws, each part with a name.
// Parts can be left out, and the rest stays as it was drawn; so a failing world shrinks
// (lab/swarm_shrink.h).
//
//     auto plan = draw_world(17, 10min);
//     keep_only(plan, {"phone1", "node2", "fault7"});
//     RandomWorld(plan)…
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/dns.h"
#include "base/random.h"
#include "lab/cluster.h"
#include "lab/dns_zone.h"
#include "lab/link.h"
#include "lab/nat.h"

namespace holdfast::lab {

enum class FaultKind : std::uint8_t {
    node_silent,
    node_mute,
    node_refuses,
    node_prohibited,
    node_fails,  // answers `status`, with Retry-After `count` if that is not 0
    node_slow,
    node_loses_answers,
    node_restarts,
    node_heals,
    phone_crashes,      // and starts again
    phone_loses_power,  // for a while
    phone_sleeps,       // for a while
    phone_unplugged,    // for a while
    phone_registers_now,
    phone_without_dns,
    nat_rebinds,
    dns_fails,
    dns_slow,
    all_silent,
    link_loses,
};

struct PlannedFault {
    std::size_t number = 0;  // from 1, as drawn: it stays when others are left out
    FaultKind kind = FaultKind::node_heals;
    Duration at{};         // since the world began
    Duration lasts{};      // of what ends by itself
    std::size_t whom = 0;  // which node or phone, from 0
    int status = 0;
    int count = 0;
    Duration delay{};
    dns::Status dns = dns::Status::ok;
    double loss = 0;
};

struct PlannedPhone {
    bool takes_part = true;
    std::optional<Transport> transport{};
    Duration expires{};
    bool resolver_cache = false;
    bool has_other_device = false;  // somebody else's binding of the same AOR (I6)
};

struct PlannedNode {
    bool is_listed = true;  // in DNS; one that is not, nobody meets
    std::string addresses;
};

struct WorldPlan {
    std::uint64_t number = 0;
    Seed seed{};
    LinkOptions link{};
    std::vector<PlannedNode> nodes;
    ClusterOptions cluster{};
    std::uint64_t families = 0;  // 0: IPv6, 1: both, else IPv4
    RecordOptions records{};
    bool srv = false;
    bool priorities = false;
    std::optional<NatOptions> nat{};
    bool has_nat = false;  // it takes part
    std::vector<PlannedPhone> phones;
    std::vector<PlannedFault> faults;  // in the order of time; none begins before another has ended
    Duration ends{};                   // then everything heals

    [[nodiscard]] std::string name_of_phone(std::size_t index) const;
};

// The same number draws the same world. A shorter time draws the same beginning.
WorldPlan draw_world(std::uint64_t number, Duration suffering);

// What can be left out of it, by name: node1, …, phone1, …, other1, … (the other device of that
// phone), fault1, …, nat, jitter, loss, duplication, reorder.
std::vector<std::string> parts_of(const WorldPlan& plan);
// Leaves out every part that is not named, and the faults of what is left out. One phone and one
// node at least stay; the error is a sentence, and the plan is then unchanged.
std::expected<void, std::string> keep_only(WorldPlan& plan, const std::set<std::string>& parts);

// A fault in words: "node2 goes silent".
std::string words_of(const WorldPlan& plan, const PlannedFault& fault);
// As the text of a world has it: "0.021", "12.34", "1234", "604800".
std::string short_number(double value);
// The same of seconds.
std::string short_seconds(Duration duration);

}  // namespace holdfast::lab
