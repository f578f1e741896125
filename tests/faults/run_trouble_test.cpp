// What `holdfast run` does when its state cannot be kept, or its log: a disk that is full,
// read-only or broken, a database that is damaged. It begins or it does not, and says so; while it
// runs everybody stays registered, and what befalls one shard is no harm to the accounts of the
// other. Of one account: state_trouble_test.cpp. Being killed: run_crash_test.cpp.
#include <algorithm>
#include <tuple>

#include "apps/cli/exit_code.h"
#include "runtime/state_file.h"
#include "tests/faults/run_world.h"

namespace holdfast::faults {
namespace {

class RunTrouble : public RunWorld {
protected:
    // Everything that the run writes is on this disk, full for as long as there is the other file.
    [[nodiscard]] std::filesystem::path disk_path() const { return scratch.path() / "disk"; }
    [[nodiscard]] std::filesystem::path state() const { return disk_path() / "state"; }
    [[nodiscard]] std::filesystem::path full() const { return scratch.path() / "full"; }
    [[nodiscard]] Environment with_switch() const {
        return disk(disk_path(), "", {{"HOLDFAST_DISK_FULL", full().string()}});
    }
    void fill_disk() const { std::ofstream(full()) << "x"; }
    void make_room() const { std::filesystem::remove(full()); }

