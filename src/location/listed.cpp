#include "location/listed.h"

#include <algorithm>

#include "location/limits.h"

namespace holdfast::location {

void ListedTargets::note(Instant now, const std::vector<Candidate>& candidates,
                         CandidatePool& pool) {
    ++answers_;
    for (const auto& candidate : candidates) {
        const auto known = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) {
            return entry.candidate->target == candidate.target;
        });
        if (known == entries_.end())
            entries_.push_back({pool.share(candidate), now, answers_});
        else
            *known = {pool.share(candidate), now, answers_};
    }
    std::erase_if(entries_, [&](const Entry& entry) { return !counts(entry, now); });
    entries_.shrink_to_fit();  // few answers bring a target that is new
    if (entries_.size() <= limits::listed_targets) return;
    // Too many: those that were seen longest ago go first.
    std::stable_sort(entries_.begin(), entries_.end(),
                     [](const Entry& a, const Entry& b) { return a.answer > b.answer; });
    entries_.resize(limits::listed_targets);
}

bool ListedTargets::is_listed(const Target& target, Instant now) const {
    return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) {
        return entry.candidate->target == target && counts(entry, now);
    });
}

std::vector<Candidate> ListedTargets::listed(Instant now) const {
    std::vector<Candidate> candidates;
    candidates.reserve(entries_.size());
    for (const auto& entry : entries_)
        if (counts(entry, now)) candidates.push_back(*entry.candidate);
    return candidates;
}

std::vector<SharedCandidate> ListedTargets::shared(Instant now) const {
    std::vector<SharedCandidate> candidates;
    candidates.reserve(entries_.size());
    for (const auto& entry : entries_)
        if (counts(entry, now)) candidates.push_back(entry.candidate);
    return candidates;
}

bool ListedTargets::counts(const Entry& entry, Instant now) const {
    return answers_ - entry.answer < window_.answers || now - entry.seen <= window_.age;
}

}  // namespace holdfast::location
