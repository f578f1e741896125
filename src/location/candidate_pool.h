// Accounts that asked the same question got the same candidates: those that are equal are one
// object, for as long as somebody holds it.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <vector>

#include "base/address.h"
#include "location/lookup.h"

namespace holdfast::location {

using SharedCandidate = std::shared_ptr<const Candidate>;

class CandidatePool {
public:
    // Equal to the given one; the same object as long as that one is held.
    SharedCandidate share(const Candidate& candidate);
    // Targets that somebody holds, or that nobody has tidied up after yet.
    [[nodiscard]] std::size_t targets() const { return known_.size(); }

private:
    void sweep();

    static constexpr std::size_t sweep_at_first = 64;
    // A target is described in few ways: what names lead to it, with which rank.
    std::map<Target, std::vector<std::weak_ptr<const Candidate>>> known_;
    std::size_t sweep_at_ = sweep_at_first;
};

}  // namespace holdfast::location
