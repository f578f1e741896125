// For the tests of the keep-alive machine: wakes it at its own deadlines and notes what it says.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>
#include <vector>

#include "flow/keep_alive.h"

namespace holdfast::flow {

struct Step {
    Duration after;  // since the anchor
    KeepAliveOutcome outcome;
    Ping ping = Ping::none;
    bool repetition = false;
    friend bool operator==(const Step&, const Step&) = default;
    friend std::ostream& operator<<(std::ostream& out, const Step& step) {
        return out << step.after.count() << "us " << name_of(step.outcome) << " "
                   << name_of(step.ping) << (step.repetition ? " again" : "");
    }
};

class KeepAliveTest : public testing::Test {
protected:
    Instant now{1h};
    Random random{seed_from_number(7)};
    KeepAlive machine;

    void begin(Transport transport, const KeepAliveSettings& settings = {},
               const Agreement& agreement = {}) {
        machine = KeepAlive{transport, settings};
        machine.start(now, random);
        machine.agree(now, agreement, random);
    }
    // Wakes the machine at its deadlines until it has something to say; the limit catches a
    // spinning timer.
    KeepAliveOutcome next() {
        for (int i = 0; i < 10; ++i) {
            if (machine.next_deadline().at == never) return KeepAliveOutcome::quiet;
            now = std::max(now, machine.next_deadline().at);
            if (const auto outcome = machine.on_time(now, random);
                outcome != KeepAliveOutcome::quiet)
                return outcome;
        }
        ADD_FAILURE() << "never says anything";
        return KeepAliveOutcome::quiet;
    }
    Step step(Instant anchor) {
        const auto outcome = next();
        if (outcome != KeepAliveOutcome::send) return {now - anchor, outcome};
        return {now - anchor, outcome, machine.ping(), machine.is_repetition()};
    }
    std::vector<Step> steps(Instant anchor, int count) {
        std::vector<Step> all;
        for (int i = 0; i < count; ++i) all.push_back(step(anchor));
        return all;
    }
    // One ping of that kind, answered 40 ms later.
    void answered_round(Ping kind) {
        ASSERT_EQ(next(), KeepAliveOutcome::send);
        ASSERT_EQ(machine.ping(), kind);
        now += 40ms;
        ASSERT_EQ(machine.answered(now, kind), 40ms);
    }
    // Wakes only until that time.
    bool is_quiet_until(Instant end) {
        while (machine.next_deadline().at <= end) {
            now = machine.next_deadline().at;
            if (machine.on_time(now, random) != KeepAliveOutcome::quiet) return false;
        }
        now = end;
        return true;
    }
};

}  // namespace holdfast::flow
