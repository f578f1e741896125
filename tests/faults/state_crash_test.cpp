// B3: the command is killed at each change that it makes to its state directory, one after the
// other, or the power goes there; the next start must have one binding and be who it was. The
// SQLite that is tested is the real one, in the real command: the changes are those of the C
// library (disk_faults.cpp).
#include <fstream>
#include <tuple>

#include "runtime/state_file.h"
#include "tests/faults/command_world.h"

namespace holdfast::faults {
namespace {

// What the directory holds before the run that is killed.
enum class Before : std::uint8_t {
    nothing,
    killed_while_registered,
    log_nearly_full,  // of SQLite: the run folds it into the file
};

using Case = std::tuple<Before, const char*>;

std::string name_of_case(const testing::TestParamInfo<Case>& info) {
    const auto before = std::get<0>(info.param);
    const std::string name = before == Before::nothing                   ? "FirstStart"
                             : before == Before::killed_while_registered ? "AfterACrash"
                                                                         : "LogNearlyFull";
    return name + "_" + std::get<1>(info.param);
}

class StateCrash : public CommandWorld, public testing::WithParamInterface<Case> {
protected:
    StateCrash() : CommandWorld(behind_nat()) {}
    // What the first start of an account leaves when it is killed.
    void make_template() {
        if (std::get<0>(GetParam()) == Before::nothing) return;
        auto& run = start(original());
        ASSERT_TRUE(run_until_registered(run)) << story(run);
        run.signal(SIGKILL);
        ASSERT_TRUE(run_until_end(run));
        if (std::get<0>(GetParam()) == Before::log_nearly_full) fill_log();
        runs.clear();
    }
    // SQLite folds the log at 200 pages of 4 KiB.
    void fill_log() const {
        auto state = runtime::StateFile::open(original());
        ASSERT_TRUE(state) << state.error().sentence;
        constexpr std::uintmax_t nearly = 198ULL * 4120;
        for (int i = 0; i < 1'000; ++i) {
            if (std::filesystem::file_size(original() / "state.db-wal") >= nearly) return;
            ASSERT_TRUE(state->commit({{"test/filler", std::to_string(i)}}));
        }
        FAIL() << "the log does not grow";
    }
    [[nodiscard]] std::filesystem::path original() const { return scratch.path() / "original"; }
    [[nodiscard]] std::filesystem::path state_of(int number) const {
        const auto state = scratch.path() / std::to_string(number);
        if (std::filesystem::exists(original()))
            std::filesystem::copy(original(), state, std::filesystem::copy_options::recursive);
        return state;
    }
    // Whether the fault came before the run had come and gone.
    bool was_killed(int number, const std::filesystem::path& state) {
        const auto fault = std::string(std::get<1>(GetParam())) + ":" + std::to_string(number);
        auto& run = start(state, disk(state, fault, {{"HOLDFAST_DISK_LOG", log().string()}}));
        if (run_until_registered(run)) {
            change_mapping(run);  // so that it has a new Contact to remember
            run.signal(SIGTERM);
        }
        EXPECT_TRUE(run_until_end(run)) << story(run);
        if (run.exit_code() == 128 + SIGKILL) return true;
        EXPECT_EQ(run.exit_code(), 0) << story(run);
        return false;
    }
    [[nodiscard]] std::filesystem::path log() const { return scratch.path() / "log"; }
    [[nodiscard]] std::string last_change() const {
        std::ifstream file(log());
        std::string last;
        for (std::string line; std::getline(file, line);) last = line;
        return last;
    }
};

TEST_P(StateCrash, NextStartIsTheSamePhoneWithOneBinding) {
    make_template();
    int number = 1;
    for (;; ++number) {
        ASSERT_LT(number, 500) << "it never gets to its end";
        const auto state = state_of(number);
        if (!was_killed(number, state)) break;
        const auto left = bindings();
        auto& next = start(state);
        ASSERT_TRUE(run_until_registered(next)) << last_change() << "\n" << story(next);
        ASSERT_TRUE(run_until([&] { return bindings().size() == 1; }, 5s))
            << last_change() << "\n"
            << story(next) << world->ladder();
        if (!left.empty()) {
            const auto now = bindings().front();
            EXPECT_EQ(now.instance, left.back().instance) << last_change();
            EXPECT_EQ(now.call_id, left.back().call_id) << last_change();
            EXPECT_GT(now.cseq, left.back().cseq) << last_change();
        }
        EXPECT_FALSE(next.said("damaged")) << last_change() << "\n" << story(next);
        ASSERT_TRUE(leave(next)) << last_change() << "\n" << story(next);
        EXPECT_EQ(next.exit_code(), 0) << last_change() << "\n" << story(next);
        EXPECT_TRUE(bindings().empty()) << last_change();
        if (HasFailure()) return;
        runs.clear();
        std::filesystem::remove_all(state);
    }
    EXPECT_GT(number, 10) << "the changes are not seen";
}

INSTANTIATE_TEST_SUITE_P(AtEachChange, StateCrash,
                         testing::Combine(testing::Values(Before::nothing,
                                                          Before::killed_while_registered,
                                                          Before::log_nearly_full),
                                          testing::Values("kill", "torn", "power")),
                         name_of_case);

}  // namespace
}  // namespace holdfast::faults
