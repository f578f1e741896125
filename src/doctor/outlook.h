// The last paragraph of a report: is the account reachable, through what, and for how long it would
// not be if that server died, under a policy: from the rules' own figures (K1, K2, F3; measured.md
// for the other clients), nothing else.
#pragma once

#include <optional>
#include <string>

#include "base/time.h"
#include "doctor/finding.h"
#include "doctor/seen.h"
#include "registration/policy.h"

namespace holdfast::doctor {

// What happens to a phone with that policy when the server it is registered with falls silent.
struct Outage {
    // Until it is registered elsewhere; nothing: not before that server is back (there is no other,
    // or the policy does not leave it).
    std::optional<Duration> at_most{};
    Duration noticed_after{};  // by then it knows
    Duration tries_every{};    // if there is no other: so often it looks whether it is back
    bool by_luck = false;      // at_most, if DNS then names another one first
};
struct Ground {
    Transport transport = Transport::udp;
    std::size_t others = 0;                        // servers that would take the account as well
    Duration rtt{};                                // to the slowest of them
    Duration expires = std::chrono::seconds{300};  // as granted
};
Outage outage(const registration::Policy& policy, const Ground& ground);

std::string outlook(const Seen& seen, const Findings& findings, const registration::Policy& policy);

}  // namespace holdfast::doctor
