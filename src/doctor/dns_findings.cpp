#include "doctor/dns_findings.h"

#include <algorithm>
#include <set>
#include <variant>

#include "doctor/words.h"

namespace holdfast::doctor {

using namespace std::chrono_literals;

namespace {

constexpr Duration long_ttl = 24h;
constexpr Duration short_ttl = 5s;

template <class T>
std::vector<T> records_of(const dns::Answer& answer) {
    std::vector<T> found;
    for (const auto& record : answer.records)
        if (const auto* one = std::get_if<T>(&record)) found.push_back(*one);
    return found;
}

std::string text_of(const dns::Record& record) {
    if (const auto* address = std::get_if<IpAddress>(&record)) return address->to_string();
    if (const auto* srv = std::get_if<dns::Srv>(&record))
        return std::to_string(srv->priority) + " " + std::to_string(srv->weight) + " " +
               std::to_string(srv->port) + " " + (srv->target.empty() ? "." : srv->target);
    if (const auto* naptr = std::get_if<dns::Naptr>(&record))
        return std::to_string(naptr->order) + " " + std::to_string(naptr->preference) + " " +
               naptr->service + " " + naptr->replacement;
    const auto& alias = std::get<dns::Cname>(record);
    return "alias " + alias.name;
}

std::string name_of(const dns::Question& question) {
    return std::string(dns::name_of(question.type)) + " " + question.name;
}

bool has_addresses(const dns::Answer& answer) { return !records_of<IpAddress>(answer).empty(); }

class DnsJudge {
public:
    DnsJudge(const Seen& seen, const HopSeen& hop) : seen_(seen), hop_(hop) {}

    Findings judge() {
        if (IpAddress::parse(hop_.hop.host)) {
            say(Verdict::good, hop_.hop.host + " is an address: DNS is not asked");
            return std::move(findings_);
        }
        lookup();
        for (const auto& asked : hop_.asked) one(asked);
        if (!hop_.outcome.candidates.empty()) services();
        for (const auto& asked : hop_.asked)
            if (asked.question.type == dns::RecordType::srv && !asked.answers.empty())
                for (const auto& srv : records_of<dns::Srv>(asked.answers.front())) target(srv);
        return std::move(findings_);
    }

private:
    void say(Verdict verdict, std::string seen, std::string why = {}, std::string remedy = {}) {
        findings_.push_back(
            found(Step::dns, verdict, std::move(seen), std::move(why), std::move(remedy)));
    }

    void lookup() {
        const auto& outcome = hop_.outcome;
        switch (outcome.status) {
        case location::LookupStatus::ok:
            return say(Verdict::good, hop_.hop.host + " leads to " +
                                          count_of(outcome.candidates.size(), "server address",
                                                   "server addresses (each with its transport)") +
                                          "; to be asked again after " + seconds(outcome.ttl));
        case location::LookupStatus::nxdomain:
            return say(Verdict::bad, hop_.hop.host + " does not exist (NXDOMAIN)",
                       "nobody can find the servers of this account",
                       "look for a typing error in the account's domain; if it is right, its owner "
                       "must enter the name");
        case location::LookupStatus::empty:
            return say(Verdict::bad,
                       hop_.hop.host + " exists, but leads to no server" +
                           (outcome.problem.empty() ? "" : ": " + outcome.problem),
                       "nobody can find the servers of this account",
                       "the domain's owner must enter SRV or address records for SIP");
        case location::LookupStatus::failed:
            return say(
                Verdict::bad,
                "DNS gave no answer" + (outcome.problem.empty() ? "" : ": " + outcome.problem),
                "a phone that starts now finds no server; one that has run before uses what "
                "it knew",
                "look at this host's name servers (resolv.conf), or try another with --dns");
        }
    }

    // Failures, rotation and changes of one question's answers.
    void one(const AskedSeen& asked) {
        std::set<std::string> failures;
        for (const auto& answer : asked.answers)
            if (dns::is_failure(answer.status))
                failures.insert(std::string(dns::name_of(answer.status)));
        if (!failures.empty() && hop_.outcome.status != location::LookupStatus::failed)
            say(Verdict::doubtful,
                name_of(asked.question) + ": " +
                    list_of(std::vector<std::string>(failures.begin(), failures.end())) + " (of " +
                    count_of(asked.answers.size(), "question", "questions") + ")",
                "servers behind this name may not be found",
                "look at the domain's name servers: they must answer every type of question, if "
                "only with nothing");
        if (asked.question.type == dns::RecordType::a ||
            asked.question.type == dns::RecordType::aaaa)
            order(asked);
        lifetime(asked);
    }

    void order(const AskedSeen& asked) {
        std::set<std::vector<IpAddress>> orders;
        std::set<std::vector<IpAddress>> sets;
        for (const auto& answer : asked.answers) {
            if (dns::is_failure(answer.status)) continue;
            auto addresses = records_of<IpAddress>(answer);
            orders.insert(addresses);
            std::ranges::sort(addresses);
            sets.insert(std::move(addresses));
        }
        if (sets.size() > 1)
            return say(Verdict::doubtful,
                       name_of(asked.question) + ": the answers to " +
                           count_of(asked.answers.size(), "question", "questions") +
                           " name different addresses",
                       "a phone that asks for each request goes to another server each time; "
                       "Holdfast stays with the one that works",
                       "if the servers do not share their location service: give them names with "
                       "SRV priorities instead");
        if (orders.size() > 1)
            say(Verdict::doubtful,
                name_of(asked.question) +
                    ": the order of the addresses changes from one answer "
                    "to the next",
                "phones that take the first address go to another server at each refresh: behind "
                "a NAT calls are then lost, and digest nonces are refused. Holdfast ranks the "
                "addresses itself and stays with one",
                "SRV records with priorities say which server comes first (RFC 2782)");
    }

