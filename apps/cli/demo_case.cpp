#include "apps/cli/demo_case.h"

#include <algorithm>

#include "base/check.h"

namespace holdfast::cli {

using namespace std::chrono_literals;

namespace {

constexpr std::string_view microsip = "microsip";
constexpr std::string_view microsip_3_20 = "microsip-3.20";
constexpr std::string_view holdfast = "holdfast";

// Between two calls that rang, less than that is no time without reachability.
constexpr Duration call_in_flight = 1s;

}  // namespace

// The limits are those of the project's measurements ("Staying registered"): S1 1.5 s, S5 the
// keep-alive in force (24 to 29 s) + 3 s, S7 the keep-alive + 1 s; and up to one interval between
// two calls, which is what can be seen.
const std::vector<DemoCase>& demo_cases() {
    static const std::vector<DemoCase> cases{
        {.name = "refreshes, DNS rotates",
         .story = "The registrar grants 20 s: several refreshes in a minute.",
         .fault = DemoFault::none,
         .granted = 20,
         .presets = {microsip, microsip_3_20, holdfast},
         .limit = 0s},
        {.name = "first server dead, DNS fixed",
         .story = "The server that the phone takes first never answers.",
         .fault = DemoFault::first_choice_dead,
         .dns_rotates = false,
         .presets = {microsip, holdfast},
         .limit = 1500ms},
        {.name = "first server dead, rotating",
         .story = "The same, but each DNS answer begins with another server.",
         .fault = DemoFault::first_choice_dead,
         .presets = {microsip, holdfast},
         .limit = 1500ms},
        {.name = "its server dies",
         .story = "The server that has the registration falls silent.",
         .fault = DemoFault::server_dies,
         .presets = {microsip, holdfast},
         .limit = 29s + 3s},
        {.name = "the NAT rebinds",
         .story = "New public ports for all flows; the old ones lead nowhere.",
         .fault = DemoFault::nat_rebinds,
         .presets = {microsip, microsip_3_20, holdfast},
         .limit = 29s + 1s},
    };
    return cases;
}

lab::ClusterOptions cluster_options(const DemoCase& demo_case) {
    lab::ClusterOptions options;
    // As servers do that are kind to phones behind NAT: they reach them where their REGISTER came
    // from.
    options.server.use_received = true;
    if (demo_case.granted != 0) options.server.rules.max_expires = demo_case.granted;
    return options;
}

lab::NatOptions nat_options() {
    lab::NatOptions options;
    options.mapping = lab::Dependence::address_and_port_dependent;
    options.public_address = "203.0.113.195";
    return options;
}

lab::RecordOptions record_options(const DemoCase& demo_case) {
    return {.ttl = 60s, .rotate = demo_case.dns_rotates};
}

lab::CallerOptions caller_options(Duration every) {
    lab::CallerOptions options;
    options.aor = demo_aor;
    options.kind = lab::CallKind::invite;
    options.every = every;
    options.rings_for = 100ms;
    return options;
}

Unreachable unreachable_of(const lab::Caller& caller, Instant started, Instant now) {
    Unreachable result;
    auto last = started;
    std::size_t missed = 0;
    bool rang = false;
    for (const auto& call : caller.calls()) {
        ++result.calls;
        if (!call.reached) {
            ++missed;
            continue;
        }
        if (missed > 0) result.length = std::max(result.length, call.at - last);
        if (rang) result.lost += missed;
        rang = true;
        missed = 0;
        last = call.at;
    }
    if (missed > 0 && now - last > call_in_flight) {
        result.still = true;
        result.length = now - last;
        if (rang) result.lost += missed;
    }
    return result;
}

bool keeps_promise(const DemoOutcome& outcome) {
    const auto& live = outcome.live;
    if (live.still || live.calls == 0 || !outcome.registered_after) return false;
    switch (outcome.of->fault) {
    case DemoFault::none:
        return outcome.moves == 0 && outcome.removals == 0 && outcome.most_bindings == 1 &&
               live.lost == 0;
    case DemoFault::first_choice_dead:
        return *outcome.registered_after <= outcome.of->limit &&
               live.length <= outcome.of->limit + call_interval;
    case DemoFault::server_dies:
    case DemoFault::nat_rebinds: return live.length <= outcome.of->limit + call_interval;
    }
    return false;
}

}  // namespace holdfast::cli
