#include "location/candidate_pool.h"

#include <algorithm>

namespace holdfast::location {

SharedCandidate CandidatePool::share(const Candidate& candidate) {
    if (known_.size() >= sweep_at_) sweep();
    auto& descriptions = known_[candidate.target];
    for (const auto& known : descriptions)
        if (auto held = known.lock(); held && *held == candidate) return held;
    std::erase_if(descriptions, [](const auto& known) { return known.expired(); });
    auto made = std::make_shared<const Candidate>(candidate);
    descriptions.push_back(made);
    return made;
}

// When there are twice as many as were left by the last time: it costs each newcomer little.
void CandidatePool::sweep() {
    std::erase_if(known_, [](const auto& of_target) {
        return std::ranges::all_of(of_target.second,
                                   [](const auto& known) { return known.expired(); });
    });
    sweep_at_ = std::max(sweep_at_first, 2 * known_.size());
}

}  // namespace holdfast::location
