// The rows S1–S12n of docs/measured.md for Holdfast, each lived again with one fault of the host:
// the n-th send, connect or DNS answer of the row fails. A fault costs one attempt, never the row:
// its figure is late by no more than that (F2, F3, L6, K3), and where it promises no stale binding
// there is none (B1, B2, S6, S11, S12n); then I1, I2, I4, I5 and K2 hold as in any life. Not tested
// here: the rows without a fault (presets_test.cpp), other stories (nth_fault_test.cpp).
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "lab/invariants.h"
#include "lab/world.h"
#include "tests/host_fault_names.h"
#include "tests/preset_table.h"

namespace holdfast::lab {
namespace {

using namespace std::chrono_literals;

// All operations of a kind fail in turn, or so many, spread evenly over the row.
constexpr std::size_t lives_per_kind = 40;

// What one fault may add to a row's figure.
enum class Costs : std::uint8_t {
    nothing,   // no time is promised, but that something never is
    attempt,   // 10 s (I1); of a DNS answer the resolver's patience of 10 s, and 5 s (L6)
    fail_back  // another 75 s: the way back is looked for once a minute (L7)
};

struct FaultRow {
    Figure (*live)(const PresetRun&);
    Costs costs = Costs::attempt;

    [[nodiscard]] const Row& row() const {
        return *std::ranges::find(preset_rows_table, live, &Row::measure);
    }
    [[nodiscard]] double cost_of(HostFault fault) const {
        const bool of_dns = fault == HostFault::dns_servfail || fault == HostFault::dns_times_out;
        switch (costs) {
        case Costs::nothing: return 0;
        case Costs::attempt: return fault == HostFault::none ? 0 : of_dns ? 15 : 10;
        case Costs::fail_back: return fault == HostFault::none ? 0 : 75;
        }
        return 0;
    }
};

// One figure of each life: S6's, S9's and S11's others are of the same one.
const std::vector<FaultRow>& fault_rows() {
    static const std::vector<FaultRow> all{
        {rows::s1_silent_first},
        {rows::s1r_silent_first_rotating},
        {rows::s2_two_silent},
        {rows::s3_refused_by_icmp},
        {rows::s4_syn_dropped},
        {rows::s4b_tcp_refused},
        {rows::s5_node_silent},
        {rows::s5r_node_silent_rotating},
        {rows::s5t_tcp_node_silent},
        {rows::s5c_tcp_node_restarts},
        {rows::s6_stale, Costs::nothing},
        {rows::s7_nat_rebinding},
        {rows::s8a_unavailable},
        {rows::s8b_unavailable_with_retry_after},
        {rows::s9_back, Costs::fail_back},
        {rows::s10_all_silent_60_s},
        {rows::s10l_all_silent_150_s},
        {rows::s11_stale_for, Costs::nothing},
        {rows::s12n_all_bindings_answer, Costs::nothing},
    };
    return all;
}

class NthFaultOfRow : public testing::TestWithParam<FaultRow> {
protected:
    // Returns how many operations of the kind were left to the n-th when the row had its figure.
    static std::size_t live(HostFault fault, std::size_t nth) {
        std::size_t left = 0;
        std::string story;
        OutstandingWatch outstanding("the phone");
        PresetRun run;
        run.begins = [&](Phone& phone) { phone.fail_nth(fault, nth); };
        run.watch = [&](Instant now, const AccountStatus& status) {
            outstanding.look(now, status);
        };
        run.ends = [&](World& world, Cluster& cluster, Phone& phone) {
            left = phone.host_faults().left();
            check_rest(world, cluster, phone);
            for (const auto& complaints :
                 {outstanding.complaints(), check_cseq_rises(phone), check_rates(phone),
                  check_flows_differ(phone), check_no_star(cluster)})
                for (const auto& complaint : complaints) ADD_FAILURE() << complaint;
            if (HasFailure()) story = "\n" + phone.event_log() + world.ladder();
        };
        const auto figure = GetParam().live(run);
        const auto& expected = GetParam().row().expected[0];
        EXPECT_GE(figure.value, expected.low) << figure.story;
        EXPECT_LE(figure.value,
                  expected.high + GetParam().cost_of(left == 0 ? fault : HostFault::none))
            << figure.story;
        EXPECT_TRUE(story.empty()) << story;
        return left;
    }
    // Nothing is healed for it: a server that the row has killed is dead. I1: one that has just
    // failed is registered after 10 s of quiet; I2 when the next keep-alive has had its answer and
    // things have settled.
    static void check_rest(World& world, Cluster& cluster, Phone& phone) {
        EXPECT_EQ(world.run_until([&] { return phone.is_registered(); }, 10s), Stop::goal);
        world.run_for(100s + 22s);
        EXPECT_TRUE(phone.is_registered());
        EXPECT_EQ(cluster.bindings(phone.aor()).size(), 1u);
        EXPECT_TRUE(world.stale_bindings(phone).empty());
        EXPECT_TRUE(world.is_reachable(phone));
        check_watches(world, phone);
    }
    // The fault has ended no keep-alive: when its server dies now, it is somewhere else within K2's
    // (over a stream K1's) time.
    static void check_watches(World& world, Phone& phone) {
        const auto target = phone.current_target();
        ASSERT_TRUE(target.has_value());
        world.heal();
        world.silence(*target);
        const auto limit = is_reliable(target->transport) ? 112s : 32s;
        EXPECT_EQ(world.run_until([&] { return world.is_reachable(phone); }, limit), Stop::goal);
    }
};

TEST_P(NthFaultOfRow, CostsNoMoreThanAnAttempt) {
    constexpr auto no_end = std::numeric_limits<std::size_t>::max();
    std::size_t faults = 0;
    for (const auto fault : host_faults) {
        const auto points = no_end - live(fault, no_end);
        const auto lives = std::min(points, lives_per_kind);
        for (std::size_t i = 0; i < lives && !HasFailure(); ++i) {
            const auto nth = lives == points ? i + 1 : 1 + i * (points - 1) / (lives - 1);
            SCOPED_TRACE(std::to_string(nth) + ". of " + name_of(fault));
            EXPECT_EQ(live(fault, nth), 0u) << "the fault never came";
        }
        // A datagram flow does not time out; every row has the rest.
        if (fault != HostFault::open_times_out) {
            EXPECT_GT(points, 0u) << name_of(fault);
        }
        faults += lives;
    }
    RecordProperty("faults", static_cast<int>(faults));
}

INSTANTIATE_TEST_SUITE_P(AtEachPoint, NthFaultOfRow, testing::ValuesIn(fault_rows()),
                         [](const auto& test) { return std::string(test.param.row().id); });

}  // namespace
}  // namespace holdfast::lab
