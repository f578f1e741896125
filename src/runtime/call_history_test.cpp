// The calls that were: kept across restarts, found by text, and never without end.
#include "runtime/call_history.h"

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <fstream>

#include "runtime/test_support.h"

namespace holdfast::runtime {
namespace {

using namespace test;

class History : public testing::Test {
protected:
    CallHistory open() {
        auto history = CallHistory::open(directory.path());
        EXPECT_TRUE(history) << history.error().sentence;
        return *std::move(history);
    }
    static PastCall call(std::string peer, std::int64_t started = 1000) {
        return {.account = "sip:alice@example.test",
                .incoming = true,
                .peer = std::move(peer),
                .started = started,
                .talked = 7,
                .outcome = "answered",
                .status = 200,
                .reason = "the other side hung up"};
    }
    static std::vector<std::string> peers(CallHistory& history, HistoryQuery query) {
        const auto found = history.find(query);
        EXPECT_TRUE(found) << found.error().sentence;
        std::vector<std::string> names;
        for (const auto& one : *found) names.push_back(one.peer);
        return names;
    }
    using Names = std::vector<std::string>;
    TemporaryDirectory directory;
};

TEST_F(History, IsThereAgainAfterARestartNewestFirst) {
    {
        auto history = open();
        ASSERT_TRUE(history.add(call("first")));
        ASSERT_TRUE(history.add(call("second", 2000)));
    }
    auto history = open();
    const auto found = history.find({});
    ASSERT_TRUE(found);
    ASSERT_EQ(found->size(), 2U);
    auto expected = call("second", 2000);
    expected.id = 2;
    EXPECT_EQ(found->front(), expected);
    EXPECT_EQ(found->back().peer, "first");
    struct stat status{};
    ASSERT_EQ(::stat((directory.path() / history_file_name).c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0600U) << "who calls whom is nobody else's business";
}

TEST_F(History, IsSearchedByTextThatMeansItself) {
    auto history = open();
    for (const auto* peer : {"Bob <sip:bob@example.test>", "sip:100%@example.test", "sip:carol"})
        ASSERT_TRUE(history.add(call(peer)));
    EXPECT_EQ(peers(history, {.search = "BOB"}), (Names{"Bob <sip:bob@example.test>"}));
    EXPECT_EQ(peers(history, {.search = "%"}), (Names{"sip:100%@example.test"}));
    EXPECT_EQ(peers(history, {.search = "_"}), Names{});
    EXPECT_EQ(peers(history, {.search = "'; DROP TABLE calls; --"}), Names{});
    EXPECT_EQ(peers(history, {.search = "hung up"}).size(), 3U);
}

TEST_F(History, IsReadPageByPage) {
    auto history = open();
    for (int i = 1; i <= 5; ++i) ASSERT_TRUE(history.add(call(std::to_string(i))));
    EXPECT_EQ(peers(history, {.most = 2}), (Names{"5", "4"}));
    EXPECT_EQ(peers(history, {.before = 4, .most = 2}), (Names{"3", "2"}));
    for (std::size_t i = 0; i < history_page_most; ++i) ASSERT_TRUE(history.add(call("x")));
    EXPECT_EQ(peers(history, {.most = history_page_most + 1}).size(), history_page_most);
}

TEST_F(History, ForgetsTheOldest) {
    auto history = open();
    for (std::size_t i = 0; i < history_most + 2; ++i)
        ASSERT_TRUE(history.add(call(std::to_string(i))));
    EXPECT_EQ(peers(history, {.before = 4}), (Names{"2"})) << "0 and 1 are forgotten";
}

// What a caller calls himself is the caller's choice.
TEST_F(History, CutsWhatIsLongBetweenCharacters) {
    auto history = open();
    std::string name(history_text_most - 1, 'a');
    ASSERT_TRUE(history.add(call(name + "\xc3\xa4" + "tail")));
    EXPECT_EQ(peers(history, {}), (Names{name}));
    ASSERT_TRUE(history.add(call(name + "b" + "c")));
    EXPECT_EQ(peers(history, {.most = 1}), (Names{name + "b"}));
}

TEST_F(History, OfANewerVersionOrOfNoDatabaseIsLeftAlone) {
    {
        open();
    }
    const auto file = directory.path() / history_file_name;
    sqlite3* raw = nullptr;
    ASSERT_EQ(sqlite3_open(file.c_str(), &raw), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(raw, "PRAGMA user_version=2", nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(raw);
    const auto newer = CallHistory::open(directory.path());
    ASSERT_FALSE(newer);
    EXPECT_NE(newer.error().sentence.find("newer version"), std::string::npos);
    for (const auto* suffix : {"-wal", "-shm"}) std::filesystem::remove(file.string() + suffix);
    std::ofstream(file) << std::string(4096, 'x');
    const auto other = CallHistory::open(directory.path());
    ASSERT_FALSE(other);
    EXPECT_NE(other.error().sentence.find("move the file away"), std::string::npos);
}

}  // namespace
}  // namespace holdfast::runtime
