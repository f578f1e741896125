#include "lab/swarm_shrink.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

namespace holdfast::lab {

using namespace std::chrono_literals;

namespace {

using Parts = std::vector<std::string>;

class Shrinking {
public:
    Shrinking(const WorldPlan& plan, std::string_view kind,
              const std::function<Complaints(const WorldPlan&)>& run, std::size_t tries)
        : kind_(kind), run_(run), most_(tries) {
        best_.plan = plan;
    }

    Shrunk shrink() {
        halve_time();
        for (bool smaller = true; smaller && !tired();) {
            smaller = leave_out_parts();
            smaller = cut_time() || smaller;
        }
        best_.is_minimal = !tired();
        return std::move(best_);
    }

private:
    [[nodiscard]] bool tired() const { return best_.tries >= most_; }

    // Whether this world fails in the same way; then it is the best so far.
    bool still_fails(WorldPlan plan) {
        if (tired()) return false;
        ++best_.tries;
        auto complaints = run_(plan);
        if (std::ranges::none_of(complaints,
                                 [&](const std::string& c) { return kind_of(c) == kind_; }))
            return false;
        best_.plan = std::move(plan);
        best_.complaints = std::move(complaints);
        return true;
    }

    bool fails_until(Duration end) {
        auto plan = best_.plan;
        plan.ends = end;
        std::erase_if(plan.faults, [&](const PlannedFault& fault) { return fault.at >= end; });
        return still_fails(std::move(plan));
    }

    void halve_time() {
        while (best_.plan.ends >= 2 * shortest_time &&
               fails_until(best_.plan.ends / 2 / shortest_time * shortest_time)) {
        }
    }

    // Towards the end of the last fault, in ever smaller steps.
    bool cut_time() {
        Duration busy = shortest_time;
        for (const auto& fault : best_.plan.faults)
            busy = std::max(busy, fault.at + fault.lasts + shortest_time);
        const auto least = busy / shortest_time * shortest_time;
        bool cut = false;
        for (auto step = best_.plan.ends - least; step >= shortest_time;) {
            step = step / shortest_time * shortest_time;
            const auto end = (best_.plan.ends - step) / shortest_time * shortest_time;
            if (end >= least && end < best_.plan.ends && fails_until(end))
                cut = true;
            else
                step /= 2;
        }
        return cut;
    }

    // Without these parts of the best world.
    bool fails_without(const Parts& gone) {
        std::set<std::string> kept;
        for (auto& part : parts_of(best_.plan)) kept.insert(std::move(part));
        for (const auto& part : gone) kept.erase(part);
        auto plan = best_.plan;
        // With a phone goes its other device; a world needs a phone and a node.
        return keep_only(plan, kept).has_value() && still_fails(std::move(plan));
    }

    // ddmin: half of the parts, then quarters, … then each alone.
    bool leave_out_parts() {
        bool left_out = false;
        auto parts = parts_of(best_.plan);
        for (auto size = (parts.size() + 1) / 2; size > 0 && !tired();) {
            bool one = false;
            for (std::size_t at = 0; at < parts.size() && !tired();) {
                const auto end = std::min(parts.size(), at + size);
                const Parts gone(parts.begin() + static_cast<std::ptrdiff_t>(at),
                                 parts.begin() + static_cast<std::ptrdiff_t>(end));
                if (!fails_without(gone)) {
                    at = end;
                    continue;
                }
                one = left_out = true;
                parts = parts_of(best_.plan);
            }
            if (one && size == 1) continue;  // each is tried again once another has gone
            size /= 2;
        }
        return left_out;
    }

    std::string_view kind_;
    const std::function<Complaints(const WorldPlan&)>& run_;
    std::size_t most_;
    Shrunk best_;
};

}  // namespace

std::string_view kind_of(std::string_view complaint) {
    return complaint.substr(0, complaint.find(':'));
}

Shrunk shrink(const WorldPlan& plan, std::string_view kind,
              const std::function<Complaints(const WorldPlan&)>& run, std::size_t tries) {
    return Shrinking(plan, kind, run, tries).shrink();
}

}  // namespace holdfast::lab
