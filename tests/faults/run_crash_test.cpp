// B3 for `holdfast run`: many accounts, each in the state of its shard. It is killed at each change
// that it makes to its state directory, one after the other; the next start must be the same
// phones, each with one binding, and none of them lost.
#include "tests/faults/run_world.h"

namespace holdfast::faults {
namespace {

struct Case {
    const char* fault;
    bool after_a_crash;  // else: of the first start
};

std::string name_of_case(const testing::TestParamInfo<Case>& info) {
    return (info.param.after_a_crash ? "AfterACrash_" : "FirstStart_") +
           std::string(info.param.fault);
}

class RunCrash : public RunWorld, public testing::WithParamInterface<Case> {
protected:
    void make_template() {
        if (!GetParam().after_a_crash) return;
        auto& run = start_run(original());
        ASSERT_TRUE(run_until_all_registered(run)) << story(run);
        run.signal(SIGKILL);
        ASSERT_TRUE(run_until_end(run));
        runs.clear();
    }
    [[nodiscard]] std::filesystem::path original() const { return scratch.path() / "original"; }
    [[nodiscard]] std::filesystem::path state_of(int life) const {
        const auto state = scratch.path() / std::to_string(life);
        if (std::filesystem::exists(original()))
            std::filesystem::copy(original(), state, std::filesystem::copy_options::recursive);
        return state;
    }
    // Whether the fault came before the run had come and gone.
    bool was_killed(int life, const std::filesystem::path& state) {
        auto& run = start_run(state, disk(state, GetParam().fault + (":" + std::to_string(life))));
        if (run_until_all_registered(run)) run.signal(SIGTERM);
        EXPECT_TRUE(run_until_end(run)) << story(run);
        if (run.exit_code() == 128 + SIGKILL) return true;
        EXPECT_EQ(run.exit_code(), 0) << story(run);
        return false;
    }
};

TEST_P(RunCrash, NextStartIsTheSamePhonesWithOneBindingEach) {
    make_template();
    int life = 1;
    // How many changes there are depends on how many accounts share a commit.
    for (int whole = 0; whole < 3; ++life) {
        ASSERT_LT(life, 500) << "they never get to their end";
        const auto state = state_of(life);
        if (!was_killed(life, state)) {
            ASSERT_FALSE(HasFailure());
            ++whole;
            continue;
        }
        whole = 0;
        std::vector<std::vector<lab::Binding>> left;
        for (int number = 0; number < phones; ++number) left.push_back(bindings_of(number));
        auto& next = start_run(state);
        ASSERT_TRUE(run_until_all_registered(next)) << life << "\n" << story(next);
        ASSERT_TRUE(run_until([&] { return each_has_one(); }, 5s))
            << life << "\n"
            << story(next) << world->ladder();
        for (int number = 0; number < phones; ++number) {
            const auto& before = left.at(static_cast<std::size_t>(number));
            if (before.empty()) continue;
            const auto now = bindings_of(number).front();
            EXPECT_EQ(now.instance, before.back().instance) << life;
            EXPECT_EQ(now.call_id, before.back().call_id) << life;
            EXPECT_GT(now.cseq, before.back().cseq) << life;
        }
        EXPECT_FALSE(next.said("damaged")) << life << "\n" << story(next);
        ASSERT_TRUE(leave(next)) << life << "\n" << story(next);
        EXPECT_EQ(next.exit_code(), 0) << life << "\n" << story(next);
        for (int number = 0; number < phones; ++number)
            EXPECT_TRUE(bindings_of(number).empty()) << life << " " << number;
        if (HasFailure()) return;
        runs.clear();
        std::filesystem::remove_all(state);
    }
    RecordProperty("lives", life);
    EXPECT_GT(life, 20) << "the changes are not seen";
}

INSTANTIATE_TEST_SUITE_P(AtEachChange, RunCrash,
                         testing::Values(Case{"kill", false}, Case{"torn", false},
                                         Case{"power", false}, Case{"kill", true},
                                         Case{"torn", true}, Case{"power", true}),
                         name_of_case);

}  // namespace
}  // namespace holdfast::faults