    static std::size_t times(std::string_view text, std::string_view what) {
        std::size_t found = 0;
        for (auto at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1))
            ++found;
        return found;
    }
    static std::size_t troubles(const CommandRun& run) {
        return times(run.output(), "cannot be used");
    }
    // The NAT gives new ports, and each phone's binding follows (K3).
    bool change_all_mappings(CommandRun& run) {
        std::vector<std::string> before;
        for (const int number : accounts) before.push_back(bindings_of(number).front().contact);
        world->rebind_nat();
        run.signal(SIGUSR1);
        const auto all_have_moved = [&] {
            if (run.ended()) return true;
            for (std::size_t i = 0; i < accounts.size(); ++i) {
                const auto now = bindings_of(accounts[i]);
                if (now.size() != 1 || now.front().contact == before[i]) return false;
            }
            return true;
        };
        return run_until(all_have_moved, 30s) && !run.ended();
    }
    // All that the state knows is in the files, and nothing in SQLite's log.
    void leave_files() {
        auto& first = start_run(state());
        ASSERT_TRUE(run_until_all_registered(first)) << story(first);
        first.signal(SIGKILL);
        ASSERT_TRUE(run_until_end(first));
        runs.clear();
        for (const int number : accounts) fold_log_into_file(shard_directory(state(), number));
    }
    // Of the shard of this account; returns what it then holds.
    [[nodiscard]] std::string damage(int number, std::size_t from = 0) const {
        const auto file = shard_directory(state(), number) / runtime::state_file_name;
        const auto size = std::filesystem::file_size(file);
        std::fstream stream{file, std::ios::in | std::ios::out | std::ios::binary};
        stream.seekp(static_cast<std::streamoff>(from));
        stream << std::string(size - from, '#');
        stream.close();
        return text_of(file);
    }
    [[nodiscard]] std::vector<std::filesystem::path> set_aside(int number) const {
        std::vector<std::filesystem::path> found;
        for (const auto& entry :
             std::filesystem::directory_iterator{shard_directory(state(), number)}) {
            const auto name = entry.path().filename().string();
            if (name.starts_with("state.db.damaged-") && !name.ends_with("-wal") &&
                !name.ends_with("-shm"))
                found.push_back(entry.path());
        }
        return found;
    }
};

// Each shard says it once, not with every attempt; and once that it is over.
TEST_F(RunTrouble, FullDiskWhileRunningIsSaidOnceAndEverybodyStaysRegistered) {
    auto& run = start_run(state(), with_switch());
    ASSERT_TRUE(run_until_all_registered(run)) << story(run);
    fill_disk();
    for (int i = 0; i < 2; ++i) ASSERT_TRUE(change_all_mappings(run)) << story(run);
    EXPECT_EQ(troubles(run), shards) << story(run);
    EXPECT_TRUE(run.said("database or disk is full")) << story(run);
    EXPECT_TRUE(run.said("a restart may not know what is new")) << story(run);
    for (const int number : accounts)
        EXPECT_TRUE(run.said(shard_directory(state(), number).string())) << story(run);
    make_room();
    ASSERT_TRUE(leave(run)) << story(run);
    EXPECT_EQ(run.exit_code(), 0) << story(run);
    EXPECT_EQ(times(run.output(), "can be written again"), shards) << story(run);
    EXPECT_TRUE(nobody_has_one());
}

// Killed then, the next start finds each phone's binding by other means (B2, F5).
TEST_F(RunTrouble, KilledWithAFullDiskEachHasOneBindingAfterTheNextStart) {
    auto& run = start_run(state(), with_switch());
    ASSERT_TRUE(run_until_all_registered(run)) << story(run);
    fill_disk();
    for (int i = 0; i < 2; ++i) ASSERT_TRUE(change_all_mappings(run)) << story(run);
    std::vector<std::string> instances;
    for (const int number : accounts) instances.push_back(bindings_of(number).front().instance);
    run.signal(SIGKILL);
    ASSERT_TRUE(run_until_end(run));
    world->rebind_nat();
    auto& next = start_run(state());
    ASSERT_TRUE(run_until_all_registered(next)) << story(next);
    EXPECT_TRUE(run_until([&] { return each_has_one(); }, 5s)) << story(next) << world->ladder();
    for (std::size_t i = 0; i < accounts.size(); ++i)
        EXPECT_EQ(bindings_of(accounts[i]).front().instance, instances[i]);
}

TEST_F(RunTrouble, FullDiskAtTheStartEndsItBeforeAnythingIsSent) {
    fill_disk();
    auto& run = start_run(state(), with_switch());
    ASSERT_TRUE(run_until_end(run)) << story(run);
    EXPECT_EQ(run.exit_code(), cli::number_of(cli::ExitCode::state_unusable)) << story(run);
    EXPECT_TRUE(run.complained("No space left on device")) << story(run);
    EXPECT_TRUE(run.complained(state().string())) << story(run);
    EXPECT_TRUE(run.complained("--state DIR")) << story(run);
    EXPECT_EQ(world->cluster().registers(), 0U);
}

// A reload may give a shard its first account, whose state cannot be written: those that have long
// been there stay.
TEST_F(RunTrouble, AnAccountThatComesWithAFullDiskEndsNobody) {
    const auto other = std::ranges::find_if(accounts, [&](int number) {
        return shard_directory(state(), number) != shard_directory(state(), accounts.front());
    });
    ASSERT_NE(other, accounts.end());
    const auto all = std::exchange(accounts, {accounts.front()});
    auto& run = start_run(state(), with_switch());
    ASSERT_TRUE(run_until_all_registered(run)) << story(run);
    fill_disk();
    accounts = all;
    write_config(state());
    run.signal(SIGHUP);
    ASSERT_TRUE(run_until_all_registered(run)) << story(run);
    EXPECT_FALSE(run.ended()) << story(run);
    EXPECT_TRUE(each_has_one()) << story(run);
    EXPECT_GE(troubles(run), 1U) << story(run);
    make_room();
    ASSERT_TRUE(leave(run)) << story(run);
    EXPECT_EQ(run.exit_code(), 0) << story(run);
    EXPECT_TRUE(nobody_has_one());
}

class RunDamagedState : public RunTrouble, public testing::WithParamInterface<std::size_t> {};

// The damaged file is kept, and named; its accounts begin anew, the others do not notice.
TEST_P(RunDamagedState, IsKeptAndNamedAndTheOtherShardDoesNotNotice) {
    leave_files();
    const auto bytes = damage(0, GetParam());
    std::vector<lab::Binding> left;
    for (const int number : accounts) left.push_back(bindings_of(number).front());

    auto& run = start_run(state());
    ASSERT_TRUE(run_until_all_registered(run)) << story(run);
    EXPECT_EQ(times(run.output(), "The state file was damaged. It is kept as "), 1U) << story(run);
    const auto kept = set_aside(0);
    ASSERT_EQ(kept.size(), 1U);
    EXPECT_TRUE(run.said(kept.front().string())) << story(run);
    EXPECT_EQ(text_of(kept.front()), bytes);
    int unharmed = 0;
    for (const int number : accounts) {
        const auto& before = left.at(static_cast<std::size_t>(number));
        const auto now = bindings_of(number);
        if (shard_directory(state(), number) == shard_directory(state(), 0)) {
            // Another device, which does not know that the old binding is its own.
            ASSERT_EQ(now.size(), 2U) << number << story(run);
            EXPECT_NE(now.back().instance, before.instance) << number;
            continue;
        }
        ++unharmed;
        ASSERT_TRUE(run_until([&] { return bindings_of(number).size() == 1; }, 5s)) << story(run);
        EXPECT_EQ(bindings_of(number).front().instance, before.instance) << number;
        EXPECT_EQ(bindings_of(number).front().call_id, before.call_id) << number;
    }
    EXPECT_GE(unharmed, 1);
    ASSERT_TRUE(leave(run)) << story(run);
    EXPECT_EQ(run.exit_code(), 0) << story(run);
    auto& after = start_run(state());
    ASSERT_TRUE(run_until_all_registered(after)) << story(after);
    EXPECT_FALSE(after.said("damaged")) << story(after);
}

INSTANTIATE_TEST_SUITE_P(RunTrouble, RunDamagedState, testing::Values(0U, 100U, 4096U),
                         [](const auto& test) { return "From" + std::to_string(test.param); });

// Whatever fails after that, in whichever start: what was set aside has been named.
TEST_F(RunTrouble, WhatIsSetAsideIsNamedThoughTheDiskFailsThen) {
    leave_files();
    const auto original = scratch.path() / "original";
    std::ignore = damage(0);
    std::filesystem::copy(disk_path(), original, std::filesystem::copy_options::recursive);
    std::size_t refused = 0;
    for (int number = 1; number <= 30; number += 2) {
        std::filesystem::remove_all(disk_path());
        std::filesystem::copy(original, disk_path(), std::filesystem::copy_options::recursive);
        auto& run = start_run(state(), disk(disk_path(), "28+:" + std::to_string(number)));
        std::ignore = run_until_all_registered(run);
        refused += run.ended() ? 1U : 0U;
        const bool was_refused = run.ended();
        run.signal(SIGKILL);
        ASSERT_TRUE(run_until_end(run));
        for (const auto& kept : set_aside(0))
            EXPECT_TRUE(run.said(kept.string()) || run.complained(kept.string()))
                << number << story(run);
        if (was_refused) {
            EXPECT_TRUE(run.complained("cannot be used")) << number << story(run);
        }
        runs.clear();
        if (!was_refused) break;  // it begins: nothing later can keep it from telling
    }
    EXPECT_GE(refused, 3U) << "the changes are not seen";
}

// The n-th change fails, and with "+" all after it: EIO, ENOSPC, EROFS.
class RunDiskErrors : public RunTrouble,
                      public testing::WithParamInterface<std::tuple<const char*, const char*>> {
protected:
    std::size_t changes_of_a_run() {
        const auto log = scratch.path() / "log";
        auto& run =
            start_run(state(), disk(disk_path(), "", {{"HOLDFAST_DISK_LOG", log.string()}}));
        EXPECT_TRUE(run_until_all_registered(run) && change_all_mappings(run)) << story(run);
        EXPECT_TRUE(leave(run)) << story(run);
        return times(text_of(log), "\n");
    }
};

TEST_P(RunDiskErrors, TheyRegisterOrItSaysWhyNotAndTheNextStartHasOneBindingEach) {
    const std::string code = std::get<1>(GetParam());
    std::size_t refused = 0;
    std::size_t told = 0;
    std::size_t left_behind = 0;
    const auto changes = changes_of_a_run();
    EXPECT_GT(changes, 30U) << "they are not seen";
    // Where all fail from one on, the next one is much the same.
    const std::size_t step = code.ends_with('+') ? 3 : 1;
    for (std::size_t number = 1; number <= changes; number += step) {
        std::filesystem::remove_all(disk_path());
        auto& run = start_run(state(), disk(disk_path(), code + ":" + std::to_string(number)));
        if (run_until_all_registered(run)) {
            ASSERT_TRUE(change_all_mappings(run)) << number << story(run);
            EXPECT_LE(troubles(run), shards) << number << story(run);
        } else {
            EXPECT_TRUE(run.ended()) << number << story(run);
        }
        const bool was_refused = run.ended();
        told += troubles(run);
        if (was_refused) {
            ++refused;
            EXPECT_EQ(run.exit_code(), cli::number_of(cli::ExitCode::state_unusable))
                << number << story(run);
            EXPECT_TRUE(run.complained("cannot be used")) << number << story(run);
            EXPECT_TRUE(nobody_has_one()) << number << story(run);
        } else {
            run.signal(SIGKILL);
            ASSERT_TRUE(run_until_end(run));
        }
        auto& next = start_run(state());
        ASSERT_TRUE(run_until_all_registered(next)) << number << "\n" << story(run) << story(next);
        // An account that begins after another has sent, and could not be stored, is told of: what
        // it leaves behind if it is killed expires.
        const bool may_be_left = troubles(run) > 0 && !was_refused;
        ASSERT_TRUE(run_until([&] { return each_has_one(); }, 5s) || may_be_left)
            << number << "\n"
            << story(run) << story(next) << world->ladder();
        left_behind += each_has_one() ? 0U : 1U;
        ASSERT_TRUE(leave(next)) << story(next);
        EXPECT_EQ(next.exit_code(), 0) << number << story(next);
        if (HasFailure()) return;
        runs.clear();
        world->cluster().location_service().clear();
    }
    RecordProperty("left_behind", static_cast<int>(left_behind));
    RecordProperty("changes", static_cast<int>(changes));
    EXPECT_GT(refused, 0U);
    EXPECT_GT(told, 0U);
}

INSTANTIATE_TEST_SUITE_P(RunTrouble, RunDiskErrors,
                         testing::Values(std::tuple{"OneErrorOfTheDevice", "5"},
                                         std::tuple{"AFullDisk", "28+"},
                                         std::tuple{"AReadOnlyDisk", "30+"}),
                         [](const auto& test) { return std::string(std::get<0>(test.param)); });

// What it writes is a log on the same disk.
class RunLog : public RunTrouble {
protected:
    CommandRun& start_with_log() {
        std::filesystem::create_directories(disk_path());
        return start_run(
            state(), with_switch(),
            {"/bin/sh", "-c", "exec \"$0\" \"$@\" >'" + log().string() + "'", HOLDFAST_COMMAND});
    }
    bool run_until_logged(CommandRun& run, const std::string& what) {
        return run_until([&] { return run.ended() || logged().find(what) != std::string::npos; }) &&
               logged().find(what) != std::string::npos;
    }
    [[nodiscard]] std::filesystem::path log() const { return disk_path() / "log"; }
    [[nodiscard]] std::string logged() const { return text_of(log()); }
};

// It is kept meanwhile, and not a line is missing or broken.
TEST_F(RunLog, AFullDiskUnderTheLogEndsNothingAndNothingOfItIsLost) {
    auto& run = start_with_log();
    ASSERT_TRUE(run_until([&] { return run.ended() || all_registered(logged()); })) << story(run);
    fill_disk();
    const auto before = logged();
    for (int i = 0; i < 2; ++i) ASSERT_TRUE(change_all_mappings(run)) << story(run);
    EXPECT_EQ(logged(), before);
    EXPECT_EQ(times(run.errors(), "The output cannot be written: No space left on device"), 1U)
        << story(run);
    EXPECT_TRUE(run.complained("Make room there")) << story(run);
    make_room();
    ASSERT_TRUE(run_until_logged(run, "cannot be used")) << story(run) << logged();
    ASSERT_TRUE(leave(run)) << story(run);
    EXPECT_EQ(run.exit_code(), 0) << story(run);
    EXPECT_TRUE(logged().starts_with(before));
    std::istringstream lines(logged());
    std::size_t moved = 0;
    for (std::string line; std::getline(lines, line);) {
        EXPECT_TRUE(line.starts_with('{') && line.ends_with('}')) << line;
        moved += times(line, "\"event\":\"mapping_changed\"");
    }
    EXPECT_GE(moved, 2U) << logged();
    EXPECT_TRUE(logged().ends_with("\n"));
    EXPECT_TRUE(nobody_has_one());
}

// A log that lacks its end is said, and is no success.
TEST_F(RunLog, EndingWithAFullDiskIsSaid) {
    auto& run = start_with_log();
    ASSERT_TRUE(run_until([&] { return run.ended() || all_registered(logged()); })) << story(run);
    fill_disk();
    ASSERT_TRUE(leave(run)) << story(run);
    EXPECT_EQ(run.exit_code(), cli::number_of(cli::ExitCode::host)) << story(run);
    EXPECT_TRUE(run.complained("The output lacks its end")) << story(run);
    EXPECT_TRUE(nobody_has_one());
}

}  // namespace
}  // namespace holdfast::faults
