#include "doctor/nat_findings.h"

#include <algorithm>

#include "base/text.h"
#include "doctor/words.h"
#include "flow/mapping.h"
#include "flow/nat_kind.h"
#include "sip/uri.h"

namespace holdfast::doctor {

namespace {

std::string mappings_in_words(std::span<const flow::MappingSeen> rows) {
    std::vector<std::string> words;
    words.reserve(rows.size());
    for (const auto& row : rows)
        words.push_back(row.mapping.to_string() + " (" + row.seen_by.to_string() + ")");
    return list_of(words);
}

void kind(const Endpoint& local, const std::vector<flow::MappingSeen>& rows, Findings& findings) {
    const auto view = flow::nat_kind(local, rows);
    const auto here = "UDP from " + local.to_string();
    switch (view.kind) {
    case flow::NatKind::unknown: {
        const bool translated = std::ranges::any_of(
            view.as_seen_by, [&](const auto& row) { return row.mapping != local; });
        if (!translated) return;
        return findings.push_back(found(Step::nat, Verdict::good,
                                        here + " is seen as " + mappings_in_words(view.as_seen_by) +
                                            ": a NAT; of which kind, one server cannot tell"));
    }
    case flow::NatKind::none:
        return findings.push_back(
            found(Step::nat, Verdict::good,
                  here + ": the servers see this very address and port, there is no NAT"));
    case flow::NatKind::endpoint_independent:
        return findings.push_back(found(Step::nat, Verdict::good,
                                        here +
                                            ": the NAT is endpoint-independent: all servers see " +
                                            view.as_seen_by.front().mapping.to_string()));
    case flow::NatKind::endpoint_dependent:
        return findings.push_back(
            found(Step::nat, Verdict::doubtful,
                  here + ": the NAT is endpoint-dependent: it is seen as " +
                      mappings_in_words(view.as_seen_by),
                  "a Contact learned at one server is of no use at another: a phone that wanders "
                  "between servers is not reached. Holdfast has a mapping for each server (N2)",
                  "stay with one server, or use TCP or TLS; a router whose NAT keeps one port "
                  "helps too"));
    }
}

void unusable(const ServerSeen& server, Findings& findings) {
    if (!server.mapping || !server.local || server.mapping->address == server.local->address)
        return;
    const auto& seen_as = server.mapping->address;
    if (flow::is_usable_mapping(*server.mapping, server.candidate.target.endpoint.address)) return;
    findings.push_back(found(
        Step::nat, Verdict::doubtful,
        name_of(server) + " says that it sees us as " + server.mapping->to_string() +
            (seen_as.is_private()  ? ", a private address"
             : seen_as.is_shared() ? ", an address of a carrier's NAT (RFC 6598)"
                                   : ", which is nobody's"),
        "a public server cannot see that: a balancer or an ALG stands in front of it, and phones "
        "that put this address into their Contact are not reached",
        "the provider should pass the true source on; Holdfast does not use such an address (N1)"));
}

void carrier(const ServerSeen& server, Findings& findings) {
    if (!server.local) return;
    if (server.local->address.is_shared())
        findings.push_back(found(Step::nat, Verdict::doubtful,
                                 "this host's address " + server.local->address.to_string() +
                                     " is of a carrier's NAT (RFC 6598)",
                                 "nobody can forward a port here, and mappings may be short-lived",
                                 "keep the registration alive often enough (it is, with Holdfast), "
                                 "or use IPv6"));
}

// Where the URI leads: host and port, whatever parameters a registrar adds.
std::string host_port_of(const std::string& text) {
    const auto uri = sip::OwnedUri::parse(text);
    if (!uri) return text;
    return lower_case(uri->get().host) + ":" + std::to_string(uri->get().port);
}

// Some registrars put the address that they see into the Contact (Asterisk's rewrite_contact).
void contact(const Seen& seen, Findings& findings) {
    const auto& trial = seen.account.trial;
    if (trial.what != TrialSeen::What::made || trial.contact_listed.empty()) return;
    const auto listed = host_port_of(trial.contact_listed);
    if (listed == host_port_of(trial.contact_sent)) return;
    auto words = "we registered the Contact " + without_secrets(trial.contact_sent) +
                 ", the registrar lists " + without_secrets(trial.contact_listed);
    const auto& mapping = seen.servers[trial.server].mapping;
    if (mapping && listed == mapping->to_string())
        return findings.push_back(
            found(Step::nat, Verdict::good, words + ": the address that it sees itself"));
    findings.push_back(found(Step::nat, Verdict::bad, std::move(words),
                             "that is neither our Contact nor the address that the server sees: an "
                             "ALG on the way has rewritten it, and calls go where it says",
                             "turn the SIP ALG of the router off, or use TLS, which it cannot "
                             "read"));
}

// RFC 3261 §18.2.1: a server copies the Via; only `received` and `rport` are its own.
void gateways(const Seen& seen, Findings& findings) {
    const std::string why =
        "a router or server on the way rewrites SIP (an ALG): what it does not understand, it "
        "breaks: calls without sound, lost registrations";
    const std::string remedy =
        "turn the SIP ALG of the router off, or use TLS, which it cannot read";
    for (const auto& server : seen.servers)
        if (!server.via_answered.empty() && server.via_answered != server.via_sent)
            findings.push_back(found(Step::nat, Verdict::bad,
                                     name_of(server) + ": we sent Via " + server.via_sent +
                                         ", the answer has " + server.via_answered,
                                     why, remedy));
    for (const auto& proof : seen.account.proofs)
        if (!proof.via_arrived.empty() && proof.via_arrived != seen.servers[proof.server].via_sent)
            findings.push_back(found(Step::nat, Verdict::bad,
                                     "a request sent to " + name_of(seen.servers[proof.server]) +
                                         " with Via " + seen.servers[proof.server].via_sent +
                                         " came back with " + proof.via_arrived,
                                     why, remedy));
    contact(seen, findings);
}

}  // namespace

Findings nat_findings(const Seen& seen) {
    Findings findings;
    std::vector<Endpoint> locals;
    std::vector<flow::MappingSeen> rows;
    for (const auto& server : seen.servers) {
        if (server.candidate.target.transport != Transport::udp || !server.local || !server.mapping)
            continue;
        rows.push_back({.seen_by = server.candidate.target,
                        .local = *server.local,
                        .mapping = *server.mapping});
        if (std::ranges::find(locals, *server.local) == locals.end())
            locals.push_back(*server.local);
    }
    for (const auto& local : locals) kind(local, rows, findings);
    for (const auto& server : seen.servers) unusable(server, findings);
    for (const auto& local : locals) {
        const auto first = std::ranges::find_if(
            seen.servers, [&](const auto& server) { return server.local == local; });
        carrier(*first, findings);
    }
    gateways(seen, findings);
    if (findings.empty())
        findings.push_back(found(Step::nat, Verdict::unknown,
                                 "no answer over UDP shows how the servers see this host"));
    return findings;
}

}  // namespace holdfast::doctor
