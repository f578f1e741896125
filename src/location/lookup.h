// RFC 3263 §4.1–4.2 as a machine (L1): a next hop becomes a set of candidates, by asking DNS
// questions.
//
//     Lookup lookup{next_hop, constraints};
//     std::vector<dns::Question> ask;
//     lookup.start(ask);                              // … resolve each of them …
//     lookup.on_answer(question, answer, ask);        // … and what it asks then, until
//     if (lookup.done()) use(ranked(lookup.outcome().candidates, key, order, &random));
//
// A sub-question that fails costs only its own candidates. Every question is asked once; their
// number is limited.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/dns.h"
#include "base/time.h"
#include "location/names.h"
#include "location/next_hop.h"
#include "location/rank_key.h"

namespace holdfast::location {

struct Constraints {
    // Allowed, the preferred first; one element if the account fixes it (then it counts as
    // explicit: no NAPTR).
    std::vector<Transport> transports{Transport::tls, Transport::tcp, Transport::udp};
    bool ipv4 = true;  // is there a source address of that family?
    bool ipv6 = true;
    bool use_naptr = true;
    bool use_srv = true;
    RankKey key = {};  // so that an answer of too many records is cut after ranking (L2)
};

struct Candidate {
    Target target;
    std::uint32_t tier =
        0;  // 0 is best: NAPTR order and preference, then SRV priority, as one dense number
    std::uint32_t priority = 0;  // as in the SRV record, for display
    std::uint32_t weight = 0;
    std::string host;    // the name its address came from
    std::string reason;  // why this rank, in words
    friend bool operator==(const Candidate&, const Candidate&) = default;
};

enum class LookupStatus : std::uint8_t {
    ok,        // there are candidates
    nxdomain,  // the name does not exist
    empty,     // the name exists, but leads nowhere
    failed,    // DNS did not answer, or this host has no address
};

struct Outcome {
    LookupStatus status = LookupStatus::failed;
    std::vector<Candidate> candidates;  // not ranked: in the order of the answers, each target once
    Duration ttl{};                     // the smallest of all answers used; 0 if all failed
    // Some question failed, so that the set may be smaller or other than the domain's own: prefer
    // the last good (L5).
    bool partial = false;
    std::string problem;  // what went wrong or was skipped: the name asked and the server's status
};

class Lookup {
public:
    Lookup(NextHop next_hop, Constraints constraints, HostsFileNames hosts_file = {});

    // A number is done at once, nothing is asked. Questions are appended.
    void start(std::vector<dns::Question>& ask);
    // Answers to questions that are not ours, or that came before, are ignored.
    void on_answer(const dns::Question& question, const dns::Answer& answer,
                   std::vector<dns::Question>& ask);

    [[nodiscard]] bool done() const { return done_; }
    [[nodiscard]] bool waits_for(const dns::Question& question) const;
    [[nodiscard]] const NextHop& next_hop() const { return next_hop_; }
    // When not done: what the answers so far amount to, marked partial. One slow question need not
    // hold up the others.
    [[nodiscard]] const Outcome& outcome() const { return outcome_; }

private:
    void evaluate(std::vector<dns::Question>& ask);

    NextHop next_hop_;
    Constraints constraints_;
    HostsFileNames hosts_file_;
    std::map<dns::Question, std::optional<dns::Answer>> asked_;  // nothing: not answered yet
    std::vector<dns::Question> needed_;  // not answered, and we wait for them
    Outcome outcome_;
    bool done_ = false;
};

// Which transports an account may use now (L1). fixed: by the account or ;transport=. After TLS has
// worked, automatic choice goes to clear text only if the user allows it.
struct TransportChoice {
    std::optional<Transport> fixed = {};
    bool secure = false;  // sips
    bool tls_has_worked = false;
    bool allow_downgrade = false;
};
std::vector<Transport> allowed_transports(const TransportChoice& choice);

}  // namespace holdfast::location
