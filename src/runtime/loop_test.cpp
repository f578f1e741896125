// The loop: timers on CLOCK_BOOTTIME in their order, watches that may go in their own callback,
// signals as calls.
#include "runtime/loop.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <string>

#include "runtime/clock.h"
#include "runtime/descriptor.h"
#include "runtime/test_support.h"

namespace holdfast::runtime {
namespace {

using namespace test;

TEST(Loop, TimersFireInOrderOfTheirInstants) {
    Loop loop;
    std::string order;
    Timer late{loop, [&] { order += 'c'; }};
    Timer early{loop, [&] { order += 'a'; }};
    Timer middle{loop, [&] { order += 'b'; }};
    const auto now = boot_time();
    late.arm(now + 3ms);
    early.arm(now + 1ms);
    middle.arm(now + 2ms);
    EXPECT_TRUE(loop.run_until([&] { return order.size() == 3; }, limit));
    EXPECT_EQ(order, "abc");
}

TEST(Loop, TimerArmedAgainForgetsTheEarlierInstant) {
    Loop loop;
    int fired = 0;
    Timer timer{loop, [&] { ++fired; }};
    timer.arm(boot_time() + 1h);
    timer.arm(boot_time() + 1ms);
    EXPECT_TRUE(loop.run_until([&] { return fired > 0; }, limit));
    timer.arm(boot_time() + 1ms);
    timer.stop();
    EXPECT_FALSE(loop.run_until([&] { return fired > 1; }, 20ms));
}

TEST(Loop, InstantInThePastIsDueAtOnce) {
    Loop loop;
    bool fired = false;
    Timer timer{loop, [&] { fired = true; }};
    timer.arm(Instant{});
    EXPECT_TRUE(loop.run_until([&] { return fired; }, limit));
}

TEST(Loop, CallbackMayDestroyItsTimerAndArmOthers) {
    Loop loop;
    bool second_fired = false;
    Timer second{loop, [&] { second_fired = true; }};
    std::unique_ptr<Timer> first;
    first = std::make_unique<Timer>(loop, [&] {
        second.arm(boot_time());
        first.reset();
    });
    first->arm(boot_time());
    EXPECT_TRUE(loop.run_until([&] { return second_fired; }, limit));
}

TEST(Loop, WatchMayBeDestroyedInItsCallback) {
    Loop loop;
    std::array<int, 2> pair{};
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair.data()), 0);
    Descriptor ours{pair[0]};
    const Descriptor theirs{pair[1]};
    std::unique_ptr<Watch> watch;
    bool called = false;
    watch = std::make_unique<Watch>(loop, ours.get(), [&](Ready ready) {
        called = ready.readable;
        watch.reset();
        ours.close();
    });
    ASSERT_EQ(write(theirs.get(), "x", 1), 1);
    EXPECT_TRUE(loop.run_until([&] { return called; }, limit));
}

// What is there to be read is said again until it has been read, although epoll is told of edges
// only.
TEST(Loop, ReadinessIsRepeatedWhileThereIsSomethingToRead) {
    Loop loop;
    std::array<int, 2> pair{};
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair.data()), 0);
    const Descriptor ours{pair[0]};
    const Descriptor theirs{pair[1]};
    std::string text;
    const Watch watch{loop, ours.get(), [&](Ready) {
                          char letter = 0;
                          if (read(ours.get(), &letter, 1) == 1) text += letter;
                      }};
    ASSERT_EQ(write(theirs.get(), "abc", 3), 3);
    EXPECT_TRUE(loop.run_until([&] { return text == "abc"; }, limit)) << text;
}

TEST(Loop, SignalsBecomeCalls) {
    Loop loop;
    std::vector<int> seen;
    loop.on_signals(std::array{SIGUSR1, SIGUSR2}, [&](int number) { seen.push_back(number); });
    ASSERT_EQ(kill(getpid(), SIGUSR2), 0);
    EXPECT_TRUE(loop.run_until([&] { return seen == std::vector{SIGUSR2}; }, limit));
    ASSERT_EQ(kill(getpid(), SIGUSR1), 0);
    EXPECT_TRUE(loop.run_until([&] { return seen.size() == 2; }, limit));
}

// A program that has told its end ends as it says, though a signal comes in the last moment.
TEST(Loop, ASignalAfterItDoesNothing) {
    {
        Loop loop;
        loop.on_signals(std::array{SIGUSR1, SIGUSR2}, [](int) {});
    }
    ASSERT_EQ(kill(getpid(), SIGUSR1), 0);
    ASSERT_EQ(kill(getpid(), SIGUSR2), 0);
    for (const int number : {SIGUSR1, SIGUSR2}) std::signal(number, SIG_DFL);
}

TEST(Loop, PostedWorkRunsAndStopEndsTheRun) {
    Loop loop;
    bool ran = false;
    loop.post([&] {
        ran = true;
        loop.stop();
    });
    loop.run();
    EXPECT_TRUE(ran);
}

TEST(Clock, EntropyIsNotTheSameTwice) { EXPECT_NE(entropy(), entropy()); }

TEST(Clock, BootTimeDoesNotGoBack) {
    const auto earlier = boot_time();
    EXPECT_GE(boot_time(), earlier);
    EXPECT_GE(time_asleep(), Duration{});
}

}  // namespace
}  // namespace holdfast::runtime
