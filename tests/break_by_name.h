// HOLDFAST_BREAK=RULE in the environment of a test program of a breakable build breaks that rule
// (src/base/broken_rule.h, tools/check-broken-rules). In every other build this is empty.
#pragma once

#include "base/broken_rule.h"

#ifdef HOLDFAST_BREAKABLE

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace holdfast {

struct NamedRule {
    std::string_view name;
    BrokenRule rule;
};
constexpr std::array breakable_rules{
    NamedRule{"affinity", BrokenRule::affinity},
    NamedRule{"mapping_per_flow", BrokenRule::mapping_per_flow},
    NamedRule{"changed_mapping", BrokenRule::changed_mapping},
    NamedRule{"refresh_in_time", BrokenRule::refresh_in_time},
    NamedRule{"keep_alive", BrokenRule::keep_alive},
    NamedRule{"suspicion", BrokenRule::suspicion},
    NamedRule{"failover", BrokenRule::failover},
    NamedRule{"probes", BrokenRule::probes},
    NamedRule{"retry_after", BrokenRule::retry_after},
    NamedRule{"cseq_rises", BrokenRule::cseq_rises},
    NamedRule{"old_contact", BrokenRule::old_contact},
    NamedRule{"old_server", BrokenRule::old_server},
    NamedRule{"restart", BrokenRule::restart},
    NamedRule{"other_devices", BrokenRule::other_devices},
    NamedRule{"two_addresses", BrokenRule::two_addresses},
    NamedRule{"rates", BrokenRule::rates},
};

inline const bool broken_by_name = [] {
    const char* const name = std::getenv("HOLDFAST_BREAK");
    if (name == nullptr) return false;
    for (const auto& known : breakable_rules) {
        if (known.name != name) continue;
        broken_rule = known.rule;
        return true;
    }
    std::fprintf(stderr, "HOLDFAST_BREAK: there is no rule %s\n", name);
    std::exit(2);
}();

}  // namespace holdfast

#endif
