#include "doctor/reach_findings.h"

#include <algorithm>

#include "doctor/account_findings.h"
#include "doctor/words.h"

namespace holdfast::doctor {

namespace {

bool is_success(const PingSeen& ping) { return ping.status >= 200 && ping.status < 300; }

std::string answer_of(const PingSeen& ping) { return ping.status == 0 ? "no answer" : ping.words; }

// That it may not be asked says nothing of calls.
bool refuses_options(const PingSeen& ping) {
    return ping.status == 401 || ping.status == 403 || ping.status == 405 || ping.status == 407 ||
           ping.status == 501;
}

// R1 with our own binding: proof is only the copy that arrives here.
Finding proof(const Seen& seen, const PingSeen& ping) {
    const auto through = doctor::name_of(seen.servers[ping.server]);
    if (ping.came_back)
        return found(Step::reachability, Verdict::good,
                     "a request for the account that goes to " + through + " arrives at this host");
    if (is_success(ping))  // R2
        return found(Step::reachability, Verdict::unknown,
                     through + " answers OPTIONS to the account itself (" + answer_of(ping) +
                         "): whether calls arrive cannot be proven through it");
    if (refuses_options(ping))
        return found(Step::reachability, Verdict::unknown,
                     through + " refuses OPTIONS to the account (" + answer_of(ping) +
                         "): whether calls arrive cannot be proven through it");
    const auto& trial = seen.account.trial;
    const bool unknown_there =
        std::ranges::find(trial.not_listed_at, ping.server) != trial.not_listed_at.end();
    return found(Step::reachability, Verdict::bad,
                 "a request for the account that goes to " + through +
                     " does not arrive at this host (" + answer_of(ping) + ")",
                 unknown_there ? "that server does not know what is registered at " +
                                     doctor::name_of(seen.servers[trial.server])
                               : "calls that come in through it are lost",
                 unknown_there ? "one location service for all servers"
                               : "look at the NAT and the firewall here, then ask the provider");
}

// Others are bound, and we must not be: whether anybody of them answers.
Finding ping_of_others(const Seen& seen, const PingSeen& ping) {
    const auto through = doctor::name_of(seen.servers[ping.server]);
    if (is_success(ping))
        return found(Step::reachability, Verdict::good,
                     "OPTIONS to the account through " + through + " is answered: " + ping.words);
    if (ping.status == 0 || ping.status == 404 || ping.status == 408 || ping.status == 480)
        return found(
            Step::reachability, Verdict::bad,
            "OPTIONS to the account through " + through + " reaches nobody: " + answer_of(ping),
            "so do calls that come in through it", "see the bindings above");
    return found(Step::reachability, Verdict::unknown,
                 "OPTIONS to the account through " + through + " gets " + ping.words +
                     ": whether calls arrive, it does not tell");
}

}  // namespace

Findings reach_findings(const Seen& seen) {
    Findings findings;
    const auto& account = seen.account;
    if (account.access != Access::accepted) return findings;
    for (const auto& ping : account.proofs) findings.push_back(proof(seen, ping));
    if (account.proofs.empty())
        for (const auto& ping : account.pings) findings.push_back(ping_of_others(seen, ping));
    if (seen.phone)
        findings.push_back(
            found(Step::reachability, seen.phone->registered ? Verdict::good : Verdict::bad,
                  "the phone that runs on this host says: " + seen.phone->state +
                      (seen.phone->reachable ? ", and a request to itself arrives" : ""),
                  seen.phone->registered ? "" : "calls do not reach it",
                  seen.phone->registered ? "" : "look at its output: it says why"));
    if (findings.empty())
        findings.push_back(
            found(Step::reachability, Verdict::unknown,
                  "whether calls arrive could not be tried" +
                      (account.trial.words.empty() ? "" : ": " + account.trial.words)));
    return findings;
}

}  // namespace holdfast::doctor
