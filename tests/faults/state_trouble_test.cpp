// What the command does when its state cannot be kept (B3): a disk that is full, read-only or
// broken, a file that is damaged. It starts or it does not, and says so; while it runs it stays
// registered.
#include <fstream>
#include <sstream>
#include <tuple>

#include "apps/cli/exit_code.h"
#include "runtime/state_file.h"
#include "tests/faults/command_world.h"

namespace holdfast::faults {
namespace {

std::size_t count(std::string_view text, std::string_view what) {
    std::size_t found = 0;
    for (auto at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1))
        ++found;
    return found;
}

constexpr const char* cannot = "cannot be used";
constexpr const char* again = "can be written again";

class StateTrouble : public CommandWorld {
protected:
    StateTrouble() : CommandWorld(behind_nat()) {}
    [[nodiscard]] std::filesystem::path state() const { return scratch.path() / "state"; }
    // A run whose disk is full for as long as this file is there.
    [[nodiscard]] std::filesystem::path full() const { return scratch.path() / "full"; }
    CommandRun& start_with_switch() {
        return start(state(), disk(state(), "", {{"HOLDFAST_DISK_FULL", full().string()}}));
    }
    void fill_disk() const { std::ofstream(full()) << "x"; }
    void make_room() const { std::filesystem::remove(full()); }
};

// Said once, not with every attempt; and once that it is over.
TEST_F(StateTrouble, FullDiskWhileRunningIsSaidOnceAndThePhoneStaysRegistered) {
    auto& run = start_with_switch();
    ASSERT_TRUE(run_until_registered(run)) << story(run);
    fill_disk();
    for (int i = 0; i < 2; ++i) ASSERT_TRUE(change_mapping(run)) << story(run);
    EXPECT_EQ(count(run.output(), cannot), 1U) << story(run);
    EXPECT_TRUE(run.said("database or disk is full")) << story(run);
    EXPECT_TRUE(run.said("a restart may not know what is new")) << story(run);
    EXPECT_FALSE(run.said(again)) << story(run);
    make_room();
    ASSERT_TRUE(leave(run)) << story(run);
    EXPECT_EQ(run.exit_code(), 0) << story(run);
    EXPECT_EQ(count(run.output(), again), 1U) << story(run);
    EXPECT_TRUE(bindings().empty());
}

// What could not be stored is found again by other means: the binding by its token (B2), and a CSeq
// that the registrar knows already gets a new Call-ID (F5).
TEST_F(StateTrouble, KilledWithAFullDiskItHasOneBindingAfterTheNextStart) {
    auto& run = start_with_switch();
    ASSERT_TRUE(run_until_registered(run)) << story(run);
    fill_disk();
    for (int i = 0; i < 2; ++i) ASSERT_TRUE(change_mapping(run)) << story(run);
    const auto left = bindings();
    ASSERT_EQ(left.size(), 1U);
    run.signal(SIGKILL);
    ASSERT_TRUE(run_until_end(run));
    world->rebind_nat();
    auto& next = start(state());
    ASSERT_TRUE(run_until_registered(next)) << story(next);
    EXPECT_TRUE(run_until([&] { return bindings().size() == 1; }, 5s)) << story(next);
    EXPECT_EQ(bindings().front().instance, left.front().instance);
    EXPECT_NE(bindings().front().contact, left.front().contact);
}

// Nothing is sent by a phone that could not clean up after itself (B3).
TEST_F(StateTrouble, FullDiskAtTheStartEndsItBeforeAnythingIsSent) {
    fill_disk();
    auto& run = start_with_switch();
    ASSERT_TRUE(run_until_end(run)) << story(run);
    EXPECT_EQ(run.exit_code(), cli::number_of(cli::ExitCode::state_unusable)) << story(run);
    EXPECT_NE(run.errors().find("No space left on device"), std::string::npos) << story(run);
    EXPECT_NE(run.errors().find(state().string()), std::string::npos) << story(run);
    EXPECT_EQ(world->cluster().registers(), 0U);
}

struct Damage {
    const char* name;
    std::size_t from;    // the first byte that is overwritten
    bool to_end = true;  // or 64 bytes
};

class DamagedState : public StateTrouble, public testing::WithParamInterface<Damage> {
protected:
    // Killed while registered; all that it knows is in the file, and nothing in SQLite's log.
    void leave_a_file() {
        auto& first = start(state());
        ASSERT_TRUE(run_until_registered(first)) << story(first);
        first.signal(SIGKILL);
        ASSERT_TRUE(run_until_end(first));
        fold_log_into_file(state());
        const auto kept = runtime::StateFile::peek(state());
        ASSERT_TRUE(kept) << kept.error().sentence;
        ASSERT_FALSE(kept->empty());
    }
};

TEST_P(DamagedState, IsKeptUnderAnotherNameAndThePhoneBeginsAnew) {
    leave_a_file();
    const auto left = bindings();
    ASSERT_EQ(left.size(), 1U);
    const auto file = state() / "state.db";
    const auto size = std::filesystem::file_size(file);
    std::fstream damaged{file, std::ios::in | std::ios::out | std::ios::binary};
    damaged.seekp(static_cast<std::streamoff>(GetParam().from));
    damaged << std::string(GetParam().to_end ? size - GetParam().from : 64, '#');
    damaged.close();
    std::ostringstream bytes;
    bytes << std::ifstream{file, std::ios::binary}.rdbuf();

    auto& run = start(state());
    ASSERT_TRUE(run_until_registered(run)) << story(run);
    EXPECT_EQ(count(run.output(), "The state file was damaged. It is kept as "), 1U) << story(run);
    std::size_t kept = 0;
    for (const auto& entry : std::filesystem::directory_iterator{state()}) {
        if (!entry.path().filename().string().starts_with("state.db.damaged-")) continue;
        if (!run.said(entry.path().string())) continue;
        std::ostringstream kept_bytes;
        kept_bytes << std::ifstream{entry.path(), std::ios::binary}.rdbuf();
        if (kept_bytes.str() == bytes.str()) ++kept;
    }
    EXPECT_EQ(kept, 1U) << "as it was, and under the name that was said";
    // Another device, which does not know that the old binding is its own.
    ASSERT_EQ(bindings().size(), 2U) << story(run);
    EXPECT_EQ(bindings().front().contact, left.front().contact);
    EXPECT_NE(bindings().back().instance, left.front().instance);
    ASSERT_TRUE(leave(run));
    EXPECT_EQ(run.exit_code(), 0) << story(run);
    ASSERT_EQ(bindings().size(), 1U);
    EXPECT_EQ(bindings().front().contact, left.front().contact);
    auto& after = start(state());
    ASSERT_TRUE(run_until_registered(after)) << story(after);
    EXPECT_FALSE(after.said("damaged")) << story(after);
}

INSTANTIATE_TEST_SUITE_P(StateTrouble, DamagedState,
                         testing::Values(Damage{"Everything", 0}, Damage{"AllButTheHeader", 100},
                                         Damage{"TheFormat", 0, false},
                                         Damage{"APageOfTheTable", 4096}),
                         [](const auto& test) { return std::string(test.param.name); });

// The n-th change fails, and with "+" all after it: EIO, ENOSPC, EROFS.
class DiskErrors : public StateTrouble,
                   public testing::WithParamInterface<std::tuple<const char*, const char*>> {
protected:
    // As long as nothing goes wrong.
    std::size_t changes_of_a_run() {
        const auto log = scratch.path() / "log";
        auto& run = start(state(), disk(state(), "", {{"HOLDFAST_DISK_LOG", log.string()}}));
        EXPECT_TRUE(run_until_registered(run) && change_mapping(run)) << story(run);
        EXPECT_TRUE(leave(run)) << story(run);
        std::ifstream lines(log);
        std::size_t found = 0;
        for (std::string line; std::getline(lines, line);) ++found;
        return found;
    }
    // What was said of it: never nothing where something is lost.
    void expect_words(const CommandRun& run, std::size_t registers_before) const {
        if (run.exit_code() == 0) {
            EXPECT_LE(count(run.output(), cannot), 1U) << story(run);
            EXPECT_LE(count(run.output(), again), count(run.output(), cannot)) << story(run);
            return;
        }
        EXPECT_EQ(run.exit_code(), cli::number_of(cli::ExitCode::state_unusable)) << story(run);
        EXPECT_NE(run.errors().find(cannot), std::string::npos) << story(run);
        EXPECT_EQ(world->cluster().registers(), registers_before) << story(run);
    }
};

TEST_P(DiskErrors, ItRegistersOrSaysWhyNotAndTheNextStartHasOneBinding) {
    const std::string code = std::get<1>(GetParam());
    std::size_t refused = 0;
    std::size_t told = 0;
    const auto changes = changes_of_a_run();
    EXPECT_GT(changes, 20U) << "they are not seen";
    for (std::size_t number = 1; number <= changes; ++number) {
        const auto directory = scratch.path() / std::to_string(number);
        const auto before = world->cluster().registers();
        auto& run = start(directory, disk(directory, code + ":" + std::to_string(number)));
        if (run_until_registered(run)) {
            ASSERT_TRUE(change_mapping(run)) << story(run);
        }
        const auto left = bindings();
        if (!run.ended()) run.signal(SIGKILL);
        ASSERT_TRUE(run_until_end(run)) << story(run);
        const bool was_running = run.exit_code() == 128 + SIGKILL;
        if (!was_running) expect_words(run, before);
        refused += was_running ? 0U : 1U;
        told += count(run.output(), cannot);
        auto& next = start(directory);
        ASSERT_TRUE(run_until_registered(next)) << number << "\n" << story(run) << story(next);
        ASSERT_TRUE(run_until([&] { return bindings().size() == 1; }, 5s))
            << number << "\n"
            << story(run) << story(next) << world->ladder();
        ASSERT_TRUE(leave(next)) << story(next);
        EXPECT_EQ(next.exit_code(), 0) << number << story(next);
        if (HasFailure()) return;
        runs.clear();
    }
    EXPECT_GT(refused, 0U);
    EXPECT_GT(told, 0U);
}

INSTANTIATE_TEST_SUITE_P(StateTrouble, DiskErrors,
                         testing::Values(std::tuple{"OneErrorOfTheDevice", "5"},
                                         std::tuple{"ABrokenDevice", "5+"},
                                         std::tuple{"AFullDisk", "28+"},
                                         std::tuple{"AReadOnlyDisk", "30+"}),
                         [](const auto& test) { return std::string(std::get<0>(test.param)); });

}  // namespace
}  // namespace holdfast::faults
