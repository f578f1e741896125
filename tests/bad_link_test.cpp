// A link that loses 30 % of what it carries, each way, with round trips of half a second, and mixes
// up the order: slow, but registered, and not a storm. Not tested here: a link that gets worse in
// the middle of something (swarm_test.cpp).
#include "lab/invariants.h"
#include "tests/scenario.h"

namespace holdfast::lab {
namespace {

constexpr LinkOptions bad{
    .one_way_delay = 250ms, .jitter = 50ms, .loss = 0.3, .duplication = 0.05, .reorder = 0.3};

class BadLink : public testing::TestWithParam<Transport> {};

TEST_P(BadLink, RegistersAndStaysRegistered) {  // I4, I5, B1
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        Scenario s({.transport = GetParam(), .seed = seed, .one_way_delay = bad.one_way_delay});
        s.world.internet().link().set(bad);
        ASSERT_TRUE(s.registers_within(30s)) << s.story();
        std::size_t reachable = 0;
        const auto registered = s.world.share_of_time(1h, 1s, [&] {
            reachable += s.world.is_reachable(s.phone) ? 1U : 0U;
            return s.phone.is_registered();
        });
        EXPECT_GE(registered, 0.999) << s.story();
        // A stream that is lost in the middle of nothing is found by the next keep-alive (K1: 100 s
        // and its 10 s), about ten times in this hour; mostly something else finds it sooner.
        EXPECT_GE(reachable, GetParam() == Transport::udp ? 3'590U : 3'200U) << s.story();
        s.world.heal();
        s.world.run_for(150s);
        EXPECT_EQ(s.cluster.bindings(s.phone.aor()).size(), 1U) << s.story();
        EXPECT_TRUE(s.world.stale_bindings(s.phone).empty()) << s.story();
        for (const auto& complaints :
             {check_cseq_rises(s.phone), check_rates(s.phone), check_no_star(s.cluster)})
            for (const auto& complaint : complaints) ADD_FAILURE() << complaint << s.story();
    }
}

INSTANTIATE_TEST_SUITE_P(Transports, BadLink,
                         testing::Values(Transport::udp, Transport::tcp, Transport::tls),
                         [](const auto& test) { return std::string(name_of(test.param)); });

}  // namespace
}  // namespace holdfast::lab
