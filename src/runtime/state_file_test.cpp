// What a phone must not forget is on the disk when commit() returns (B3); one process per
// directory; a damaged file is set aside, not fatal.
#include "runtime/state_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <set>

#include "runtime/test_support.h"

namespace holdfast::runtime {
namespace {

using namespace test;
using testing::HasSubstr;

class StateFileTest : public testing::Test {
protected:
    [[nodiscard]] std::filesystem::path directory() const { return temporary.path() / "state"; }
    [[nodiscard]] StateFile open() const {
        auto state = StateFile::open(directory());
        CHECK(state);
        return *std::move(state);
    }
    static mode_t mode_of(const std::filesystem::path& path) {
        struct stat status{};
        CHECK(::stat(path.c_str(), &status) == 0);
        return status.st_mode & 0777U;
    }
    TemporaryDirectory temporary;
};

TEST_F(StateFileTest, RemembersAcrossRestarts) {
    const std::string binary{"\0\xff value", 8};
    {
        auto state = open();
        EXPECT_TRUE(state.contents().empty());
        ASSERT_TRUE(state.commit({{"a", "1"}, {"b", binary}, {"c", "3"}}));
        ASSERT_TRUE(state.commit({{"a", "2"}, {"c", ""}}));
    }
    EXPECT_EQ(open().contents(), (State{{"a", "2"}, {"b", binary}}));
}

TEST_F(StateFileTest, LaterStoreOfTheSameKeyWins) {
    auto state = open();
    ASSERT_TRUE(state.commit({{"a", "1"}, {"a", ""}, {"a", "3"}}));
    EXPECT_EQ(StateFile::peek(directory())->at("a"), "3");
}

TEST_F(StateFileTest, IsTheUsersAlone) {
    const auto state = open();
    EXPECT_EQ(mode_of(directory()), 0700U);
    EXPECT_EQ(mode_of(directory() / "state.db"), 0600U);
    EXPECT_EQ(mode_of(directory() / "lock"), 0600U);
}

TEST_F(StateFileTest, SecondOwnerIsRefusedAndToldWhoTheFirstIs) {  // B3
    const auto first = open();
    const auto second = StateFile::open(directory());
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().kind, FailureKind::state_in_use);
    EXPECT_THAT(second.error().sentence, HasSubstr("process " + std::to_string(::getpid())));
    EXPECT_THAT(second.error().sentence, HasSubstr(directory().string()));
    EXPECT_THAT(second.error().sentence, HasSubstr("--state"));
}

TEST_F(StateFileTest, LockGoesWithItsOwner) {
    {
        const auto first = open();
    }
    EXPECT_TRUE(StateFile::open(directory()));
}

TEST_F(StateFileTest, PeekSeesWhatIsCommittedWhileAPhoneRuns) {
    auto running = open();
    ASSERT_TRUE(running.commit({{"instance", "urn:uuid:1"}}));
    const auto seen = StateFile::peek(directory());
    ASSERT_TRUE(seen) << seen.error().sentence;
    EXPECT_EQ(seen->at("instance"), "urn:uuid:1");
}

TEST_F(StateFileTest, PeekIntoNothingIsEmpty) {
    const auto seen = StateFile::peek(directory());
    ASSERT_TRUE(seen);
    EXPECT_TRUE(seen->empty());
    EXPECT_FALSE(std::filesystem::exists(directory()));
}

// A process that is killed has lost nothing that it committed (B3).
TEST_F(StateFileTest, CommittedIsDurableWhenTheProcessIsKilled) {
    const auto child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        auto state = StateFile::open(directory());
        const bool done = state && state->commit({{"cseq", "64"}, {"call-id", "x"}});
        ::kill(done ? ::getpid() : 0, SIGKILL);
        ::_exit(1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
    EXPECT_EQ(open().contents(), (State{{"call-id", "x"}, {"cseq", "64"}}));
}

TEST_F(StateFileTest, DamagedFileIsSetAsideAndAFreshOneBegun) {
    {
        auto state = open();
        ASSERT_TRUE(state.commit({{"a", "1"}}));
    }
    std::ofstream{directory() / "state.db", std::ios::trunc} << std::string(8192, 'x');
    auto state = open();
    EXPECT_TRUE(state.contents().empty());
    EXPECT_THAT(state.take_notice(), HasSubstr("damaged"));
    EXPECT_TRUE(state.commit({{"a", "2"}}));
    const auto is_kept = [](const auto& entry) {
        return entry.path().filename().string().starts_with("state.db.damaged-");
    };
    EXPECT_TRUE(std::ranges::any_of(std::filesystem::directory_iterator{directory()}, is_kept));
}

// Two damages in one second, or a clock that was set back: what was kept is not overwritten.
TEST_F(StateFileTest, EveryDamagedFileIsKept) {
    for (const char mark : {'x', 'y'}) {
        {
            const auto state = open();
        }
        std::ofstream{directory() / "state.db", std::ios::trunc} << std::string(8192, mark);
        EXPECT_THAT(open().take_notice(), HasSubstr("damaged"));
    }
    std::set<char> kept;
    for (const auto& entry : std::filesystem::directory_iterator{directory()})
        if (entry.path().filename().string().starts_with("state.db.damaged-") &&
            entry.file_size() == 8192)
            kept.insert(static_cast<char>(std::ifstream{entry.path()}.get()));
    EXPECT_EQ(kept, (std::set{'x', 'y'}));
}

// B3: damage that shows while the phone runs costs nothing: all of it is still in memory. The state
// is larger than SQLite's cache (256 KiB), so that it must read the file again.
TEST_F(StateFileTest, DamageWhileRunningLosesNothing) {
    State expected;
    {
        auto state = open();
        std::vector<out::Store> stores;
        for (int i = 0; i < 1000; ++i)
            stores.push_back({"key" + std::to_string(1000 + i), std::string(1000, 'v')});
        ASSERT_TRUE(
            state.commit(stores));  // more than 200 pages: it is in the file, not in the log
        ASSERT_TRUE(state.commit({{"key1000", "new"}}));
        for (const auto& [key, value] : stores) expected[key] = value;
        expected["key1000"] = "new";
        for (const auto* file : {"state.db", "state.db-wal"}) {
            std::fstream damaged{directory() / file, std::ios::in | std::ios::out};
            for (int page = 1; page < 260; ++page) {
                damaged.seekp(4096 * page);
                damaged << std::string(4096, 'x');
            }
        }
        for (int i = 0; i < 1000; i += 10) {
            const auto key = "key" + std::to_string(1000 + i);
            const auto committed = state.commit({{key, "again"}});
            ASSERT_TRUE(committed) << committed.error().sentence;
            expected[key] = "again";
        }
        const auto notice = state.take_notice();
        EXPECT_THAT(notice, HasSubstr("nothing of it is lost"));
        EXPECT_EQ(state.take_notice(), "") << "it is said once";
        EXPECT_EQ(state.contents(), expected);
    }
    EXPECT_EQ(open().contents(), expected);
}

TEST_F(StateFileTest, DirectoryThatCannotBeMadeIsASentence) {
    std::ofstream{temporary.path() / "file"} << "x";
    const auto state = StateFile::open(temporary.path() / "file" / "state");
    ASSERT_FALSE(state);
    EXPECT_EQ(state.error().kind, FailureKind::state_unusable);
    EXPECT_THAT(state.error().sentence, HasSubstr("--state"));
}

TEST_F(StateFileTest, FullDiskIsAnErrorAndNothingIsHalfWritten) {
    auto state = open();
    ASSERT_TRUE(state.commit({{"a", "1"}}));
    rlimit before{};
    ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    rlimit small = before;
    small.rlim_cur = 64 * 1024;
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
    const auto failed = state.commit({{"a", "2"}, {"big", std::string(256 * 1024, 'x')}});
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
    std::signal(SIGXFSZ, handler);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().kind, FailureKind::state_unusable);
    EXPECT_EQ(StateFile::peek(directory())->at("a"), "1");
    EXPECT_TRUE(state.commit({{"a", "3"}})) << "it goes on when there is room again";
}

TEST(DefaultStateDirectory, FollowsXdg) {
    const auto set = [](const char* name, const char* value) {
        ASSERT_EQ(value == nullptr ? unsetenv(name) : setenv(name, value, 1), 0);
    };
    const auto* home_before = std::getenv("HOME");
    const auto* xdg_before = std::getenv("XDG_STATE_HOME");
    const std::string home = home_before == nullptr ? "" : home_before;
    const std::string xdg = xdg_before == nullptr ? "" : xdg_before;
    set("XDG_STATE_HOME", "/var/lib/x");
    EXPECT_EQ(*default_state_directory(), "/var/lib/x/holdfast");
    set("XDG_STATE_HOME", "relative");
    set("HOME", "/srv/alice");
    EXPECT_EQ(*default_state_directory(), "/srv/alice/.local/state/holdfast");
    set("HOME", nullptr);
    EXPECT_FALSE(default_state_directory());
    set("HOME", home_before == nullptr ? nullptr : home.c_str());
    set("XDG_STATE_HOME", xdg_before == nullptr ? nullptr : xdg.c_str());
}

}  // namespace
}  // namespace holdfast::runtime
