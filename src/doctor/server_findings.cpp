#include "doctor/server_findings.h"

#include <algorithm>

#include "base/text.h"
#include "doctor/words.h"

namespace holdfast::doctor {

using namespace std::chrono_literals;

namespace {

constexpr Duration slow = 400ms;
constexpr std::int64_t day = 86400;
constexpr std::int64_t soon = 14 * day;

// Another transport at the same address answers.
bool lives_otherwise(const Seen& seen, const ServerSeen& server) {
    return std::ranges::any_of(seen.servers, [&](const ServerSeen& other) {
        return &other != &server && is_alive(other) &&
               other.candidate.target.endpoint.address == server.candidate.target.endpoint.address;
    });
}

Finding answered(const ServerSeen& server) {
    auto words =
        name_of(server) + " answers OPTIONS with " + answer_in_words(server.status, server.phrase);
    if (server.rtt) words += " in " + milliseconds(*server.rtt);
    if (server.connected_in) words += ", connected in " + milliseconds(*server.connected_in);
    if (!server.software.empty()) words += " (" + server.software + ")";
    if (server.status >= 500 && server.status < 600)
        return found(Step::servers, Verdict::doubtful, std::move(words),
                     "it lives, but says that it cannot serve now (overloaded, or being taken "
                     "down): phones should go to another",
                     "ask the provider whether this server is meant to be in DNS");
    if (server.rtt && *server.rtt > slow)
        return found(Step::servers, Verdict::doubtful, std::move(words),
                     "every step of a call takes several of these round trips",
                     "look for a congested link, or a server that is nearer");
    return found(Step::servers, Verdict::good, std::move(words));
}

Finding failed(const Seen& seen, const ServerSeen& server) {
    const auto name = name_of(server);
    const auto reason =
        server.detail.empty() ? std::string(holdfast::name_of(server.error)) : server.detail;
    if (server.error == FlowError::certificate)
        return found(Step::servers, Verdict::bad, name + ": " + reason,
                     "who checks certificates, as one must, does not get through to this server",
                     "the server needs a certificate that is in force, from a CA that phones "
                     "trust, for the account's domain (RFC 5922)");
    if (!server.announced && lives_otherwise(seen, server))
        return found(Step::servers, Verdict::good,
                     name + ": " + reason +
                         " (DNS does not promise this transport, and the server "
                         "answers by another)");
    if (server.error == FlowError::network_unreachable)
        return found(Step::servers, Verdict::bad, name + ": " + reason,
                     "this host has no way to it", "look at this host's network and routes");
    return found(Step::servers, Verdict::bad, name + ": " + reason,
                 "no server program listens there: phones without failover that choose this "
                 "address are unreachable",
                 "the provider must start the server, or take it out of DNS");
}

Finding silent(const Seen& seen, const ServerSeen& server) {
    const auto name = name_of(server);
    if (server.takes_register)
        return found(Step::servers, Verdict::doubtful, name + " answers REGISTER, but not OPTIONS",
                     "a phone cannot ask whether the server lives, nor learn its public address, "
                     "without registering",
                     "the provider should let OPTIONS through");
    if (!server.announced && lives_otherwise(seen, server))
        return found(Step::servers, Verdict::good,
                     name +
                         " is silent (DNS does not promise this transport, and "
                         "the server answers by another)");
    return found(Step::servers, Verdict::bad, name + " is silent",
                 "the server is dead, or a firewall swallows the packets: phones without failover "
                 "that choose this address are unreachable",
                 "the provider must start the server, or take it out of DNS; if other networks "
                 "reach it, look at the firewall here");
}

void certificate(const ServerSeen& server, std::int64_t unixtime, Findings& findings) {
    if (!server.tls) return;
    const auto& tls = *server.tls;
    const auto left = tls.expires - unixtime;
    auto words = name_of(server) + ": " + tls.version + ", certificate for " + list_of(tls.names) +
                 " from " + tls.issuer;
    if (tls.expires == 0)
        return findings.push_back(found(Step::servers, Verdict::good, std::move(words)));
    words += ", in force until " + date_of(tls.expires);
    if (left >= soon)
        return findings.push_back(found(Step::servers, Verdict::good, std::move(words)));
    findings.push_back(
        found(Step::servers, Verdict::doubtful,
              words + ", " +
                  count_of(static_cast<std::size_t>(std::max<std::int64_t>(0, left / day)), "day",
                           "days") +
                  " from now",
              "from that day on no phone that checks certificates gets through",
              "the provider should renew it now"));
}

// RFC 8305: both families are in DNS, and one of them leads nowhere.
void families(const Seen& seen, Findings& findings) {
    for (const auto family : {Family::ipv4, Family::ipv6}) {
        const auto is_of = [&](const ServerSeen& server) {
            return server.candidate.target.endpoint.address.family() == family &&
                   server.reach != Reach::not_tried;
        };
        const bool any = std::ranges::any_of(seen.servers, is_of);
        const bool alive = std::ranges::any_of(seen.servers, [&](const ServerSeen& server) {
            return is_of(server) && is_alive(server);
        });
        const bool others = std::ranges::any_of(seen.servers, [&](const ServerSeen& server) {
            return !is_of(server) && is_alive(server);
        });
        if (!any || alive || !others) continue;
        const std::string name = family == Family::ipv6 ? "IPv6" : "IPv4";
        findings.push_back(found(
            Step::servers, Verdict::bad,
            joined({"no server answers over ", name, ", but DNS has ", name, " addresses"}),
            "phones that prefer " + name + " are slow to register, or never do",
            "look whether " + name + " works here at all; if it does, the provider's does not"));
    }
}

}  // namespace

bool is_alive(const ServerSeen& server) {
    return server.reach == Reach::answered || server.takes_register;
}

Findings server_findings(const Seen& seen, std::int64_t unixtime) {
    Findings findings;
    for (const auto& server : seen.servers) {
        switch (server.reach) {
        case Reach::not_tried: continue;
        case Reach::answered: findings.push_back(answered(server)); break;
        case Reach::silent: findings.push_back(silent(seen, server)); break;
        case Reach::failed: findings.push_back(failed(seen, server)); break;
        }
        certificate(server, unixtime, findings);
    }
    families(seen, findings);
    if (seen.servers_left_out > 0)
        findings.push_back(
            found(Step::servers, Verdict::unknown,
                  count_of(seen.servers_left_out, "more target was", "more targets were") +
                      " not looked at"));
    return findings;
}

}  // namespace holdfast::doctor
