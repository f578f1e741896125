#include "apps/cli/lab_page.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "apps/cli/lab_report.h"
#include "apps/cli/page_messages.h"
#include "lab/scenario_chronicle.h"

namespace holdfast::cli {

using namespace lab::scenario;
using nlohmann::ordered_json;

namespace {

constexpr std::size_t lines_of_a_page = 3000;
constexpr std::size_t lines_least = 20;
constexpr std::size_t lines_most = 2000;

double since_start(Instant at) { return page_seconds(at - lab::Internet::start); }

std::string_view word_of(Reach reach) {
    switch (reach) {
    case Reach::no: return "no";
    case Reach::off: return "off";
    case Reach::yes: return "yes";
    }
    return "?";
}

std::string_view word_of(BindingState state) {
    switch (state) {
    case BindingState::current: return "current";
    case BindingState::stale: return "stale";
    case BindingState::mute: return "mute";
    }
    return "?";
}

ordered_json json_of(const BindingSpan& span) {
    ordered_json json{{"contact", span.contact},
                      {"seen_from", span.way.remote.to_string()},
                      {"transport", name_of(span.way.transport)},
                      {"node", span.node},
                      {"node_address", span.way.local.to_string()},
                      {"begin", since_start(span.from)},
                      {"end", since_start(span.to)},
                      {"ended", span.lasts     ? "lasts"
                                : span.ran_out ? "ran out"
                                               : "removed"}};
    json["states"] = ordered_json::array();
    for (const auto& [at, state] : span.states)
        json["states"].push_back({since_start(at), word_of(state)});
    return json;
}

// [when, during, calls, lost, rang after or null, twice, node]
ordered_json json_of(const CallsOf& calls) {
    auto json = ordered_json::array({since_start(calls.at), page_seconds(calls.during), calls.calls,
                                     calls.lost, nullptr, calls.twice, calls.node});
    if (calls.rang_after) json[4] = page_seconds(*calls.rang_after);
    return json;
}

ordered_json json_of(const PhoneChronicle& phone) {
    ordered_json json{{"name", phone.name},
                      {"preset", phone.preset},
                      {"reach_resolution", page_seconds(phone.reach_resolution)},
                      {"bindings_left_out", phone.bindings_left_out}};
    json["reach"] = ordered_json::array();
    for (const auto& [at, reach] : phone.reach)
        json["reach"].push_back({since_start(at), word_of(reach)});
    json["bindings"] = ordered_json::array();
    for (const auto& span : phone.bindings) json["bindings"].push_back(json_of(span));
    json["calls"] = ordered_json::array();
    for (const auto& calls : phone.calls) json["calls"].push_back(json_of(calls));
    return json;
}

// What a packet is that holds no message; "" of one that does.
std::string words_without_message(const lab::Packet& packet, lab::About about) {
    if (packet.kind == lab::PacketKind::icmp)
        return "ICMP " + std::string(name_of(packet.error->reason)) + " for " +
               packet.error->to.to_string();
    if (packet.kind != lab::PacketKind::datagram && packet.kind != lab::PacketKind::data)
        return "TCP " + std::string(name_of(packet.kind));
    if (about == lab::About::keep_alive)
        return packet.bytes.find_first_not_of("\r\n") == std::string::npos
                   ? "keep-alive (line ends)"
               : packet.bytes.front() == '\0' && packet.bytes.size() < 20 ? "keep-alive (zeros)"
                                                                          : "STUN";
    if (packet.bytes.starts_with('\x16')) return "TLS handshake";
    return {};
}

std::string way_of(const lab::TranscriptLine& line) {
    const auto& packet = line.packet;
    std::string way;
    if (packet.inside) way = packet.inside->to_string() + ", seen as ";
    way += packet.from.to_string() + " → " + packet.to.to_string();
    if (line.inside) way += ", handed on to " + line.inside->to_string();
    return way + (packet.kind == lab::PacketKind::datagram ? ", UDP" : "");
}

ordered_json json_of(const lab::TranscriptLine& line) {
    const auto at = since_start(line.at);
    if (line.is_gap)
        return {{"t", at}, {"left_out", line.left_out}, {"routine", line.left_out_routine}};
    if (!line.note.empty()) return {{"t", at}, {"note", line.note}};
    auto first = words_without_message(line.packet, line.about);
    const auto bytes = first.empty() ? std::string_view(line.packet.bytes) : std::string_view();
    return json_of(PageMessage{.at = at,
                               .about = name_of(line.about),
                               .from = line.from,
                               .to = line.to,
                               .way = way_of(line),
                               .fate = std::string(line.fate),
                               .first = std::move(first),
                               .bytes = bytes});
}

// The hosts from left to right in a ladder; others come behind them.
ordered_json order_of(const Scenario& scenario, const Findings& outcome) {
    auto order = ordered_json::array();
    if (outcome.chronicle)
        for (const auto& phone : outcome.chronicle->phones) order.push_back(phone.name);
    for (const auto& nat : scenario.nats) order.push_back(nat.name);
    for (const auto& cluster : scenario.clusters)
        for (std::size_t i = 1; i <= cluster.nodes.size(); ++i)
            order.push_back(cluster.options.name + std::to_string(i));
    return order;
}

ordered_json json_of(const Scenario& scenario, const Findings& outcome) {
    ordered_json json{{"preset", outcome.preset}, {"order", order_of(scenario, outcome)}};
    json["figures"] = ordered_json::array();
    for (const auto& [label, value] : lab_figures(scenario, outcome))
        json["figures"].push_back({label, value});
    json["verdicts"] = ordered_json::array();
    for (const auto& verdict : outcome.verdicts)
        json["verdicts"].push_back({{"holds", verdict.holds}, {"text", lab_verdict(verdict)}});
    json["phones"] = ordered_json::array();
    json["dns"] = ordered_json::array();
    json["messages"] = ordered_json::array();
    if (!outcome.chronicle) return json;
    const auto& chronicle = *outcome.chronicle;
    for (const auto& phone : chronicle.phones) json["phones"].push_back(json_of(phone));
    json["phones_left_out"] = chronicle.phones_left_out;
    for (const auto& [at, phone, question, answer] : chronicle.transcript.answers())
        json["dns"].push_back({since_start(at), phone, in_words(question, answer)});
    json["dns_left_out"] = chronicle.transcript.answers_left_out();
    for (const auto& line : chronicle.transcript.lines()) json["messages"].push_back(json_of(line));
    return json;
}

ordered_json json_of(const PlayedScenario& played) {
    const auto& scenario = *played.scenario;
    ordered_json json{{"title", scenario.title},
                      {"name", scenario.name},
                      {"length", page_seconds(scenario.length)}};
    if (!played.outcomes.empty()) json["seed"] = std::to_string(played.outcomes.front().seed);
    json["events"] = ordered_json::array();
    for (const auto& event : scenario.events)
        json["events"].push_back({{"at", page_seconds(event.at)}, {"label", label_of(event)}});
    json["runs"] = ordered_json::array();
    for (const auto& outcome : played.outcomes) json["runs"].push_back(json_of(scenario, outcome));
    return json;
}

}  // namespace

std::size_t page_lines_of(std::size_t runs) {
    return std::clamp(lines_of_a_page / std::max<std::size_t>(runs, 1), lines_least, lines_most);
}

std::string lab_page_json(std::span<const PlayedScenario> played, const std::string& command) {
    ordered_json page{{"version", HOLDFAST_VERSION}, {"command", command}};
    page["scenarios"] = ordered_json::array();
    for (const auto& one : played) page["scenarios"].push_back(json_of(one));
    return page.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace holdfast::cli
