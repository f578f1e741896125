// RFC 3263 §4.1–4.2 (L1).
#include "location/evaluation.h"

#include <algorithm>
#include <limits>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <variant>

#include "base/text.h"
#include "location/answers.h"
#include "location/limits.h"
#include "location/rank.h"
#include "location/services.h"

namespace holdfast::location {

namespace {

using dns::RecordType;

constexpr Duration longest_ttl = std::chrono::hours{24};  // L4: nothing is believed for longer

// 0.0.0.0 is what blocking resolvers answer; fe80:: is unreachable without its zone.
bool can_be_a_target(const IpAddress& address) {
    if (address.is_unspecified() || address.is_multicast()) return false;
    return address.family() == Family::ipv4 || !address.is_link_local();
}

class Evaluation {
public:
    explicit Evaluation(const LookupInputs& inputs)
        : in_(inputs), answers_(inputs.known, inputs.hosts_file) {}

    Evaluated run() {
        select();
        finish();
        return std::move(result_);
    }

private:
    struct Server {  // one SRV record, or the host itself
        Service service;
        dns::Srv srv;
        bool from_srv = false;
    };
    struct Draft {
        std::pair<std::uint32_t, std::uint32_t> tier;  // service, priority
        Candidate candidate;
    };
    struct Addresses {
        std::vector<IpAddress> list;
        bool pending = false;
    };

    void select();
    std::vector<Service> services(const std::vector<Transport>& usable);
    bool add_servers(const std::vector<Service>& services, std::vector<Server>& servers,
                     std::vector<Transport>& off);
    void add_host(const std::vector<Transport>& transports, std::string_view why);
    void add_server(const Server& server);
    void add(const Server& server, const IpAddress& address);
    Addresses addresses_of(const std::string& host);
    void keep_best(std::vector<Server>& servers) const;
    void keep_best(std::vector<IpAddress>& addresses) const;

    const dns::Answer* chase(std::string name, RecordType type) {
        return answers_.chase(std::move(name), type);
    }
    void note(std::string words) { answers_.note(std::move(words)); }
    void finish();

