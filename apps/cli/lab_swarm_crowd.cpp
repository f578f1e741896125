#include "apps/cli/lab_swarm_crowd.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace holdfast::cli {

using namespace std::chrono_literals;

SwarmCrowd::SwarmCrowd(const LabOptions& options, SwarmLives::Life life)
    : options_(options), life_(std::move(life)) {
    const auto cores = std::max(1U, std::thread::hardware_concurrency());
    for (unsigned i = 0; i < std::min(cores, options.runs); ++i)
        threads_.emplace_back([this](const std::stop_token& stop) { work(stop); });
}

std::deque<FailedWorld> SwarmCrowd::wait() {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, 200ms, [&] { return !failed_.empty() || done_ == options_.runs; });
    return std::exchange(failed_, {});
}

void SwarmCrowd::stop() {
    for (auto& thread : threads_) thread.request_stop();
}

void SwarmCrowd::work(const std::stop_token& stop) {
    for (auto run = next_++; run < options_.runs && !stop.stop_requested(); run = next_++) {
        auto plan = lab::draw_world(options_.seed + run, options_.suffering);
        auto result = life_(plan);
        const std::scoped_lock lock(mutex_);
        if (!result.complaints.empty())
            failed_.push_back({.plan = std::move(plan), .result = std::move(result)});
        ++done_;
        changed_.notify_one();
    }
}

}  // namespace holdfast::cli
