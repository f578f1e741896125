// What the doctor has seen of an account, as plain values: the examination fills them in, the
// *_findings functions judge them. A server is named by its place in Seen::servers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/dns.h"
#include "base/flow_error.h"
#include "base/time.h"
#include "base/tls_facts.h"
#include "location/lookup.h"

namespace holdfast::doctor {

// One question and its answers, in the order in which it was asked.
struct AskedSeen {
    dns::Question question;
    std::vector<dns::Answer> answers;
};

// A next hop (L1): the outbound proxy, the registrar or the domain; further ones are backups.
struct HopSeen {
    location::NextHop hop;
    std::optional<Transport> fixed{};  // by the account
    location::Outcome outcome{};
    std::vector<AskedSeen> asked{};
    // How many addresses the name itself has: all that a phone sees that asks for no SRV. Nothing:
    // it is a number, or DNS gave no answer.
    std::optional<std::size_t> own_addresses{};
};

enum class Reach : std::uint8_t { not_tried, answered, silent, failed };

struct ServerSeen {
    location::Candidate candidate{};
    std::size_t place = 0;  // of its hop
    bool announced = true;  // by SRV, or the account names the transport; else it is only a try
    Reach reach = Reach::not_tried;  // by OPTIONS
    FlowError error = FlowError::refused;
    std::string detail{};                    // of the failure, in words
    std::optional<Duration> connected_in{};  // TCP, TLS
    std::optional<Duration> rtt{};           // of the OPTIONS
    std::optional<TlsFacts> tls{};
    int status = 0;
    std::string phrase{};
    std::string software{};                     // Server, else User-Agent
    std::optional<Endpoint> local{};            // our end of the flow
    std::optional<Endpoint> mapping{};          // received and rport of the top Via
    std::string via_sent{};                     // sent-by
    std::string via_answered{};                 // the same in the answer
    bool takes_register = false;                // any answer to a REGISTER
    std::optional<std::int64_t> clock_ahead{};  // seconds, of ours
    std::optional<bool> takes_1400{};           // octets in one UDP request
    std::optional<bool> takes_3000{};
};

enum class Owner : std::uint8_t {
    other,        // another device
    this_device,  // the Contact that this host's state calls current
    left_behind,  // of this host, but not current
    doctor,       // made by the examination, and removed by it
};

struct BindingSeen {
    std::string uri;
    std::optional<std::uint32_t> expires{};  // seconds
    Owner owner = Owner::other;
    std::string instance{};  // RFC 5626 §4.1, "" : none
    std::uint32_t reg_id = 0;
};

// The answer to a REGISTER without Contact (RFC 3261 §10.2.3).
struct FetchSeen {
    std::size_t server = 0;
    int status = 0;       // final; 0: no answer
    std::string words{};  // of a refusal
    std::vector<BindingSeen> bindings{};
};

enum class Access : std::uint8_t {
    not_tried,
    accepted,
    wrong_password,
    no_password,    // a challenge, and nothing to answer it with
    cannot_answer,  // a challenge that may not or cannot be answered
    refused,
    unanswered,
};

// A binding of the examination's own, made only where it can evict nobody's.
struct TrialSeen {
    enum class What : std::uint8_t { not_tried, refused, made };
    What what = What::not_tried;
    std::string words{};     // why it was not tried, or what the refusal said
    std::size_t server = 0;  // where it was made
    std::string contact_sent{};
    std::string contact_listed{};  // "" : not in the 200
    std::uint32_t asked = 0;       // seconds
    std::optional<std::uint32_t> granted{};
    std::optional<std::uint32_t> least{};  // Min-Expires of a 423 to one second
    bool takes_one_second = false;
    std::optional<std::uint32_t> granted_of_an_hour{};
    bool outbound = false;  // RFC 5626
    bool gruu = false;      // RFC 5627
    bool path = false;      // RFC 3327
    // Servers that list it, and those that do not, after two looks.
    std::vector<std::size_t> listed_at{};
    std::vector<std::size_t> not_listed_at{};
    bool listed_later = false;  // at the second look only
    std::string not_removed{};  // why, in words; "" : it is gone
};

// An OPTIONS to the AOR through a server.
struct PingSeen {
    std::size_t server = 0;
    bool came_back = false;  // the copy arrived here
    int status = 0;          // 0: no answer
    std::string words{};
    std::string via_arrived{};      // our own sent-by as the copy has it
    std::string contact_arrived{};  // our Contact in it
};

struct AccountSeen {
    Access access = Access::not_tried;
    std::string words{};
    std::optional<std::size_t> decided_by{};  // the server that said so
    std::string realm{};
    std::vector<std::string> algorithms{};  // of the challenges, in order
    bool asks_no_password = false;
    bool lists_nothing = false;  // it takes the account, but answers no REGISTER without Contact
    std::vector<FetchSeen> fetches{};
    TrialSeen trial{};
    std::vector<PingSeen> pings{};   // to whoever is bound; nobody of ours
    std::vector<PingSeen> proofs{};  // while our own binding is there (R1)
};

// What the phone that runs on this host says of the account.
struct PhoneSeen {
    bool registered = false;
    bool reachable = false;  // R1
    std::string state{};     // in words
};

struct Seen {
    std::string aor{};
    bool has_ipv4 = true;  // a source address of that family
    bool has_ipv6 = false;
    std::vector<HopSeen> hops{};
    std::vector<ServerSeen> servers{};  // in rank order
    std::size_t servers_left_out = 0;   // there are more, and they were not looked at
    AccountSeen account{};
    std::optional<PhoneSeen> phone{};
};

}  // namespace holdfast::doctor
