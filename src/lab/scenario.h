// A scenario: what somebody wants to see played in a world. Topology, a timeline of events, and
// what must hold; plain values, read from a file by whoever may read files (docs/lab.md) and run by
// scenario_run.h.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/dns.h"
#include "lab/caller.h"
#include "lab/cluster.h"
#include "lab/dns_zone.h"
#include "lab/link.h"
#include "lab/nat.h"

namespace holdfast::lab::scenario {

struct ClusterPlan {
    std::vector<std::string> nodes;  // addresses, as Cluster takes them
    ClusterOptions options{};        // its nodes' names: options.name and a number from 1
    std::vector<std::pair<std::string, std::string>> users{};  // with passwords of their own
};

// What a name has in DNS; each type that is given replaces what it had.
struct RecordsPlan {
    std::string name = "example.test";
    std::vector<IpAddress> addresses{};  // A and AAAA
    std::vector<dns::Srv> srv{};
    std::vector<dns::Naptr> naptr{};
    std::string cname{};
    RecordOptions options{};
};

using PolicyValues = std::vector<std::pair<std::string, std::string>>;  // key, value

struct PhonePlan {
    std::string name = "alice";
    std::uint32_t count = 1;              // name1, name2, …: each with its own AOR
    std::string aor{};                    // "": sip:NAME@ the first cluster's domain
    std::optional<std::string> preset{};  // nothing: that of the run
    PolicyValues policy{};
    std::optional<Transport> transport{};
    std::string behind{};  // a NAT's name; "": none
    std::optional<Duration> expires{};
    std::uint32_t flows = 0;
    std::string password = "secret";
    std::string registrar{};
    std::string outbound_proxy{};
    std::vector<std::string> backups{};
    bool ipv4 = true;
    bool ipv6 = false;
    bool resolver_cache = false;
    Duration on{};  // when it is switched on
};

struct CallerPlan {
    std::string phone{};
    CallKind kind = CallKind::options;
    Duration every = std::chrono::milliseconds(250);
    Duration patience = std::chrono::seconds(4);
    bool every_node = true;
    Duration from{};
};

// What an event does.
enum class Deed : std::uint8_t {
    node_silent,
    node_mute,
    node_refuses,
    node_prohibits,
    node_answers,
    node_slow,
    node_filters_options,
    node_loses_answers,
    node_restarts,
    node_certificate_expires,
    node_heals,
    dns_fails,
    dns_changes,
    dns_removes,
    dns_heals,
    nat_reboots,
    nat_changes_address,
    nat_changes_timeout,
    phone_sleeps,
    phone_wakes,
    phone_crashes,
    phone_loses_power,
    phone_starts,
    phone_shuts_down,
    phone_is_unplugged,
    phone_is_plugged_in,
    phone_moves,
    phone_loses_dns,
    phone_finds_dns,
    phone_changes_password,
    phone_registers_now,
    link_changes,
    cut_both_ways,
    cut_way_out,  // what the phone, NAT or server sends to the node is lost
    cut_way_in,   // what the node sends to it
    cut_heals,
    world_heals,
};

// Which nodes: one by its name, or those that a phone would ask, or has asked.
enum class NodeChoice : std::uint8_t {
    named,
    first_choice,
    second_choice,
    third_choice,
    current,
    all,
    all_but_current,
};

struct EventPlan {
    Duration at{};
    std::string label{};  // for recovered_within and the table; "": made of what it does
    Deed deed = Deed::world_heals;
    std::string subject{};  // a node, NAT or phone; for DNS a name, "" all names
    NodeChoice choice = NodeChoice::named;
    std::string of{};       // whose choice
    std::string cut_off{};  // a phone, NAT or node: from the subject, which is a node
    int status = 503;
    std::optional<std::uint32_t> retry_after{};
    Duration delay{};
    int times = 1;
    bool forgets = false;
    dns::Status failure = dns::Status::servfail;
    RecordsPlan records{};
    std::string address{};
    std::string behind{};
    std::string password{};
    LinkOptions link{};
};

enum class Measure : std::uint8_t {
    registered_within,
    reachable_at_least,
    all_answer_at_least,
    mapping_at_least,
    gap_at_most,
    gap_at_least,
    recovered_within,
    calls_lost_at_most,
    calls_late_at_most,
    calls_twice_at_most,
    moves,
    moves_at_most,
    moves_at_least,
    unregisters_at_most,
    stale_at_most,
    stale_for_at_most,
    stale_for_at_least,
    bindings_at_most,
    registers_at_most,
    requests_at_most,
    bans_at_most,
    at_node,
};
enum class Comparison : std::uint8_t { at_most, at_least, equal };
enum class Unit : std::uint8_t { duration, percent, count, node };

// One key of an expectation: how it is written, and how it is judged.
struct MeasureText {
    Measure measure;
    std::string_view key;
    Comparison comparison;
    Unit unit;
    std::string_view what;  // "worst gap"
};
std::span<const MeasureText> measures();
const MeasureText& text_of(Measure measure);

struct Expectation {
    std::string preset = "holdfast";  // judged of phones that run this one
    std::string phone{};              // "": each of them
    Duration from{};
    std::optional<Duration> to{};  // nothing: the end
    std::string event{};           // recovered_within: which one's label; "": every event
    Measure measure = Measure::gap_at_most;
    double limit = 0;    // seconds, percent or a count
    std::string node{};  // at_node
};

struct Scenario {
    std::string name{};   // of its file, without .toml
    std::string title{};  // one line
    Duration length = std::chrono::minutes(5);
    LinkOptions link{};
    std::vector<ClusterPlan> clusters;
    std::vector<RecordsPlan> dns;
    std::vector<NatOptions> nats;
    std::vector<PhonePlan> phones;
    std::vector<CallerPlan> callers;
    std::vector<EventPlan> events;
    std::vector<Expectation> expectations;
};

// How the reader and the report write an event: "node1 silent".
std::string label_of(const EventPlan& event);
std::string_view name_of(Deed deed);  // "silent"; the subject is not in it
std::string_view name_of(NodeChoice choice);

}  // namespace holdfast::lab::scenario
