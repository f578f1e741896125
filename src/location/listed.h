// Which targets DNS lists (L4): a target is listed when it is in any of the last answers, or was
// seen a short while ago, whichever is more. Weighted DNS servers answer with subsets; one answer
// without a target means nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/time.h"
#include "location/candidate_pool.h"
#include "location/lookup.h"

namespace holdfast::location {

class ListedTargets {
public:
    struct Window {
        std::uint32_t answers = 3;
        Duration age = std::chrono::minutes{10};
    };
    ListedTargets() : ListedTargets(Window{}) {}
    explicit ListedTargets(Window window) : window_(window) {}

    // One good answer, complete. What is listed no longer is forgotten.
    void note(Instant now, const std::vector<Candidate>& candidates, CandidatePool& pool);
    [[nodiscard]] bool is_listed(const Target& target, Instant now) const;
    // Each listed target as its latest answer had it, in the order they were first seen.
    [[nodiscard]] std::vector<Candidate> listed(Instant now) const;
    [[nodiscard]] std::vector<SharedCandidate> shared(Instant now) const;  // the same ones
    void clear() { entries_.clear(); }

private:
    struct Entry {
        SharedCandidate candidate;
        Instant seen;
        std::uint64_t answer = 0;
    };
    [[nodiscard]] bool counts(const Entry& entry, Instant now) const;

    Window window_;
    std::vector<Entry> entries_;
    std::uint64_t answers_ = 0;
};

}  // namespace holdfast::location
