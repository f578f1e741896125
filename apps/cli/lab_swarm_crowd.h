// Worlds on as many threads as there are cores; they share nothing.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "apps/cli/lab_swarm.h"

namespace holdfast::cli {

struct FailedWorld {
    lab::WorldPlan plan;
    lab::SwarmResult result;
};

class SwarmCrowd {
public:
    // The worlds of options.seed and the options.runs - 1 next numbers.
    SwarmCrowd(const LabOptions& options, SwarmLives::Life life);

    // What has failed meanwhile; waits until something has, all is done, or a moment has passed.
    std::deque<FailedWorld> wait();
    [[nodiscard]] std::uint32_t done() const { return done_; }
    void stop();

private:
    void work(const std::stop_token& stop);

    const LabOptions& options_;
    SwarmLives::Life life_;
    std::atomic<std::uint32_t> next_ = 0;
    std::atomic<std::uint32_t> done_ = 0;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<FailedWorld> failed_;
    std::vector<std::jthread> threads_;  // last: they end before the rest goes
};

}  // namespace holdfast::cli
