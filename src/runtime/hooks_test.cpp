// Hooks with real programs: told in order, bounded in all they cost, and never waited for.
#include "runtime/hooks.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>
#include <sstream>

#include "runtime/child.h"
#include "runtime/clock.h"
#include "runtime/test_support.h"

namespace holdfast::runtime {
namespace {

using namespace std::chrono_literals;
using test::limit;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::string_view alice = "sip:alice@example.test";

std::string content_of(const std::filesystem::path& file) {
    std::ifstream stream{file};
    return {std::istreambuf_iterator<char>{stream}, {}};
}

std::vector<std::string> lines_of(const std::string& text) {
    std::istringstream stream{text};
    std::vector<std::string> lines;
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
}

class HooksTest : public testing::Test {
protected:
    // A script of its own; $OUT is where it may write.
    std::string script(const std::string& name, const std::string& body) {
        const auto path = scratch.path() / name;
        std::ofstream{path} << "#!/bin/sh\nOUT=" << (scratch.path() / "out").string() << "\n"
                            << body << "\n";
        ::chmod(path.c_str(), 0700);
        return path;
    }
    [[nodiscard]] std::string out() const { return content_of(scratch.path() / "out"); }

    void start(std::vector<Hook> list) {
        hooks.emplace(loop, std::move(list),
                      [this](std::string sentence) { notices.push_back(std::move(sentence)); });
    }
    void tell(EventKind kind, std::string reason = {}, std::string_view account = alice) {
        auto event = test::event_of(kind);
        event.reason = std::move(reason);
        hooks->on_event({.since_start = 1500ms, .unixtime = 1'800'000'000}, event, account);
    }
    void close(Duration at_most = limit) {
        bool closed = false;
        hooks->close(at_most, [&] { closed = true; });
        ASSERT_TRUE(loop.run_until([&] { return closed; }, at_most + limit));
    }

    test::TemporaryDirectory scratch;
    Loop loop;
    std::vector<std::string> notices;
    std::optional<Hooks> hooks;
};

TEST_F(HooksTest, ACommandGetsTheEventOnStandardInputAndInItsEnvironment) {
    start({{.command = {
                script("hook", "cat > $OUT; env | grep ^HOLDFAST_ | sort >> $OUT; echo $1 >> $OUT"),
                "two words"}}});
    auto event = test::event_of(EventKind::moved);
    event.target = Target::parse("udp:203.0.113.12:5060");
    event.from = Target::parse("udp:203.0.113.11:5060");
    event.mapping = Endpoint::parse("198.51.100.7:13450");
    event.contact = "sip:alice@198.51.100.7:13450";
    event.status = 200;
    event.reason = "first\nsecond";
    event.call = CallRef{7};
    hooks->on_event({.since_start = 1500ms, .unixtime = 1'800'000'000}, event, alice);
    close();
    EXPECT_THAT(
        lines_of(out()),
        ElementsAre(
            R"({"t":1.5,"time":1800000000,"event":"moved","account":"sip:alice@example.test",)"
            R"("call":7,"target":"udp:203.0.113.12:5060","from":"udp:203.0.113.11:5060",)"
            R"("mapping":"198.51.100.7:13450","contact":"sip:alice@198.51.100.7:13450",)"
            R"("status":200,"reason":"first\nsecond"})",
            "HOLDFAST_ACCOUNT=sip:alice@example.test", "HOLDFAST_CALL=7",
            "HOLDFAST_CONTACT=sip:alice@198.51.100.7:13450", "HOLDFAST_EVENT=moved",
            "HOLDFAST_FROM=udp:203.0.113.11:5060", "HOLDFAST_MAPPING=198.51.100.7:13450",
            "HOLDFAST_REASON=first second", "HOLDFAST_STATUS=200",
            "HOLDFAST_TARGET=udp:203.0.113.12:5060", "HOLDFAST_TIME=1800000000", "two words"));
    EXPECT_THAT(notices, IsEmpty());
    EXPECT_EQ(hooks->counts().run, 1u);
}

// A password in our own environment stays there.
TEST_F(HooksTest, NothingElseOfOurEnvironmentGoesToAHook) {
    ::setenv("HOLDFAST_PASSWORD", "wonderland", 1);
    ::setenv("TZ", "UTC", 1);
    start({{.command = {script("hook", "tr '\\0' '\\n' < /proc/self/environ > $OUT")}}});
    tell(EventKind::waiting);
    close();
    ::unsetenv("HOLDFAST_PASSWORD");
    ::unsetenv("TZ");
    EXPECT_THAT(out(), HasSubstr("TZ=UTC\n"));
    EXPECT_THAT(out(), HasSubstr("PATH="));
    for (const auto& line : lines_of(out()))
        EXPECT_THAT(line.substr(0, line.find('=')),
                    testing::AnyOf("PATH", "HOME", "LANG", "TZ", "PWD", "SHLVL", "_",
                                   "HOLDFAST_EVENT", "HOLDFAST_ACCOUNT", "HOLDFAST_TIME"));
}

// A server's words of any length leave room for the rest.
TEST_F(HooksTest, AVariableIsCut) {
    start({{.command = {script("hook", "printf %s \"$HOLDFAST_REASON\" | wc -c > $OUT")}}});
    tell(EventKind::notice, std::string(300'000, 'x'));
    close();
    EXPECT_EQ(std::stoul(out()), hook_variable_most);
    EXPECT_THAT(notices, IsEmpty());
}

TEST_F(HooksTest, OnlyTheEventsThatAreWanted) {
    start({{.events = {EventKind::moved, EventKind::waiting},
            .command = {script("hook", "echo $HOLDFAST_EVENT >> $OUT")}}});
    for (const auto kind : {EventKind::registered, EventKind::moved, EventKind::refreshed,
                            EventKind::waiting, EventKind::stopped})
        tell(kind);
    close();
    EXPECT_THAT(lines_of(out()), ElementsAre("moved", "waiting"));
}

// The first takes longest, and yet comes first: the next is started when the one before has ended.
TEST_F(HooksTest, OrderIsKeptWithinAHook) {
    start({{.command = {script("hook",
                               "[ $HOLDFAST_REASON = 0 ] && sleep 0.2\n"
                               "echo $HOLDFAST_REASON >> $OUT")}}});
    std::vector<std::string> expected;
    for (int i = 0; i < 20; ++i) {
        tell(EventKind::notice, std::to_string(i));
        expected.push_back(std::to_string(i));
    }
    close();
    EXPECT_EQ(lines_of(out()), expected);
}

// A hook that sleeps keeps neither the loop nor another hook waiting.
TEST_F(HooksTest, HundredsOfEventsWhileAHookSleepsNeverBlockTheLoop) {
    start({{.command = {script("sleeper", "exec sleep 60")}, .timeout = 30s},
           {.events = {EventKind::moved}, .command = {script("quick", "echo moved >> $OUT")}}});
    auto longest = Duration{0};
    for (int i = 0; i < 500; ++i) {
        const auto before = boot_time();
        tell(EventKind::refreshed);
        longest = std::max(longest, boot_time() - before);
    }
    tell(EventKind::moved);
    EXPECT_TRUE(loop.run_until([&] { return !out().empty(); }, limit));
    EXPECT_LT(longest, 1s);
    EXPECT_EQ(hooks->counts().run, 2u);
    close(50ms);
    EXPECT_EQ(hooks->counts().dropped, 500u);  // 499 of the sleeper, and its `moved`
    EXPECT_EQ(hooks->counts().failed, 1u);     // killed at the end
}

TEST_F(HooksTest, AHookThatNeverReadsItsInputIsNoTrouble) {
    start({{.command = {script("hook", "echo done >> $OUT")}}});
    for (int i = 0; i < 5; ++i) tell(EventKind::notice, std::string(200'000, 'x'));
    close();
    EXPECT_THAT(lines_of(out()), SizeIs(5));
    EXPECT_EQ(hooks->counts().failed, 0u);
}

TEST_F(HooksTest, ATimeoutKillsAndIsTold) {
    start({{.command = {script("hook", "echo half way >&2; exec sleep 60")}, .timeout = 2s}});
    tell(EventKind::moved);
    ASSERT_TRUE(loop.run_until([&] { return !notices.empty(); }, limit));
    EXPECT_EQ(notices.front(), "The hook " + (scratch.path() / "hook").string() +
                                   " failed at `moved` of sip:alice@example.test: killed, for its "
                                   "time was over: half way.");
    EXPECT_EQ(hooks->counts().failed, 1u);
}

// The first failure is told at once, those that follow within a minute together.
TEST_F(HooksTest, AFailingCommandIsToldOnceAndThenCounted) {
    start({{.command = {script("hook", "echo no such user >&2; exit 3")}}});
    for (int i = 0; i < 12; ++i) tell(EventKind::registered);
    ASSERT_TRUE(loop.run_until([&] { return hooks->counts().failed == 12; }, limit));
    ASSERT_THAT(notices, SizeIs(1));
    EXPECT_THAT(notices[0], HasSubstr("exit code 3: no such user"));
    close();
    ASSERT_THAT(notices, SizeIs(2));
    EXPECT_THAT(notices[1], HasSubstr("It is the latest of 11 such troubles."));
}

TEST_F(HooksTest, ACommandThatHasGoneIsTold) {
    const auto gone = (scratch.path() / "gone").string();
    start({{.command = {gone}}});
    for (int i = 0; i < 100; ++i) tell(EventKind::stopped, "", "");
    EXPECT_THAT(notices, IsEmpty());  // never inside on_event: a notice may be an event too
    close();
    ASSERT_THAT(notices, SizeIs(2));
    EXPECT_EQ(notices[0], "The hook " + gone +
                              " could not be started at `stopped`: No such file or directory.");
    EXPECT_EQ(hooks->counts().failed, 100u);
}

// At most 1,000 events wait for a hook; the newest are kept, and what is left out is told once.
TEST_F(HooksTest, AFloodIsBounded) {
    start({{.command = {script("hook",
                               "[ $HOLDFAST_REASON = 0 ] && exec sleep 0.3\n"
                               "echo $HOLDFAST_REASON >> $OUT; exit 0")}}});
    tell(EventKind::notice, "0");
    ASSERT_TRUE(loop.run_until([&] { return hooks->counts().run == 1; }, limit));
    for (std::size_t i = 1; i <= hook_queue_most; ++i) tell(EventKind::notice, std::to_string(i));
    EXPECT_EQ(hooks->counts().dropped, 0u);  // at the limit
    tell(EventKind::notice, "one more");
    EXPECT_EQ(hooks->counts().dropped, 1u);  // and one past it
    for (int i = 0; i < 10'000; ++i) tell(EventKind::notice, "flood");
    tell(EventKind::notice, "newest");
    EXPECT_EQ(hooks->counts().dropped, 10'002u);
    ASSERT_TRUE(loop.run_until([&] { return !out().empty(); }, limit));
    EXPECT_EQ(lines_of(out()).front(), "flood");  // the oldest were left out
    close(0s);
    EXPECT_EQ(hooks->counts().run + hooks->counts().dropped, 1u + 1000u + 1u + 10'000u + 1u);
    ASSERT_FALSE(notices.empty());
    EXPECT_THAT(notices[0], HasSubstr("is too slow: an event was left out"));
    EXPECT_THAT(notices[0], HasSubstr("the latest of 10002 such troubles"));
    EXPECT_LE(notices.size(), 3u);
}

TEST_F(HooksTest, AtMostEightRunAtOnce) {
    const auto hook = script("hook", "echo start >> $OUT; exec sleep 60");
    start(std::vector<Hook>(hooks_at_once + 2, Hook{.command = {hook}, .timeout = 30s}));
    tell(EventKind::moved);
    const auto all_run = [&] {
        loop.post([] {});  // that a script has written is no event of ours
        return lines_of(out()).size() == hooks_at_once;
    };
    ASSERT_TRUE(loop.run_until(all_run, limit));
    EXPECT_FALSE(loop.run_until([&] { return hooks->counts().run > hooks_at_once; }, 200ms));
}

TEST_F(HooksTest, ClosingTellsTheRestWithinItsTime) {
    start({{.command = {script("hook", "echo $HOLDFAST_REASON >> $OUT")}}});
    for (int i = 0; i < 10; ++i) tell(EventKind::notice, std::to_string(i));
    close();
    EXPECT_THAT(lines_of(out()), SizeIs(10));
    tell(EventKind::notice, "too late");
    EXPECT_EQ(hooks->counts().dropped, 1u);
}

TEST_F(HooksTest, ClosingWithNothingToTellIsImmediate) {
    start({});
    tell(EventKind::moved);
    const auto before = boot_time();
    close(60s);
    EXPECT_LT(boot_time() - before, limit);
}

TEST(HookProblems, AreToldAtTheStart) {
    const test::TemporaryDirectory scratch;
    EXPECT_EQ(problem_of({.command = {"sh", "-c", "true"}}), "");
    EXPECT_EQ(problem_of({.url = "https://hooks.example.test/in?key=x"}), "");
    EXPECT_THAT(problem_of({}), HasSubstr("neither"));
    EXPECT_THAT(problem_of({.command = {"sh"}, .url = "http://a"}), HasSubstr("both"));
    EXPECT_THAT(problem_of({.command = {"sh"}, .timeout = 0s}), HasSubstr("timeout"));
    EXPECT_THAT(problem_of({.command = {"no-such-program-anywhere"}}),
                HasSubstr("no-such-program-anywhere is not there"));
    EXPECT_THAT(problem_of({.command = {(scratch.path() / "missing").string()}}),
                HasSubstr("is not there or may not be executed"));
    for (const auto* url : {"ftp://example.test/", "file:///etc/passwd", "example.test", "http://",
                            "http:///path", "-o /etc/x"})
        EXPECT_THAT(problem_of({.url = url}), HasSubstr("http:// or https://")) << url;
    for (const auto* url :
         {"http://a/\"\noutput=\"x", "http://a/b c", "http://a/\\x", "http://a/ü"})
        EXPECT_THAT(problem_of({.url = url}), HasSubstr("%XX")) << url;
}

TEST(HookProblems, WebhooksNeedCurl) {
    const std::string before = std::getenv("PATH");
    ::setenv("PATH", "/nowhere", 1);
    EXPECT_THAT(problem_of({.url = "http://127.0.0.1/"}), HasSubstr("install the package curl"));
    ::setenv("PATH", before.c_str(), 1);
}

// What may be secret in a URL is not told.
TEST(HookNames, AUrlIsItsHostAlone) {
    EXPECT_EQ(name_of(Hook{.url = "https://user:pass@hooks.example.test:8443/services/T0/key?a=b"}),
              "https://hooks.example.test:8443");
    EXPECT_EQ(name_of(Hook{.command = {"/usr/bin/x", "secret"}}), "/usr/bin/x");
}

}  // namespace
}  // namespace holdfast::runtime
