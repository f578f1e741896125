// What the doctor says of an account, as data: one finding is one thing that was looked at, with a
// verdict, what was seen, why it matters and what to do. Nothing here knows how it was seen.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::doctor {

enum class Verdict : std::uint8_t {
    good,
    unknown,   // could not be judged here; counts for nothing
    doubtful,  // works, but not for everybody or not for long
    bad,       // calls are lost by it, or nobody can register
};
std::string_view name_of(Verdict verdict);  // "good"

// In the order in which they are told.
enum class Step : std::uint8_t {
    dns,
    servers,
    nat,
    registration,
    bindings,
    reachability,
    path,
    clock,
};
std::string_view name_of(Step step);   // "dns": in JSON, a promise
std::string_view title_of(Step step);  // "DNS"

struct Finding {
    Step step = Step::dns;
    Verdict verdict = Verdict::good;
    std::string seen;
    std::string why;     // "" : speaks for itself
    std::string remedy;  // what to do; "" : nothing
};
using Findings = std::vector<Finding>;
Finding found(Step step, Verdict verdict, std::string seen, std::string why = {},
              std::string remedy = {});

// The worst that is certain: good, doubtful or bad. Good of none.
Verdict overall(std::span<const Finding> findings);

}  // namespace holdfast::doctor
