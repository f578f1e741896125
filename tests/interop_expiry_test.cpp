// What Holdfast answers to habits of known servers in how long they grant a binding (B4, F5): each
// has a row in docs/interop.md. Other habits are in interop_answers_test.cpp and
// interop_habits_test.cpp.
#include <set>

#include "tests/habits.h"

namespace holdfast::lab {
namespace {

// B4: less is granted than was asked for, another share each time: what counts is the grant.
TEST(KamailioHabit, RefreshesByWhatWasGrantedAtRandom) {
    auto server = kamailio();
    server.expires_range = 90;
    Scenario s(at_server(server));
    ASSERT_TRUE(s.registers_within(1s)) << s.story();
    const auto share = s.world.share_of_time(2h, 1s, [&] { return s.world.is_reachable(s.phone); });
    EXPECT_EQ(share, 1.0) << s.story();
    EXPECT_EQ(s.phone.count(EventKind::unregistered), 0u) << s.phone.event_log();
    std::set<Duration> granted;
    for (const auto& [at, event] : s.phone.events())
        if (event.kind == EventKind::refreshed && event.expires) granted.insert(*event.expires);
    ASSERT_GT(granted.size(), 10u) << s.phone.event_log();
    EXPECT_GE(*granted.begin(), 60s);
    EXPECT_LT(*granted.begin(), 120s);
    EXPECT_GT(*granted.rbegin(), 200s);
    expect_calm(s);
}

// B4: OpenSIPS' expires_max_deviation and FreeSWITCH's sip-expires-max-deviation: seconds more or
// less than was asked for, or is forced.
TEST(DeviationHabit, RefreshesByWhatWasGrantedMoreOrLess) {
    struct Row {
        ServerOptions (*habits)();
        std::uint32_t deviation;
        Duration least;
        Duration asked;
        Duration most;
    };
    for (const auto& row :
         {Row{opensips, 100, 200s, 300s, 400s}, Row{freeswitch, 10, 20s, 30s, 40s}}) {
        auto server = row.habits();
        server.expires_deviation = row.deviation;
        Scenario s(at_server(server));
        ASSERT_TRUE(s.registers_within(1s)) << s.story();
        const auto share =
            s.world.share_of_time(2h, 1s, [&] { return s.world.is_reachable(s.phone); });
        EXPECT_EQ(share, 1.0) << s.story();
        EXPECT_EQ(s.phone.count(EventKind::unregistered), 0u) << s.phone.event_log();
        std::set<Duration> granted;
        for (const auto& [at, event] : s.phone.events())
            if (event.kind == EventKind::refreshed && event.expires) granted.insert(*event.expires);
        ASSERT_GT(granted.size(), 10u) << s.phone.event_log();
        EXPECT_GE(*granted.begin(), row.least);
        EXPECT_LT(*granted.begin(), row.asked);
        EXPECT_GT(*granted.rbegin(), row.asked);
        EXPECT_LE(*granted.rbegin(), row.most);
        expect_calm(s);
    }
}

// B4: minimum_expiration and maximum_expiration: what is outside of them becomes them, in silence.
TEST(AsteriskHabit, TheExpiryIsHeldWithinItsRange) {
    struct Row {
        Duration asked;
        Duration granted;
    };
    for (const auto& row : {Row{10s, 60s}, Row{12h, 2h}}) {
        auto o = at_server(asterisk());
        o.expires = row.asked;
        Scenario s(o);
        ASSERT_TRUE(s.registers_within(1s)) << s.story();
        const auto share = s.world.share_of_time(5 * row.granted, 1s,
                                                 [&] { return s.world.is_reachable(s.phone); });
        EXPECT_EQ(share, 1.0) << s.story();
        EXPECT_EQ(s.phone.count(EventKind::unregistered), 0u) << s.phone.event_log();
        // Refreshed at 75 to 90 % of what was granted: 5 or 6 times.
        EXPECT_GE(s.phone.count(EventKind::refreshed), 5u) << s.phone.event_log();
        EXPECT_LE(s.phone.count(EventKind::refreshed), 7u) << s.phone.event_log();
        expect_calm(s);
    }
}

// B4, F5: asked for less than min_expires: raised in silence, or refused with 423
// (min_expires_mode=1).
TEST(UsrlocHabit, ABriefExpiresIsRaisedOrRefused) {
    auto refuses = kamailio();
    refuses.rules.raises_brief_expires = false;
    for (const auto& server : {kamailio(), refuses, opensips()}) {
        auto o = at_server(server);
        o.expires = 30s;
        Scenario s(o);
        ASSERT_TRUE(s.registers_within(1s)) << s.story();
        s.world.run_for(20min);
        EXPECT_TRUE(s.world.is_reachable(s.phone)) << s.story();
        EXPECT_EQ(s.phone.count(EventKind::refused), 0u) << s.story();
        EXPECT_EQ(s.phone.count(EventKind::unregistered), 0u) << s.story();
        for (const auto& [at, event] : s.phone.events())
            if (event.kind == EventKind::registered) {
                EXPECT_EQ(event.expires, 60s) << s.story();
            }
        expect_calm(s);
    }
}

}  // namespace
}  // namespace holdfast::lab
