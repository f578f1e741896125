#include "doctor/finding.h"

#include <algorithm>
#include <utility>

namespace holdfast::doctor {

std::string_view name_of(Verdict verdict) {
    switch (verdict) {
    case Verdict::good: return "good";
    case Verdict::unknown: return "unknown";
    case Verdict::doubtful: return "doubtful";
    case Verdict::bad: return "bad";
    }
    return "?";
}

std::string_view name_of(Step step) {
    switch (step) {
    case Step::dns: return "dns";
    case Step::servers: return "servers";
    case Step::nat: return "nat";
    case Step::registration: return "registration";
    case Step::bindings: return "bindings";
    case Step::reachability: return "reachability";
    case Step::path: return "path";
    case Step::clock: return "clock";
    }
    return "?";
}

std::string_view title_of(Step step) {
    switch (step) {
    case Step::dns: return "DNS";
    case Step::servers: return "Servers";
    case Step::nat: return "NAT";
    case Step::registration: return "Registration";
    case Step::bindings: return "Bindings";
    case Step::reachability: return "Reachability";
    case Step::path: return "Large requests";
    case Step::clock: return "Clock";
    }
    return "?";
}

Finding found(Step step, Verdict verdict, std::string seen, std::string why, std::string remedy) {
    return {.step = step,
            .verdict = verdict,
            .seen = std::move(seen),
            .why = std::move(why),
            .remedy = std::move(remedy)};
}

Verdict overall(std::span<const Finding> findings) {
    auto worst = Verdict::good;
    for (const auto& finding : findings)
        if (finding.verdict != Verdict::unknown) worst = std::max(worst, finding.verdict);
    return worst;
}

}  // namespace holdfast::doctor
