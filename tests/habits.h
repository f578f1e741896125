// What the tests of known servers' habits share (docs/interop.md): a world at such a server, and
// what must hold whatever its habit is.
#pragma once

#include <string>
#include <utility>

#include "lab/invariants.h"
#include "lab/known_servers.h"
#include "tests/scenario.h"

namespace holdfast::lab {

inline ScenarioOptions at_server(ServerOptions server) {
    return {.cluster = {.server = std::move(server)}};
}

// I4, I5.
inline void expect_no_storm(const Scenario& s) {
    for (const auto& complaint : check_rates(s.phone)) ADD_FAILURE() << complaint << s.story();
    for (const auto& complaint : check_cseq_rises(s.phone)) ADD_FAILURE() << complaint;
}

// And nobody was barred for what we did.
inline void expect_calm(const Scenario& s) {
    expect_no_storm(s);
    for (const auto& node : s.cluster.nodes()) EXPECT_EQ(node->ban_filter().bans(), 0u);
}

inline std::string reasons(const Scenario& s, EventKind kind) {
    std::string all;
    for (const auto& [at, event] : s.phone.events())
        if (event.kind == kind) all += event.reason + "\n";
    return all;
}

// F6: of a server that forgets a binding with the connection it came over: the phone is back at
// once, each time.
inline void expect_back_after_lost_connections(ServerOptions server) {
    auto o = at_server(std::move(server));
    o.transport = Transport::tcp;
    Scenario s(o);
    ASSERT_TRUE(s.registers_within(1s)) << s.story();
    for (int i = 0; i < 5; ++i) {
        s.world.run_for(6min);
        s.world.node_at(*s.phone.current_target()).restart(false);
        ASSERT_TRUE(s.cluster.bindings(s.phone.aor()).empty());
        EXPECT_EQ(s.world.run_until([&] { return s.world.is_reachable(s.phone); }, 1s), Stop::goal)
            << s.story();
        s.world.run_for(5s);
        EXPECT_EQ(s.cluster.bindings(s.phone.aor()).size(), 1u) << s.story();
    }
    expect_no_storm(s);
}

}  // namespace holdfast::lab
