// The command while its clock is set, and while it does not run, over each transport. The clock is
// libfaketime's, for the command alone; certificates are the lab's, good for a day. Not tested
// here: a suspend, which only a whole machine can do (tests/rules_network_test.cpp has one in
// virtual time).
#include <ctime>
#include <fstream>
#include <iterator>

#include "live/authority.h"
#include "tests/faults/command_world.h"

namespace holdfast::faults {
namespace {

// Before the world, whose servers show its certificates.
struct HasAuthority {
    live::Authority authority;
};

// The account's transport is the parameter.
class OverTransport : private HasAuthority,
                      public CommandWorld,
                      public testing::WithParamInterface<Transport> {
protected:
    OverTransport() : CommandWorld({.authority = &authority}) { transport = GetParam(); }
    // The shortest that the registrar grants: refreshed after 5 s at most (B4).
    std::vector<std::string> short_grant() {
        std::vector<std::string> options{"--expires", "10"};
        if (transport != Transport::tls) return options;
        const auto ca = scratch.path() / "ca.pem";
        EXPECT_TRUE(authority.write_to(ca));
        options.insert(options.end(), {"--ca", ca.string()});
        return options;
    }
};
const auto each_transport = testing::Values(Transport::udp, Transport::tcp, Transport::tls);
std::string name_of_transport(const testing::TestParamInfo<Transport>& transport) {
    return std::string(name_of(transport.param));
}

class SetClock : public OverTransport {
protected:
    void SetUp() override { set_clock("+0"); }
    CommandRun& start_with_clock() {
        return start(scratch.path() / "state",
                     // Ours first: libfaketime shifts every timerfd, whatever its clock.
                     {{"LD_PRELOAD", HOLDFAST_DISK_FAULTS ":" HOLDFAST_FAKETIME},
                      {"FAKETIME_TIMESTAMP_FILE", file().string()},
                      {"FAKETIME_NO_CACHE", "1"},
                      {"FAKETIME_DONT_FAKE_MONOTONIC", "1"},  // as when a clock is set
                      {"HOLDFAST_CLOCK_SEEN", seen().string()},
                      {"ASAN_OPTIONS", "verify_asan_link_order=0"}},
                     short_grant());
    }
    // From now on the command's wall clock is that much ahead of the host's.
    void set_clock(std::string_view offset) const { std::ofstream(file()) << offset << "\n"; }
    // Whether it has happened, at the next time that the command sets a timer: libfaketime is in
    // the process, and the wall clock that this has is so many days ahead. Without this the tests
    // would hold with a clock that nobody sets.
    testing::AssertionResult has_clock(const CommandRun& run, int days) {
        std::ifstream maps("/proc/" + std::to_string(run.pid()) + "/maps");
        const std::string all{std::istreambuf_iterator<char>{maps}, {}};
        if (all.find("libfaketime") == std::string::npos) {
            return testing::AssertionFailure() << "libfaketime is not in the process";
        }
        long long ahead = 0;
        const auto is_set = [&] {
            long long clock = 0;
            std::ifstream(seen()) >> clock;
            ahead = clock - static_cast<long long>(std::time(nullptr));
            return std::abs(ahead - days * 86'400LL) < 3600;
        };
        if (run_until(is_set, 6s)) return testing::AssertionSuccess();
        return testing::AssertionFailure() << "its clock is " << ahead << " s ahead of the host's";
    }
    [[nodiscard]] std::filesystem::path seen() const { return scratch.path() / "clock-seen"; }
    [[nodiscard]] std::filesystem::path file() const { return scratch.path() / "clock"; }
    [[nodiscard]] std::size_t registers() const { return world->cluster().registers(); }
};

// Timers are on the clock that nobody sets (K5): the next refresh comes when it was due, not at
// once and not never. A connection that is there is as it was: whose certificate it was, has been
// asked when it was made.
TEST_P(SetClock, ForthAndBackMovesNoRefresh) {
    auto& run = start_with_clock();
    ASSERT_TRUE(run_until_registered(run)) << story(run);
    ASSERT_TRUE(has_clock(run, 0));
    for (const auto& [offset, days] : {std::pair{"+400d", 400}, std::pair{"-4000d", -4000}}) {
        ASSERT_TRUE(run_until([&] { return bindings().size() == 1; }, 1s)) << story(run);
        const auto before = registers();
        const auto granted = bindings().front().expires;
        set_clock(offset);
        EXPECT_FALSE(run_until([&] { return registers() > before; }, 1s)) << story(run);
        // Until it is accepted: a challenge on the way is answered by one more REGISTER.
        EXPECT_TRUE(run_until(
            [&] {
                const auto now = bindings();
                return !now.empty() && now.front().expires > granted;
            },
            6s))
            << story(run);
        EXPECT_LT(world->lab().now(), granted) << "refreshed before it ended";
        EXPECT_TRUE(has_clock(run, days)) << offset;
    }
    EXPECT_FALSE(run.said("unregistered")) << story(run);
    EXPECT_FALSE(run.said("waiting")) << story(run);
    EXPECT_FALSE(run.said("\"flow_lost\"")) << story(run);
    EXPECT_FALSE(run.said("\"moved\"")) << story(run);
}
INSTANTIATE_TEST_SUITE_P(Each, SetClock, each_transport, name_of_transport);

using ClockOverUdp = SetClock;

// B3: what was stored with a time of the wall clock is still of use when that clock is wrong.
TEST_P(ClockOverUdp, AtTheNextStartItIsTheSamePhoneWithOneBinding) {
    std::string instance;
    for (const auto& [offset, days] : {std::pair{"+0", 0}, std::pair{"+4000d", 4000},
                                       std::pair{"-4000d", -4000}, std::pair{"+0", 0}}) {
        set_clock(offset);
        auto& run = start_with_clock();
        ASSERT_TRUE(run_until_registered(run)) << offset << story(run);
        EXPECT_TRUE(has_clock(run, days)) << offset;
        ASSERT_TRUE(run_until([&] { return bindings().size() == 1; })) << offset << story(run);
        if (instance.empty()) instance = bindings().front().instance;
        EXPECT_EQ(bindings().front().instance, instance) << offset;
        EXPECT_FALSE(run.said("damaged")) << offset << story(run);
        run.signal(SIGKILL);
        ASSERT_TRUE(run_until_end(run));
    }
}

INSTANTIATE_TEST_SUITE_P(Of, ClockOverUdp, testing::Values(Transport::udp), name_of_transport);

// A board whose clock begins at 1970, or a battery that is empty: by such a clock no certificate is
// good. That is said, with the date, nothing is sent, and once the clock is right all is well.
using ClockOverTls = SetClock;
TEST_P(ClockOverTls, AtTheStartItMakesCertificatesInvalidWhichIsSaidUntilItIsRight) {
    for (const auto& [offset, says] :
         {std::pair{"+4000d", " expired on "}, std::pair{"-4000d", " is not valid before "}}) {
        set_clock(offset);
        const auto before = registers();
        auto& run = start_with_clock();
        ASSERT_TRUE(run_until([&] { return run.said(says) || run.ended(); }, 5s)) << story(run);
        ASSERT_TRUE(run_until([&] { return run.said("waiting") || run.ended(); }, 10s))
            << story(run);
        EXPECT_EQ(registers(), before) << "nothing is said to a server that has not proven itself";
        EXPECT_TRUE(bindings().empty());
        set_clock("+0");
        run.signal(SIGHUP);  // registers now, and not when its wait is over (S1)
        ASSERT_TRUE(run_until_registered(run, 5s)) << offset << story(run);
        ASSERT_TRUE(leave(run)) << story(run);
    }
}
INSTANTIATE_TEST_SUITE_P(Of, ClockOverTls, testing::Values(Transport::tls), name_of_transport);

using Stopped = OverTransport;

// K5: whoever was not running when a refresh was due REGISTERs first, at once.
TEST_P(Stopped, ForLongerThanTheRegistrationItRegistersAtOnce) {
    auto& run = start(scratch.path() / "state", {}, short_grant());
    ASSERT_TRUE(run_until_registered(run)) << story(run);
    run.signal(SIGSTOP);
    ASSERT_TRUE(run_until([&] { return bindings().empty(); }, 12s)) << "the registration ends";
    const auto before = world->cluster().registers();
    run.signal(SIGCONT);
    EXPECT_TRUE(run_until([&] { return bindings().size() == 1; }, 10s)) << story(run);
    EXPECT_LE(world->cluster().registers(), before + 2) << "and no storm: " << story(run);
    ASSERT_TRUE(leave(run)) << story(run);
    EXPECT_EQ(run.exit_code(), 0) << story(run);
}
INSTANTIATE_TEST_SUITE_P(Each, Stopped, each_transport, name_of_transport);

}  // namespace
}  // namespace holdfast::faults
