#include "apps/cli/scenario_timeline.h"

#include <algorithm>
#include <array>

#include "apps/cli/command_line.h"
#include "registration/policy.h"
#include "registration/policy_values.h"

namespace holdfast::cli {

using namespace lab::scenario;

namespace {

using Deeds = std::span<const Word<Deed>>;

constexpr auto node_deeds = [] {
    using enum Deed;
    return std::array<Word<Deed>, 11>{{{"silent", node_silent},
                                       {"mute", node_mute},
                                       {"refuses", node_refuses},
                                       {"prohibits", node_prohibits},
                                       {"answers", node_answers},
                                       {"slow", node_slow},
                                       {"filters-options", node_filters_options},
                                       {"loses-answers", node_loses_answers},
                                       {"restarts", node_restarts},
                                       {"certificate-expires", node_certificate_expires},
                                       {"heals", node_heals}}};
}();
constexpr std::array<Word<Deed>, 4> dns_deeds{{{"fails", Deed::dns_fails},
                                               {"changes", Deed::dns_changes},
                                               {"vanishes", Deed::dns_removes},
                                               {"heals", Deed::dns_heals}}};
constexpr std::array<Word<Deed>, 3> nat_deeds{{{"reboots", Deed::nat_reboots},
                                               {"new-address", Deed::nat_changes_address},
                                               {"new-timeout", Deed::nat_changes_timeout}}};
constexpr auto phone_deeds = [] {
    using enum Deed;
    return std::array<Word<Deed>, 13>{{{"sleeps", phone_sleeps},
                                       {"wakes", phone_wakes},
                                       {"crashes", phone_crashes},
                                       {"loses-power", phone_loses_power},
                                       {"starts", phone_starts},
                                       {"shuts-down", phone_shuts_down},
                                       {"unplugged", phone_is_unplugged},
                                       {"plugged-in", phone_is_plugged_in},
                                       {"moves", phone_moves},
                                       {"dns-fails", phone_loses_dns},
                                       {"dns-heals", phone_finds_dns},
                                       {"password", phone_changes_password},
                                       {"registers-now", phone_registers_now}}};
}();
constexpr std::array<Word<Deed>, 1> world_deeds{{{"heals", Deed::world_heals}}};

constexpr std::array<Word<NodeChoice>, 6> choices{
    {{"first choice", NodeChoice::first_choice},
     {"second choice", NodeChoice::second_choice},
     {"third choice", NodeChoice::third_choice},
     {"current", NodeChoice::current},
     {"all", NodeChoice::all},
     {"all but current", NodeChoice::all_but_current}}};

// What the event's subject is: a node's name, or a choice among them.
void judge_node(TableReader& table, std::string_view key, EventPlan& event,
                const ScenarioNames& names) {
    const auto choice = std::ranges::find(choices, event.subject, &Word<NodeChoice>::first);
    if (choice != choices.end()) {
        event.choice = choice->second;
        event.subject.clear();
        if (event.choice == NodeChoice::all) return;  // whose they are is no question
        table.text("of", event.of);
        if (!event.of.empty() && !names.phones.contains(event.of))
            table.complain("of", unknown_name("phone", event.of, names.phones));
        return;
    }
    if (names.nodes.contains(event.subject)) return;
    auto known = names.nodes;
    for (const auto& [word, meaning] : choices) known.emplace(word);
    table.complain(key, unknown_name("node", event.subject, known));
}

void read_cut(TableReader& table, EventPlan& event, const ScenarioNames& names) {
    constexpr std::array<Word<Deed>, 4> deeds{{{"both-ways", Deed::cut_both_ways},
                                               {"way-out", Deed::cut_way_out},
                                               {"way-in", Deed::cut_way_in},
                                               {"heals", Deed::cut_heals}}};
    event.deed = Deed::cut_both_ways;
    table.word<Deed>("does", event.deed, deeds);
    std::vector<std::string> ends;
    table.texts("cut", ends);
    if (ends.size() != 2)
        return table.complain("cut",
                              "a way has two ends: a phone, NAT or node, and a node "
                              "(cut = [\"home\", \"node1\"])");
    event.cut_off = ends[0];
    event.subject = ends[1];
    Names known = names.phones;
    known.insert(names.nats.begin(), names.nats.end());
    known.insert(names.nodes.begin(), names.nodes.end());
    const auto meanings =
        names.phones.count(ends[0]) + names.nats.count(ends[0]) + names.nodes.count(ends[0]);
    if (meanings == 0)
        table.complain_of_value("cut", 0, unknown_name("phone, NAT or node", ends[0], known));
    if (meanings > 1)
        table.complain_of_value("cut", 0,
                                in_quotes(ends[0]) +
                                    " is the name of several things: "
                                    "give each its own name");
    if (ends[0] == ends[1]) table.complain_of_value("cut", 1, "nothing is cut off from itself");
    judge_node(table, "cut", event, names);
    const bool can_be_another =
        event.choice != NodeChoice::named && event.choice != NodeChoice::all;
    if (event.deed == Deed::cut_heals && can_be_another)
        table.complain_of_value("cut", 1, "by now this can be another node: name it, or all");
}

// "*": all of them.
void read_subject(TableReader& table, std::string_view key, std::string_view kind,
                  std::string& subject) {
    if (table.text(key, subject) && subject.empty())
        table.complain(key, "a " + std::string(kind) + " has a name; * is all of them");
    if (subject == "*") subject.clear();
}

void read_failure(TableReader& table, EventPlan& event) {
    constexpr std::array<Word<dns::Status>, 5> failures{{{"SERVFAIL", dns::Status::servfail},
                                                         {"REFUSED", dns::Status::refused},
                                                         {"NXDOMAIN", dns::Status::nxdomain},
                                                         {"timeout", dns::Status::timed_out},
                                                         {"slow", dns::Status::ok}}};
    table.word<dns::Status>("status", event.failure, failures);
    table.duration("delay", event.delay);
    if (event.failure == dns::Status::ok && event.delay == Duration{})
        table.complain("status", "how slow? (delay = \"3s\")");
}

void read_address(TableReader& table, EventPlan& event) {
    table.text("address", event.address);
    if (!event.address.empty() && !IpAddress::parse(event.address))
        table.complain("address", "\"" + event.address + "\" is no IP address");
}

// What belongs to one deed alone; any other key is unknown there.
void read_details(TableReader& table, EventPlan& event, const ScenarioNames& names,
                  const Scenario& scenario) {
    switch (event.deed) {
    case Deed::node_answers: {
        std::uint32_t retry_after = 0;  // which may be said
        table.count("status", event.status, 699);
        if (event.status < 300) table.complain("status", "this is a refusal, from 300 to 699");
        table.count("retry_after", retry_after, 86'400);
        if (table.has("retry_after")) event.retry_after = retry_after;
        break;
    }
    case Deed::node_slow:
        table.duration("delay", event.delay);
        table.wants("delay", "how slow? (delay = \"3s\")");
        break;
    case Deed::node_loses_answers: table.count("times", event.times, 1'000'000); break;
    case Deed::node_restarts: table.flag("forgets", event.forgets); break;
    case Deed::dns_fails:
    case Deed::phone_loses_dns: read_failure(table, event); break;
    case Deed::dns_changes:
        event.records.name = event.subject;
        if (event.subject.empty()) table.complain("dns", "whose records change? Not all names'");
        read_records(table, event.records, scenario);
        break;
    case Deed::dns_removes:
        if (event.subject.empty()) table.complain("dns", "which name vanishes? Not all names");
        break;
    case Deed::nat_changes_address:
        read_address(table, event);
        if (const auto address = IpAddress::parse(event.address);
            address && address->family() != Family::ipv4)
            table.complain("address", "a NAT is between IPv4 addresses");
        table.wants("address", "which one? (address = \"198.51.100.9\")");
        break;
    case Deed::nat_changes_timeout:
        table.duration("udp_timeout", event.delay);
        table.wants("udp_timeout", "which one? (udp_timeout = \"20s\")");
        break;
    case Deed::phone_moves:
        read_address(table, event);
        table.text("behind", event.behind);
        if (!event.behind.empty() && !names.nats.contains(event.behind))
            table.complain("behind", unknown_name("NAT", event.behind, names.nats));
        break;
    case Deed::phone_changes_password:
        table.text("password", event.password);
        table.wants("password", "which one? (password = \"…\")");
        break;
    default: break;
    }
}

void read_deed(TableReader& table, EventPlan& event, Deeds deeds) {
    table.word<Deed>("does", event.deed, deeds);
    table.wants("does", "what does it do? (does = \"" + std::string(deeds.front().first) + "\")");
}

// Exactly one of these keys says whom an event is about.
constexpr std::array<std::string_view, 7> subjects{"node", "dns", "nat",  "phone",
                                                   "link", "cut", "world"};

std::string_view subject_of(TableReader& table, Problems& problems) {
    std::string_view subject;
    for (const auto key : subjects) {
        if (!table.has(key)) continue;
        if (!subject.empty())
            table.complain(key, "an event is about one thing, and this one already has a " +
                                    std::string(subject));
        else
            subject = key;
    }
    if (subject.empty())
        problems.add(table.line(), "event",
                     "whom is it about: node, dns, nat, phone, link, cut or "
                     "world? (node = \"node1\")");
    return subject;
}

void read_whom(TableReader& table, EventPlan& event, const ScenarioNames& names,
               const Scenario& scenario, Problems& problems) {
    const auto subject = subject_of(table, problems);
    if (subject == "node") {
        table.text("node", event.subject);
        judge_node(table, "node", event, names);
        read_deed(table, event, node_deeds);
    } else if (subject == "dns") {
        read_subject(table, "dns", "domain", event.subject);
        read_deed(table, event, dns_deeds);
    } else if (subject == "nat") {
        table.text("nat", event.subject);
        if (!names.nats.contains(event.subject))
            table.complain("nat", unknown_name("NAT", event.subject, names.nats));
        read_deed(table, event, nat_deeds);
    } else if (subject == "phone") {
        read_subject(table, "phone", "phone", event.subject);
        if (!event.subject.empty() && !names.phones.contains(event.subject))
            table.complain("phone", unknown_name("phone", event.subject, names.phones));
        read_deed(table, event, phone_deeds);
    } else if (subject == "link") {
        event.deed = Deed::link_changes;
        event.link = scenario.link;  // what is not named stays as it is
        table.table("link", [&](const TomlValue& value) {
            TableReader link(value, "event.link", problems);
            read_link(link, event.link);
        });
    } else if (subject == "cut") {
        read_cut(table, event, names);
    } else if (subject == "world") {
        event.deed = Deed::world_heals;
        table.word<Deed>("world", event.deed, world_deeds);
    }
}

void read_limit(TableReader& table, const MeasureText& text, Expectation& expectation,
                const ScenarioNames& names) {
    switch (text.unit) {
    case Unit::duration: {
        Duration limit{};
        table.duration(text.key, limit);
        expectation.limit = seconds_of(limit);
        break;
    }
    case Unit::percent:
        table.real(text.key, expectation.limit);
        if (expectation.limit > 100) table.complain(text.key, "100 (percent) is all there is");
        break;
    case Unit::count: {
        std::uint32_t limit = 0;
        table.count(text.key, limit);
        expectation.limit = limit;
        break;
    }
    case Unit::node:
        table.text(text.key, expectation.node);
        if (table.has(text.key) && !names.nodes.contains(expectation.node))
            table.complain(text.key, unknown_name("node", expectation.node, names.nodes));
        break;
    }
}

// What no phone is ever judged by holds always, and nobody notices.
void must_be_judged(TableReader& table, const Expectation& common, const Scenario& scenario) {
    for (const auto& phone : scenario.phones)
        if (phone.name == common.phone && phone.preset && *phone.preset != common.preset)
            table.complain("phone", phone.name + " runs " + *phone.preset +
                                        " always, and is never judged for " + common.preset +
                                        " (preset = " + in_quotes(*phone.preset) + ")");
    if (!table.has("recovered_within")) return;
    const auto is_meant = [&](const EventPlan& event) {
        return event.at >= common.from && event.at < common.to.value_or(scenario.length) &&
               (common.event.empty() || label_of(event) == common.event);
    };
    if (std::ranges::none_of(scenario.events, is_meant))
        table.complain("recovered_within",
                       "nothing happens in that time that a phone could come "
                       "back from");
}

}  // namespace

EventPlan read_event(const TomlValue& value, const ScenarioNames& names, const Scenario& scenario,
                     Problems& problems) {
    TableReader table(value, "event", problems);
    EventPlan event;
    table.duration("at", event.at);
    table.wants("at", "when does it happen? (at = \"30s\")");
    must_be_in_time(table, "at", event.at, scenario);
    table.text("name", event.label);
    read_whom(table, event, names, scenario, problems);
    read_details(table, event, names, scenario);
    table.finish();
    return event;
}

std::vector<Expectation> read_expect(const TomlValue& value, const ScenarioNames& names,
                                     const Scenario& scenario, Problems& problems) {
    TableReader table(value, "expect", problems);
    Expectation common;
    table.judged("preset", [&](const std::string& preset) -> std::expected<void, std::string> {
        common.preset = preset;
        if (const auto known = registration::preset(preset); !known)
            return std::unexpected(known.error());
        return {};
    });
    table.text("phone", common.phone);
    if (!common.phone.empty() && !names.phones.contains(common.phone))
        table.complain("phone", unknown_name("phone", common.phone, names.phones));
    table.duration("from", common.from);
    table.duration("to", common.to);
    const auto end = common.to.value_or(scenario.length);
    if (end > scenario.length) table.complain("to", "by then the scenario is over");
    if (common.from >= end) table.complain("from", "this is not before its end");
    table.text("after", common.event);
    std::set<std::string, std::less<>> labels;
    for (const auto& event : scenario.events) labels.insert(label_of(event));
    if (!common.event.empty() && !labels.contains(common.event))
        table.complain("after", unknown_name("event", common.event, labels));
    else
        must_be_judged(table, common, scenario);
    std::vector<Expectation> expectations;
    for (const auto& text : measures()) {
        auto expectation = common;
        expectation.measure = text.measure;
        read_limit(table, text, expectation, names);
        if (table.has(text.key)) expectations.push_back(std::move(expectation));
    }
    if (table.has("after") && !table.has("recovered_within"))
        table.complain("after", "this goes with recovered_within");
    if (table.has("bans_at_most"))
        for (const auto key : {"from", "to", "phone"})
            if (table.has(key))
                table.complain(key,
                               "bans_at_most is about all servers and all the time: give it "
                               "a table of its own");
    table.finish();
    if (expectations.empty())
        problems.add(table.line(), "expect",
                     "what must hold? (gap_at_most = \"10s\"; "
                     "docs/lab.md lists the keys)");
    return expectations;
}

}  // namespace holdfast::cli
