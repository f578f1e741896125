#include "doctor/outlook.h"

#include <algorithm>

#include "doctor/account_findings.h"
#include "doctor/server_findings.h"
#include "doctor/words.h"

namespace holdfast::doctor {

using namespace std::chrono_literals;

namespace {

constexpr Duration unanswered_keep_alive = 2s;  // K2
constexpr Duration probes_later = 200ms;        // K2
constexpr Duration pong_limit = 10s;            // K1, of streams
constexpr int round_trips = 4;                  // F3
constexpr Duration timer_f = 32s;               // RFC 3261 §17.1.2.2
constexpr Duration probe_round = 8s;            // S1, in the first 5 min
constexpr Duration plain_default_retry = 30s;

// K1, K2 and F3, one after the other.
Outage of_resilient(const registration::Policy& policy, const Ground& ground) {
    Outage outage;
    outage.noticed_after = is_reliable(ground.transport)
                               ? policy.stream_keepalive_max + pong_limit
                               : policy.keepalive_max + unanswered_keep_alive;
    outage.tries_every = probe_round;
    if (ground.others > 0)
        outage.at_most =
            outage.noticed_after + probes_later + policy.probe_spacing + round_trips * ground.rtt;
    return outage;
}

// Nothing is noticed before the next refresh; its silence is waited out; then the first retry.
Outage of_plain(const registration::Policy& policy, const Ground& ground) {
    Outage outage;
    const auto refresh = policy.refresh_before > 0s
                             ? ground.expires - std::min(ground.expires, policy.refresh_before)
                             : scaled(ground.expires, policy.refresh_to);
    outage.noticed_after = refresh + timer_f;
    outage.tries_every = std::max(policy.retry_max, plain_default_retry);
    if (ground.others == 0) return outage;
    switch (policy.failover) {
    case registration::Failover::fast:
    case registration::Failover::on_timeout: outage.at_most = outage.noticed_after; break;
    case registration::Failover::on_connect_failure:
        outage.at_most = outage.noticed_after + policy.first_retry_max;
        outage.by_luck = true;
        break;
    }
    return outage;
}

std::vector<std::size_t> takers(const Seen& seen) {
    std::vector<std::size_t> found;
    for (const auto& fetch : seen.account.fetches)
        if (fetch.status >= 200 && fetch.status < 300) found.push_back(fetch.server);
    if (found.empty() && seen.account.decided_by) found.push_back(*seen.account.decided_by);
    return found;
}

std::string of_holdfast(const Outage& outage, const std::string& who, const std::string& server) {
    if (outage.at_most)
        return "If " + server + " died, " + who + " would be unreachable for " +
               seconds(*outage.at_most) + " at most.";
    return "If " + server + " died, " + who + " would notice within " +
           seconds(outage.noticed_after) +
           ", and there is no other server: it would be unreachable until the server is back, and "
           "for up to " +
           seconds(outage.tries_every) + " more if that is within 5 minutes.";
}

// Of the name that the server belongs to, for who asks for no SRV.
std::optional<std::size_t> own_addresses(const Seen& seen, const ServerSeen& server) {
    if (server.place >= seen.hops.size()) return std::nullopt;
    return seen.hops[server.place].own_addresses;
}

std::string of_microsip(const Outage& outage, const Ground& ground) {
    std::string words = "MicroSIP would notice at its next refresh only, up to " +
                        seconds(outage.noticed_after) + " later";
    if (is_reliable(ground.transport))
        return words +
               " if the connection just falls silent; one that is refused it leaves at "
               "once.";
    if (!outage.at_most)
        return words + ", and then ask again every " + seconds(outage.tries_every) + ".";
    return words +
           "; with luck DNS names another server first at its next attempt, and it is back "
           "after " +
           seconds(*outage.at_most) + "; without, it tries again every " +
           seconds(outage.tries_every) + ", for as long as DNS names the dead one first.";
}

}  // namespace

Outage outage(const registration::Policy& policy, const Ground& ground) {
    return policy.style == registration::Style::resilient ? of_resilient(policy, ground)
                                                          : of_plain(policy, ground);
}

std::string outlook(const Seen& seen, const Findings& findings,
                    const registration::Policy& policy) {
    const auto& account = seen.account;
    const auto worst = overall(findings);
    if (account.access != Access::accepted)
        return seen.aor +
               " cannot be registered, and so it cannot be reached: the findings marked "
               "bad say why.";
    const auto able = takers(seen);
    const auto first = account.decided_by.value_or(able.front());
    const auto server = name_of(seen.servers[first]);
    const auto lost = std::ranges::count_if(findings, [](const Finding& finding) {
        return finding.step == Step::reachability && finding.verdict == Verdict::bad;
    });
    const auto proven = std::ranges::count_if(findings, [](const Finding& finding) {
        return finding.step == Step::reachability && finding.verdict == Verdict::good;
    });
    std::string words = seen.aor;
    if (lost > 0 && proven > 0)
        words += " can be reached, but not by everybody: not through every server. ";
    else if (lost > 0)
        words += " cannot be reached now. ";
    else if (proven > 0)
        words += worst == Verdict::bad ? " can be reached, but see what is bad above. "
                                       : " can be reached. ";
    else
        words += " can be registered; whether calls arrive could not be proven. ";
    words += "A phone here registers through " + server + ", one of " +
             count_of(able.size(), "server", "servers") + " that " +
             (able.size() == 1 ? "takes" : "take") + " the account. ";
    Ground ground{.transport = seen.servers[first].candidate.target.transport,
                  .others = able.size() - 1};
    for (const auto index : able)
        if (index != first)
            ground.rtt = std::max(ground.rtt, seen.servers[index].rtt.value_or(Duration{}));
    ground.expires =
        account.trial.granted ? std::chrono::seconds{*account.trial.granted} : policy.expires;
    const auto who = policy.preset == "holdfast" ? std::string("Holdfast")
                                                 : "a phone with the policy " + policy.preset;
    words += of_holdfast(outage(policy, ground), who, server);
    const auto plain = registration::preset("microsip");
    if (!plain) return words;
    if (const auto own = own_addresses(seen, seen.servers[first]); own && !plain->use_srv) {
        if (*own == 0)
            return words +
                   " MicroSIP would not find a server at all: it asks for no SRV records by "
                   "default, and the name has no address of its own.";
        ground.others = *own - 1;
    }
    return words + " " + of_microsip(outage(*plain, ground), ground);
}

}  // namespace holdfast::doctor
