// A started program never holds us up, and nothing of it outlives its time.
#include "runtime/child.h"

#include <gmock/gmock.h>
#include <unistd.h>
#include <csignal>

#include <cerrno>
#include <fstream>
#include <iterator>

#include "runtime/clock.h"
#include "runtime/test_support.h"

namespace holdfast::runtime {
namespace {

using namespace std::chrono_literals;
using test::limit;
using testing::HasSubstr;

struct Finished {
    std::optional<ChildEnd> end;
    Child::Ended told() {
        return [this](const ChildEnd& how) { end = how; };
    }
};

ChildPlan shell(const std::string& script) {
    return {.command = {"/bin/sh", "-c", script}, .environment = {"PATH=/usr/bin:/bin"}};
}

std::string content_of(const std::filesystem::path& file) {
    std::ifstream stream{file};
    return {std::istreambuf_iterator<char>{stream}, {}};
}

ChildEnd end_of(ChildPlan plan) {
    Loop loop;
    Finished finished;
    const auto child = Child::start(loop, std::move(plan), finished.told());
    EXPECT_TRUE(child.has_value());
    EXPECT_TRUE(loop.run_until([&] { return finished.end.has_value(); }, limit));
    return finished.end.value_or(ChildEnd{.code = -1});
}

bool is_alive(pid_t pid) { return ::kill(pid, 0) == 0; }

TEST(Child, InputIsThereAsAFileAndThroughDevStdin) {
    const test::TemporaryDirectory scratch;
    auto plan = shell("cat /dev/stdin > \"$0\"; cat /dev/fd/3 >> \"$0\"");
    plan.command.push_back(scratch.path() / "out");
    plan.input = std::string(300'000, 'a');  // more than a pipe holds
    plan.extra = "second";
    EXPECT_TRUE(end_of(std::move(plan)).went_well());
    EXPECT_EQ(content_of(scratch.path() / "out"), std::string(300'000, 'a') + "second");
}

TEST(Child, EnvironmentIsWhatWasGivenAndNothingElse) {
    const test::TemporaryDirectory scratch;
    ChildPlan plan{.command = {"/usr/bin/env"}, .environment = {"ONE=1", "TWO=2"}};
    ::setenv("HOLDFAST_PASSWORD", "wonderland", 1);
    plan.command = {"/bin/sh", "-c", "/usr/bin/env > \"$0\"", scratch.path() / "out"};
    EXPECT_TRUE(end_of(std::move(plan)).went_well());
    ::unsetenv("HOLDFAST_PASSWORD");
    const auto seen = content_of(scratch.path() / "out");
    EXPECT_THAT(seen, HasSubstr("ONE=1\n"));
    EXPECT_THAT(seen, HasSubstr("TWO=2\n"));
    EXPECT_THAT(seen, Not(HasSubstr("wonderland")));
}

TEST(Child, NoDescriptorOfOursIsInherited) {
    Loop loop;
    const Descriptor leaked{::dup(STDERR_FILENO)};  // not close-on-exec
    const auto end =
        end_of(shell("for f in /proc/self/fd/*; do echo ${f##*/}; done | sort -n | "
                     "awk '$1 == " +
                     std::to_string(leaked.get()) + "' >&2"));
    EXPECT_EQ(end.error_output, "");
}

TEST(Child, ExitCodeSignalAndStandardErrorAreTold) {
    const auto failed = end_of(shell("echo no such user >&2; exit 3"));
    EXPECT_FALSE(failed.went_well());
    EXPECT_EQ(failed.in_words(), "exit code 3: no such user");
    EXPECT_EQ(end_of(shell("kill -SEGV $$")).in_words(), "killed by signal 11 (SIGSEGV)");
}

// 500 octets are kept; the rest is read all the same, so that the program can end.
TEST(Child, AFloodOfErrorsIsReadAndCut) {
    const auto end = end_of(shell("head -c 500000 /dev/zero | tr '\\0' x >&2; exit 1"));
    EXPECT_EQ(end.error_output, std::string(error_output_most, 'x'));
    EXPECT_EQ(end_of(shell("printf '\\033[31mred\\n' >&2; exit 1")).in_words(),
              "exit code 1:  [31mred");
}

// It is asked first, then killed, and what it started in its group with it.
TEST(Child, TimeoutEndsTheWholeGroup) {
    const test::TemporaryDirectory scratch;
    const auto file = scratch.path() / "pids";
    auto plan = shell("trap '' TERM; sleep 100 & echo $! $$ > \"$0\"; while :; do sleep 100; done");
    plan.command.push_back(file);
    plan.timeout = 2s;  // a busy host's shell is slow to begin
    const auto before = boot_time();
    const auto end = end_of(std::move(plan));
    EXPECT_EQ(end.how, ChildEnd::How::timed_out);
    EXPECT_GE(boot_time() - before, 2s + child_grace);
    std::istringstream pids{content_of(file)};
    pid_t background = 0, leader = 0;
    ASSERT_TRUE(pids >> background >> leader);
    EXPECT_FALSE(is_alive(leader));
    Loop loop;  // whoever inherits the orphan reaps it soon
    EXPECT_TRUE(loop.run_until(
        [&] {
            loop.post([] {});
            std::string state;
            std::ifstream stat{"/proc/" + std::to_string(background) + "/stat"};
            stat >> state >> state >> state;
            return state.empty() || state == "Z";
        },
        limit));
}

TEST(Child, SigtermIsEnoughForWhoHeedsIt) {
    auto plan = shell("trap 'echo bye >&2; exit 0' TERM; while :; do sleep 0.01; done");
    plan.timeout = 2s;  // a busy host's shell is slow to begin
    const auto end = end_of(std::move(plan));
    EXPECT_EQ(end.how, ChildEnd::How::timed_out);
    EXPECT_THAT(end.error_output, testing::EndsWith("bye\n"));  // the shell may tell of its sleep
}

// What a script leaves in the background keeps its standard error open: we do not wait for it.
TEST(Child, ABackgroundProcessDoesNotDelayTheEnd) {
    const test::TemporaryDirectory scratch;
    auto plan = shell("sleep 100 & echo $! > \"$0\"; echo started >&2");
    plan.command.push_back(scratch.path() / "pid");
    const auto before = boot_time();
    const auto end = end_of(std::move(plan));
    EXPECT_TRUE(end.went_well());
    EXPECT_EQ(end.error_output, "started\n");
    EXPECT_LT(boot_time() - before, limit);
    const auto pid = std::atoi(content_of(scratch.path() / "pid").c_str());
    ASSERT_GT(pid, 1);
    ::kill(pid, SIGKILL);
}

TEST(Child, DestroyedItIsGone) {
    const test::TemporaryDirectory scratch;
    Loop loop;
    Finished finished;
    auto plan = shell("echo $$ > \"$0\"; exec sleep 100");
    plan.command.push_back(scratch.path() / "pid");
    auto child = Child::start(loop, std::move(plan), finished.told());
    ASSERT_TRUE(child.has_value());
    ASSERT_TRUE(loop.run_until(
        [&] {
            loop.post([] {});
            return !content_of(scratch.path() / "pid").empty();
        },
        limit));
    const auto pid = std::atoi(content_of(scratch.path() / "pid").c_str());
    child->reset();
    EXPECT_FALSE(is_alive(pid));
    EXPECT_FALSE(finished.end.has_value());
}

TEST(Child, WhatCannotBeStartedIsAnError) {
    const test::TemporaryDirectory scratch;
    Loop loop;
    const auto error_of = [&](const std::string& program) {
        const auto child = Child::start(loop, {.command = {program}}, [](const ChildEnd&) {});
        return child ? 0 : child.error();
    };
    EXPECT_EQ(error_of(scratch.path() / "missing"), ENOENT);
    EXPECT_EQ(error_of(""), ENOENT);
    std::ofstream{scratch.path() / "plain"} << "no program";
    EXPECT_EQ(error_of(scratch.path() / "plain"), EACCES);
    EXPECT_EQ(path_of_command((scratch.path() / "plain").string()), "");
    EXPECT_EQ(path_of_command("/bin/sh"), "/bin/sh");
    EXPECT_NE(path_of_command("sh"), "");
    EXPECT_EQ(path_of_command("no-such-program-anywhere"), "");
}

}  // namespace
}  // namespace holdfast::runtime