    const LookupInputs& in_;
    Answers answers_;
    Evaluated result_;
    std::vector<Draft> drafts_;
    std::map<Target, std::size_t> draft_of_;
    bool offline_ = false;
    bool numeric_ = false;
    bool host_missing_ = false;  // the next hop's own name: NXDOMAIN
};

void Evaluation::select() {
    const auto& hop = in_.next_hop;
    const auto& constraints = in_.constraints;
    if (!constraints.ipv4 && !constraints.ipv6) {
        offline_ = true;
        return note("this host has no network address");
    }
    const auto usable = usable_transports(hop, constraints.transports);
    if (usable.empty())
        return note(to_string(hop) + ": the account allows none of the transports this asks for");

    if (const auto address = IpAddress::parse(hop.host)) {  // numeric → no DNS
        numeric_ = true;
        const bool possible =
            address->family() == Family::ipv4 ? constraints.ipv4 : constraints.ipv6;
        if (!possible) return note(hop.host + ": this host has no address of that family");
        return add_host(default_transports(usable, hop.port), "numeric address");
    }
    // Explicit port → no SRV (RFC 3263 §4.2); the system's resolver knows only addresses.
    if (hop.port != 0) return add_host(default_transports(usable, hop.port), "explicit port");
    if (!constraints.use_srv || is_system_name(hop.host, in_.hosts_file))
        return add_host(default_transports(usable, 0), "address record");

    std::vector<Server> servers;
    std::vector<Transport> off;
    const bool complete = add_servers(services(usable), servers, off);
    keep_best(servers);
    for (const auto& server : servers) add_server(server);
    if (!servers.empty() || !complete) return;

    // RFC 3263 §4.2: no SRV records, so the addresses of the name itself, at default ports.
    std::vector<Transport> left;
    for (const auto transport : default_transports(usable, 0))
        if (std::find(off.begin(), off.end(), transport) == off.end()) left.push_back(transport);
    if (left.empty()) return note(hop.host + " says that it offers no SIP (SRV target \".\")");
    add_host(left, "no SRV record, address record");
}

// Explicit transport → no NAPTR (RFC 3263 §4.1). While NAPTR is not answered we go on as if there
// were none: most domains have none, and some routers never answer such a question.
std::vector<Service> Evaluation::services(const std::vector<Transport>& usable) {
    const auto& hop = in_.next_hop;
    const bool explicit_transport =
        hop.transport.has_value() || (!hop.secure && in_.constraints.transports.size() == 1);
    if (in_.constraints.use_naptr && !explicit_transport) {
        if (const auto* answer = chase(hop.host, RecordType::naptr)) {
            std::vector<dns::Naptr> records;
            for (const auto& record : answer->records)
                if (const auto* naptr = std::get_if<dns::Naptr>(&record)) records.push_back(*naptr);
            auto services = services_of_naptr(records, usable, answers_.problems());
            if (!services.empty()) return services;
        }
    }
    return services_by_preference(hop.host, usable);
}

// False while an answer is missing.
bool Evaluation::add_servers(const std::vector<Service>& services, std::vector<Server>& servers,
                             std::vector<Transport>& off) {
    bool complete = true;
    std::set<std::pair<std::uint32_t, dns::Srv>> seen;
    for (const auto& service : services) {
        const auto* answer = chase(service.name, RecordType::srv);
        if (!answer) {
            complete = false;
            continue;
        }
        bool says_no = false;
        bool says_yes = false;
        for (const auto& record : answer->records) {
            const auto* srv = std::get_if<dns::Srv>(&record);
            if (!srv) continue;
            auto normal = *srv;
            normal.target = normal_name(srv->target);
            if (normal.target.empty()) {  // RFC 2782: "." — decidedly not available
                says_no = true;
                continue;
            }
            says_yes = true;
            if (seen.emplace(service.rank, normal).second)
                servers.push_back({service, std::move(normal), true});
        }
        if (says_no && !says_yes) off.push_back(service.transport);
    }
    return complete;
}

void Evaluation::add_host(const std::vector<Transport>& transports, std::string_view why) {
    for (std::uint32_t rank = 0; rank < transports.size(); ++rank) {
        const auto transport = transports[rank];
        Server server;
        server.service = {"", transport, rank,
                          joined({why, ", ", via_name_of(transport), rank == 0 ? "" : " after ",
                                  rank == 0 ? "" : via_name_of(transports[rank - 1])})};
        server.srv.target = in_.next_hop.host;
        server.srv.port = in_.next_hop.port != 0 ? in_.next_hop.port : default_port(transport);
        add_server(server);
    }
}

void Evaluation::add_server(const Server& server) {
    const auto& host = server.srv.target;
    if (const auto address =
            IpAddress::parse(host)) {  // in SRV against RFC 2782, but the meaning is clear
        const auto& c = in_.constraints;
        if (address->family() == Family::ipv4 ? c.ipv4 : c.ipv6) add(server, *address);
        return;
    }
    if (!is_valid_name(host))
        return note("an SRV record of " + server.service.name + " has a malformed target");
    if (server.srv.port == 0) return note("the SRV record for " + host + " has port 0");
    auto addresses = addresses_of(host);
    keep_best(addresses.list);
    for (const auto& address : addresses.list) add(server, address);
    if (server.from_srv && addresses.list.empty() && !addresses.pending)
        note("SRV target " + host + " has no address");
}

void Evaluation::add(const Server& server, const IpAddress& address) {
    if (!can_be_a_target(address)) {
        note(server.srv.target + " has the unusable address " + address.to_string());
        return;
    }
    Draft draft;
    draft.tier = {server.service.rank, server.srv.priority};
    auto& candidate = draft.candidate;
    candidate.target = {server.service.transport, {address, server.srv.port}};
    candidate.priority = server.srv.priority;
    candidate.weight = server.srv.weight;
    candidate.host = server.srv.target;
    candidate.reason = server.service.reason;
    if (server.from_srv)
        candidate.reason += "SRV priority " + std::to_string(candidate.priority) + " weight " +
                            std::to_string(candidate.weight);

    const auto [place, is_new] = draft_of_.emplace(candidate.target, drafts_.size());
    if (is_new) {
        drafts_.push_back(std::move(draft));
        return;
    }
    // Two records lead to one target: the better one counts, whichever came first (L2).
    auto& other = drafts_[place->second];
    const auto key = [](const Draft& d) {
        return std::tuple(d.tier, std::numeric_limits<std::uint32_t>::max() - d.candidate.weight,
                          std::string_view(d.candidate.host));
    };
    if (key(draft) < key(other)) other = std::move(draft);
}

Evaluation::Addresses Evaluation::addresses_of(const std::string& host) {
    Addresses addresses;
    bool missing = true;
    for (const auto type : {RecordType::a, RecordType::aaaa}) {
        if (!(type == RecordType::a ? in_.constraints.ipv4 : in_.constraints.ipv6)) continue;
        const auto* answer = chase(host, type);
        if (!answer) {
            addresses.pending = true;
            continue;
        }
        missing = missing && answer->status == dns::Status::nxdomain;
        for (const auto& record : answer->records)
            if (is_of(record, type)) addresses.list.push_back(std::get<IpAddress>(record));
    }
    if (host == in_.next_hop.host && missing && !addresses.pending) host_missing_ = true;
    return addresses;
}

// Limits cut after ranking (L2): what is left out must not depend on the order of the answer.
void Evaluation::keep_best(std::vector<Server>& servers) const {
    if (servers.size() <= limits::srv_records) return;
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> smallest;
    for (const auto& s : servers)
        if (s.srv.weight != 0) {
            auto& least = smallest[{s.service.rank, s.srv.priority}];
            least = least == 0 ? s.srv.weight : std::min<std::uint32_t>(least, s.srv.weight);
        }
    struct Scored {
        std::tuple<std::uint32_t, std::uint32_t, double> key;
        std::size_t place = 0;
    };
    std::vector<Scored> order;
    for (std::size_t i = 0; i < servers.size(); ++i) {
        const auto& s = servers[i];
        const auto weight =
            effective_weight(s.srv.weight, smallest[{s.service.rank, s.srv.priority}]);
        const auto identity = record_identity(s.srv.target, s.srv.port, s.service.transport);
        order.push_back({{s.service.rank, s.srv.priority,
                          rendezvous_score(in_.constraints.key, identity, weight)},
                         i});
    }
    std::sort(order.begin(), order.end(),
              [](const Scored& a, const Scored& b) { return a.key < b.key; });
    order.resize(limits::srv_records);
    std::sort(order.begin(), order.end(),
              [](const Scored& a, const Scored& b) { return a.place < b.place; });
    std::vector<Server> kept;
    kept.reserve(order.size());
    for (const auto& scored : order) kept.push_back(std::move(servers[scored.place]));
    servers = std::move(kept);
}

void Evaluation::keep_best(std::vector<IpAddress>& addresses) const {
    if (addresses.size() <= limits::addresses_per_name) return;
    std::set<std::pair<double, IpAddress>> families[2];  // each address once, the best first
    for (const auto& address : addresses)
        families[address.family() == Family::ipv4 ? 0 : 1].emplace(
            rendezvous_score(in_.constraints.key, address.to_string(), 1.0), address);
    addresses.clear();
    for (const auto& family : families) {
        std::size_t left = limits::addresses_per_name;
        for (auto entry = family.begin(); entry != family.end() && left > 0; ++entry, --left)
            addresses.push_back(entry->second);
    }
}

void Evaluation::finish() {
    auto& outcome = result_.outcome;
    const bool failed = offline_ || answers_.failed();
    result_.needed = answers_.take_needed();
    outcome.partial = failed || !result_.needed.empty();
    outcome.ttl = numeric_ ? longest_ttl : answers_.ttl().value_or(Duration{});

    std::set<std::pair<std::uint32_t, std::uint32_t>> tiers;
    for (const auto& draft : drafts_) tiers.insert(draft.tier);
    outcome.candidates.reserve(drafts_.size());
    for (auto& draft : drafts_) {
        draft.candidate.tier =
            static_cast<std::uint32_t>(std::distance(tiers.begin(), tiers.find(draft.tier)));
        outcome.candidates.push_back(std::move(draft.candidate));
    }

    const auto& host = in_.next_hop.host;
    if (!outcome.candidates.empty())
        outcome.status = LookupStatus::ok;
    else if (failed)
        outcome.status = LookupStatus::failed;
    else
        outcome.status = host_missing_ ? LookupStatus::nxdomain : LookupStatus::empty;
    if (outcome.status == LookupStatus::nxdomain) note(host + " does not exist (NXDOMAIN)");
    const auto& problems = answers_.problems();
    if (outcome.status == LookupStatus::empty && problems.empty()) note(host + " has no address");

    std::set<std::string_view> said;
    for (const auto& words : problems) {
        if (!said.insert(words).second) continue;
        if (outcome.problem.size() + words.size() + 2 > limits::problem_bytes) {
            outcome.problem += outcome.problem.empty() ? "…" : "; …";
            break;
        }
        if (!outcome.problem.empty()) outcome.problem += "; ";
        outcome.problem += words;
    }
}

}  // namespace

Evaluated evaluate(const LookupInputs& inputs) { return Evaluation(inputs).run(); }

}  // namespace holdfast::location