    void lifetime(const AskedSeen& asked) {
        for (const auto& answer : asked.answers) {
            if (answer.records.empty()) continue;
            if (answer.ttl > long_ttl)
                return say(Verdict::doubtful,
                           name_of(asked.question) + " may be kept for " + seconds(answer.ttl),
                           "a server that is replaced is still asked for as long as that",
                           "a TTL of a few minutes");
        }
        const auto& answers = asked.answers;
        const bool brief = !answers.empty() && std::ranges::all_of(answers, [](const auto& answer) {
            return !answer.records.empty() && answer.ttl < short_ttl;
        });
        if (brief)
            say(Verdict::doubtful,
                name_of(asked.question) + " may be kept for " + seconds(answers.front().ttl) +
                    " only",
                "every lookup goes to the domain's own name servers: when these are down, the "
                "servers are not found",
                "a TTL of a minute or more");
    }

    void services() {
        std::vector<std::string> found;
        for (const auto& asked : hop_.asked) {
            if (asked.question.type != dns::RecordType::srv &&
                asked.question.type != dns::RecordType::naptr)
                continue;
            if (asked.answers.empty() || asked.answers.front().records.empty()) continue;
            std::vector<std::string> records;
            for (const auto& record : asked.answers.front().records)
                records.push_back(text_of(record));
            say(Verdict::good, name_of(asked.question) + ": " + list_of(records));
            has_srv_ = has_srv_ || asked.question.type == dns::RecordType::srv;
        }
        addresses();
        const bool may_have = hop_.hop.port == 0;
        std::set<IpAddress> at;
        for (const auto& candidate : hop_.outcome.candidates)
            at.insert(candidate.target.endpoint.address);
        if (!may_have || has_srv_) return;
        if (at.size() > 1)
            return say(Verdict::doubtful,
                       hop_.hop.host + " has no SRV records, and " +
                           count_of(at.size(), "address", "addresses"),
                       "nothing says which server comes first, and which transport it takes: each "
                       "phone has its own idea (RFC 3263 §4.2)",
                       "SRV records, as in _sip._udp." + hop_.hop.host + ". SRV 10 0 5060 sip1." +
                           hop_.hop.host + ".");
        say(Verdict::good, hop_.hop.host + " has no SRV records, and one address");
    }

    void addresses() {
        std::vector<std::string> names;
        for (const auto& asked : hop_.asked) {
            const auto type = asked.question.type;
            if (type != dns::RecordType::a && type != dns::RecordType::aaaa) continue;
            if (asked.answers.empty() || !has_addresses(asked.answers.front())) continue;
            std::vector<std::string> here;
            for (const auto& address : records_of<IpAddress>(asked.answers.front()))
                here.push_back(address.to_string());
            say(Verdict::good, name_of(asked.question) + ": " + list_of(here) + " (TTL " +
                                   seconds(asked.answers.front().ttl) + ")");
        }
    }

    // An SRV record whose name has no address, or is an alias.
    void target(const dns::Srv& srv) {
        if (srv.target.empty() || !told_.insert(srv.target).second) return;
        bool asked_any = false;
        bool found = false;
        bool failed = false;
        bool alias = false;
        for (const auto& asked : hop_.asked) {
            if (asked.question.name != srv.target || asked.answers.empty()) continue;
            const auto& answer = asked.answers.front();
            asked_any = true;
            found = found || has_addresses(answer);
            failed = failed || dns::is_failure(answer.status);
            alias = alias || !records_of<dns::Cname>(answer).empty();
        }
        if (!asked_any || failed) return;
        if (!found && !alias) {
            // Of a family that this host has no address of.
            const bool both = seen_.has_ipv4 && seen_.has_ipv6;
            return say(hop_.outcome.candidates.empty() ? Verdict::bad : Verdict::doubtful,
                       "an SRV record names " + srv.target + ", which has no " +
                           (both             ? "address"
                            : seen_.has_ipv4 ? "IPv4 address"
                                             : "IPv6 address"),
                       "who chooses this record (its priority is " + std::to_string(srv.priority) +
                           ") reaches nobody, and some phones go no further",
                       "enter its address, or take the SRV record away");
        }
        if (alias)
            say(Verdict::doubtful,
                "an SRV record names " + srv.target + ", which is an alias (CNAME)",
                "it must not be one (RFC 2782), and not every phone follows it",
                "name the server itself in the SRV record");
    }

    const Seen& seen_;
    const HopSeen& hop_;
    Findings findings_;
    std::set<std::string> told_;
    bool has_srv_ = false;
};

}  // namespace

Findings dns_findings(const Seen& seen) {
    Findings all;
    for (const auto& hop : seen.hops) {
        auto of_hop = DnsJudge(seen, hop).judge();
        all.insert(all.end(), std::make_move_iterator(of_hop.begin()),
                   std::make_move_iterator(of_hop.end()));
    }
    return all;
}

}  // namespace holdfast::doctor
