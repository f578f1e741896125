// What is noted while a scenario runs: when a phone was there, could be reached, and what the
// location services had of it. Only changes are kept, so that a quiet day costs no memory.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lab/scenario_stage.h"

namespace holdfast::lab::scenario {

struct Moment {
    bool is_there = false;    // somebody could expect it to ring
    bool reachable = false;   // a binding leads to it, through a node that answers
    bool all_answer = false;  // and no binding leads nowhere
    bool is_mapping = false;  // a Contact is the public endpoint its server sees
    std::uint16_t stale = 0;  // bindings that lead nowhere
    std::uint16_t bindings = 0;
    std::string node{};  // where it says it is registered; "": nowhere
    friend bool operator==(const Moment&, const Moment&) = default;
};
struct TimedMoment {
    Instant at;
    Moment moment;  // from then on
};

class Recorder {
public:
    explicit Recorder(Stage& stage);

    void look_at(std::size_t actor);
    void look_at_all();
    void look_at_unreachable();  // those only who were so when last looked at
    [[nodiscard]] bool somebody_is_unreachable() const { return unreachable_ > 0; }
    [[nodiscard]] const std::vector<TimedMoment>& moments(std::size_t actor) const {
        return moments_[actor];
    }

private:
    [[nodiscard]] Moment moment_of(std::size_t actor);
    const std::string& node_of(std::size_t actor);

    struct Known {
        std::size_t events = 0;  // of the phone, when its node was looked up
        std::string node;
    };
    Stage& stage_;
    std::vector<std::vector<TimedMoment>> moments_;
    std::vector<Known> known_;
    std::size_t unreachable_ = 0;  // of those who are there
};

}  // namespace holdfast::lab::scenario
