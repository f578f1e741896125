// Known servers, each with its habits (lab/known_servers.h, docs/interop.md): what a phone's life
// is made of works at every one of them, without a stale binding, a storm or a lie to the user.
#include "lab/invariants.h"
#include "lab/known_servers.h"
#include "tests/scenario.h"

namespace holdfast::lab {
namespace {

struct KnownServer {
    const char* name;
    ServerOptions (*habits)();
    Location location;
    std::size_t nodes;
};

const KnownServer known_servers[]{
    {"kamailio", kamailio, Location::shared, 3},
    {"opensips", opensips, Location::shared, 3},
    {"asterisk", asterisk, Location::separate, 3},
    {"freeswitch", freeswitch, Location::separate, 3},
    {"fritzbox", fritzbox, Location::shared, 1},
};

ScenarioOptions at(const KnownServer& server) {
    return {.nodes = server.nodes,
            .cluster = {.server = server.habits(), .location = server.location}};
}

void expect_no_storm(const Scenario& s) {
    for (const auto& complaint : check_rates(s.phone)) ADD_FAILURE() << complaint << s.story();
    for (const auto& complaint : check_cseq_rises(s.phone)) ADD_FAILURE() << complaint;
    for (const auto& complaint : check_no_star(s.cluster)) ADD_FAILURE() << complaint;
    for (const auto& node : s.cluster.nodes()) EXPECT_EQ(node->ban_filter().bans(), 0u);
}

void expect_one_binding(const Scenario& s) {
    EXPECT_TRUE(s.world.is_reachable(s.phone)) << s.story();
    EXPECT_TRUE(s.world.stale_bindings(s.phone).empty()) << s.story();
    EXPECT_EQ(s.cluster.bindings(s.phone.aor()).size(), 1u) << s.story();
}

class Interop : public testing::TestWithParam<KnownServer> {};
std::string name_of_server(const testing::TestParamInfo<KnownServer>& info) {
    return info.param.name;
}
INSTANTIATE_TEST_SUITE_P(At, Interop, testing::ValuesIn(known_servers), name_of_server);

// N4, L9, B8: one challenge, one 200 that is recognised although Contacts come back changed, and
// the right Contact from the first binding on.
TEST_P(Interop, ColdStart) {
    Scenario s(at(GetParam()));
    ASSERT_TRUE(s.registers_within(1s)) << s.story();
    EXPECT_EQ(s.cluster.registers(), 2u) << s.story();
    s.world.run_for(5s);
    expect_one_binding(s);
    for (const auto& [at, event] : s.phone.events()) {
        if (event.kind == EventKind::registered) {
            EXPECT_EQ(event.reason.find("unconfirmed"), std::string::npos) << s.story();
        }
    }
    expect_no_storm(s);
}

// B4, L9: two hours of refreshes, whatever was granted; servers' pings are answered; no ban filter
// finds anything, not even one that counts challenges.
TEST_P(Interop, TwoHoursOfRefreshes) {
    Scenario s(at(GetParam()));
    ASSERT_TRUE(s.registers_within(1s)) << s.story();
    const auto share = s.world.share_of_time(2h, 1s, [&] { return s.world.is_reachable(s.phone); });
    EXPECT_EQ(share, 1.0) << s.story();
    EXPECT_EQ(s.phone.count(EventKind::moved), 0u) << s.phone.event_log();
    EXPECT_EQ(s.phone.count(EventKind::unregistered), 0u) << s.phone.event_log();
    EXPECT_EQ(s.phone.count(EventKind::suspect), 0u) << s.phone.event_log();
    expect_one_binding(s);
    expect_no_storm(s);
    for (const auto& node : s.cluster.nodes()) {
        EXPECT_EQ(node->pings().answered(), node->pings().sent());
        EXPECT_EQ(node->pings().removed(), 0u);
        EXPECT_EQ(node->counters().removals, 0u);
    }
}

// N3, B6: the NAT forgets us, three times; never by a removal that travels alone.
TEST_P(Interop, ReboundNat) {
    Scenario s(at(GetParam()));
    ASSERT_TRUE(s.registers_within(1s)) << s.story();
    for (int i = 0; i < 3; ++i) {
        s.world.run_for(6min);
        s.nat.rebind();
        EXPECT_EQ(s.world.run_until([&] { return s.world.is_reachable(s.phone); }, 32s), Stop::goal)
            << s.story();
        s.world.run_for(10s);
        expect_one_binding(s);
    }
    EXPECT_EQ(s.phone.count(EventKind::unregistered), 0u) << s.phone.event_log();
    expect_no_storm(s);
}

// F3, K2, B7: its node goes silent; another serves within keep-alive + 3 s, and when the node
// returns, nothing of ours is stale on it.
TEST_P(Interop, NodeGoesSilentAndReturns) {
    Scenario s(at(GetParam()));
    ASSERT_TRUE(s.registers_within(1s)) << s.story();
    s.world.run_for(2min);
    auto& dead = s.world.node_at(*s.phone.current_target());
    dead.silence();
    if (GetParam().nodes > 1) {
        EXPECT_EQ(s.world.run_until([&] { return s.world.is_reachable(s.phone); }, 32s), Stop::goal)
            << s.story();
        s.world.run_for(20s);
        dead.heal();
        s.world.run_for(60s);
        expect_one_binding(s);
        EXPECT_NE(&s.world.node_at(*s.phone.current_target()), &dead);
    } else {
        s.world.run_for(2min);
        dead.heal();
        EXPECT_EQ(s.world.run_until([&] { return s.world.is_reachable(s.phone); }, 10s), Stop::goal)
            << s.story();
        s.world.run_for(10s);
        expect_one_binding(s);
    }
    expect_no_storm(s);
}

// B3: killed, and started again behind a NAT that has forgotten it: what the last run left is
// cleaned up.
TEST_P(Interop, KilledAndStartedAgain) {
    Scenario s(at(GetParam()));
    ASSERT_TRUE(s.registers_within(1s)) << s.story();
    s.world.run_for(25s);
    s.phone.crash();
    s.nat.rebind();
    s.world.run_for(2s);
    s.phone.start();
    ASSERT_TRUE(s.registers_within(5s)) << s.story();
    s.world.run_for(10s);
    expect_one_binding(s);
    expect_no_storm(s);
}

// B4: on exit nothing of ours stays behind.
TEST_P(Interop, LeavesNothingOnExit) {
    Scenario s(at(GetParam()));
    ASSERT_TRUE(s.registers_within(1s)) << s.story();
    s.world.run_for(5min);
    s.phone.shut_down();
    ASSERT_EQ(s.world.run_until([&] { return s.phone.is_stopped(); }, 2s), Stop::goal) << s.story();
    EXPECT_TRUE(s.cluster.bindings(s.phone.aor()).empty()) << s.story();
    expect_no_storm(s);
}

// F5: a wrong password: told once, in the server's own words, and nobody is hammered into a ban.
TEST_P(Interop, WrongPassword) {
    Scenario s(at(GetParam()));
    s.cluster.add_user("alice", "another");
    s.world.run_for(2h);
    EXPECT_FALSE(s.phone.is_registered());
    EXPECT_LE(s.cluster.registers(), 3u) << s.story();
    ASSERT_EQ(s.phone.count(EventKind::auth_failed), 1u) << s.story();
    const bool forbidden = GetParam().habits().digest.wrong_is_forbidden;
    for (const auto& [at, event] : s.phone.events()) {
        if (event.kind != EventKind::auth_failed) continue;
        EXPECT_EQ(event.status, forbidden ? 403 : 401);
        EXPECT_NE(event.reason.find(forbidden ? "403 Forbidden from" : "401 Unauthorized from"),
                  std::string::npos)
            << event.reason;
    }
    expect_no_storm(s);
    s.phone.give(in::ChangePassword{Phone::account, Redacted<std::string>("another")});
    EXPECT_TRUE(s.registers_within(1s)) << s.story();
}

}  // namespace
}  // namespace holdfast::lab
