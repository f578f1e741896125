// Calls on their way to the history: none is lost while another program has the file, or the phone
// is killed.
#include "runtime/call_journal.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <optional>

#include "runtime/sqlite.h"
#include "runtime/test_support.h"

namespace holdfast::runtime {
namespace {

using namespace test;

class Journal : public testing::Test {
protected:
    Journal() { open(); }
    void open() {
        journal.reset();
        history.reset();
        history.emplace(*CallHistory::open(directory.path()));
        journal.emplace(loop, *history,
                        [this](std::string sentence) { notices.push_back(std::move(sentence)); });
    }
    static PastCall past(const std::string& peer, const std::string& outcome = "") {
        return {.account = "sip:alice@example.test", .peer = peer, .outcome = outcome};
    }
    std::vector<std::string> rows() {  // newest first
        std::vector<std::string> found;
        const auto calls = history->find({});
        EXPECT_TRUE(calls);
        if (calls)
            for (const auto& call : *calls) found.push_back(call.peer + " " + call.outcome);
        return found;
    }
    void lock() {
        sqlite3* raw = nullptr;
        ASSERT_EQ(sqlite3_open((directory.path() / history_file_name).c_str(), &raw), SQLITE_OK);
        other.reset(raw);
        ASSERT_EQ(sqlite3_exec(raw, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
    }
    bool run_until(const std::function<bool()>& goal) { return loop.run_until(goal, limit); }

    TemporaryDirectory directory;
    Loop loop;
    Database other;
    std::optional<CallHistory> history;
    std::optional<CallJournal> journal;
    std::vector<std::string> notices;
};

TEST_F(Journal, ACallHasOneRowFromItsBeginningToItsEnd) {
    journal->began(CallRef{1}, past("bob"));
    EXPECT_EQ(rows(), std::vector<std::string>{"bob unfinished"});
    journal->began(CallRef{2}, past("carol"));
    journal->ended(CallRef{1}, past("bob", "answered"));
    EXPECT_EQ(rows(), (std::vector<std::string>{"carol unfinished", "bob answered"}));
    EXPECT_TRUE(notices.empty());
}

// What a crash leaves is a call that was there and has no end.
TEST_F(Journal, ACallThatACrashCutsOffIsUnfinished) {
    journal->began(CallRef{1}, past("bob"));
    open();
    journal->began(CallRef{1}, past("carol"));  // numbers begin anew
    journal->ended(CallRef{1}, past("carol", "missed"));
    EXPECT_EQ(rows(), (std::vector<std::string>{"carol missed", "bob unfinished"}));
}

TEST_F(Journal, CallsWaitWhileAnotherProgramHasTheFile) {
    journal->began(CallRef{1}, past("bob"));
    lock();
    journal->ended(CallRef{1}, past("bob", "answered"));
    journal->began(CallRef{2}, past("carol"));
    journal->ended(CallRef{2}, past("carol", "missed"));
    journal->began(CallRef{3}, past("dave"));
    EXPECT_EQ(journal->waiting(), 3U);
    EXPECT_EQ(rows(), std::vector<std::string>{"bob unfinished"});
    ASSERT_EQ(notices.size(), 1U) << "said once";
    EXPECT_NE(notices[0].find("locked"), std::string::npos) << notices[0];
    other.reset();
    ASSERT_TRUE(run_until([&] { return journal->waiting() == 0; }));
    EXPECT_EQ(rows(),
              (std::vector<std::string>{"dave unfinished", "carol missed", "bob answered"}));
    ASSERT_EQ(notices.size(), 2U);
    EXPECT_NE(notices[1].find("again"), std::string::npos);
}

TEST_F(Journal, WhatWaitsIsBoundedAndWhatIsLostIsSaid) {
    lock();
    for (std::uint32_t i = 1; i <= journal_waiting_most; ++i)
        journal->began(CallRef{i}, past(std::to_string(i)));
    EXPECT_EQ(journal->waiting(), journal_waiting_most);
    EXPECT_EQ(notices.size(), 1U);
    journal->began(CallRef{journal_waiting_most + 1}, past("one too many"));
    EXPECT_EQ(journal->waiting(), journal_waiting_most);
    ASSERT_EQ(notices.size(), 2U);
    EXPECT_NE(notices[1].find("lost"), std::string::npos);
    other.reset();
    ASSERT_TRUE(run_until([&] { return journal->waiting() == 0; }));
    EXPECT_EQ(history->find({.search = "one too many"})->size(), 1U);
    EXPECT_NE(notices.back().find("1 calls were lost"), std::string::npos) << notices.back();
}

TEST_F(Journal, TheEndTriesALastTimeAndSaysWhatIsMissing) {
    lock();
    journal->began(CallRef{1}, past("bob"));
    journal->finish();
    EXPECT_NE(notices.back().find("1 calls are missing"), std::string::npos) << notices.back();
    other.reset();
    journal->finish();
    EXPECT_EQ(rows(), std::vector<std::string>{"bob unfinished"});
}

}  // namespace
}  // namespace holdfast::runtime
