#include "apps/cli/lab_crash.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <csignal>
#include <cstdint>
#include <thread>

namespace holdfast::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr auto named_crash = "holdfast: I8: the crash is of: holdfast lab swarm --seed 17\n";

[[noreturn]] void end_otherwise() { std::_Exit(99); }  // of a crash that was none

TEST(NamedCrash, EachSignalIsNamed) {
    const auto crash = [](int number) {
        name_crashes();
        const AtWork work("holdfast lab swarm --seed 17");
        std::raise(number);
        end_otherwise();
    };
    for (const int number : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL})
        EXPECT_DEATH(crash(number), HasSubstr(named_crash)) << number;
}

TEST(NamedCrash, BadAddressIsNamedAndEndsTheProcess) {
    const auto crash = [] {
        name_crashes();
        const AtWork work("holdfast lab swarm --seed 17");
        *reinterpret_cast<volatile int*>(std::uintptr_t{4096}) = 1;
        end_otherwise();
    };
    // By the signal, or with the sanitizer's report.
    const auto is_crash = [](int status) {
        return !WIFEXITED(status) || WEXITSTATUS(status) != 99;
    };
    EXPECT_EXIT(crash(), is_crash, HasSubstr(named_crash));
}

// Each step has an array of its own on the stack.
int deeper(const volatile int* above, int left) {
    volatile int own[1024];
    own[0] = *above + 1;
    return left == 0 ? own[0] : deeper(own, left - 1) + own[0];
}

TEST(NamedCrash, StackThatIsUsedUpIsNamed) {
    const auto crash = [] {
        name_crashes();
        std::thread([] {
            const AtWork work("holdfast lab swarm --seed 17");
            volatile int zero = 0;
            deeper(&zero, 1 << 30);
            end_otherwise();
        }).join();
    };
    EXPECT_DEATH(crash(), HasSubstr(named_crash));
}

TEST(NamedCrash, OuterWorkIsNamedWhenTheInnerIsOver) {
    const auto crash = [] {
        name_crashes();
        const AtWork work("holdfast lab swarm --seed 17");
        {
            const AtWork inner("holdfast lab swarm --seed 18");
        }
        std::raise(SIGFPE);
    };
    EXPECT_DEATH(crash(), HasSubstr(named_crash));
}

TEST(NamedCrash, WhoIsAtNothingIsNotNamed) {
    const auto crash = [] {
        name_crashes();
        {
            const AtWork work("holdfast lab swarm --seed 17");
        }
        std::raise(SIGSEGV);
    };
    EXPECT_DEATH(crash(), Not(HasSubstr("I8")));
}

}  // namespace
}  // namespace holdfast::cli
