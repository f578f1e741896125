#include "lab/scenario.h"

#include <algorithm>
#include <array>

#include "base/check.h"

namespace holdfast::lab::scenario {

namespace {

constexpr std::array table{
    MeasureText{Measure::registered_within, "registered_within", Comparison::at_most,
                Unit::duration, "registered after"},
    MeasureText{Measure::reachable_at_least, "reachable_at_least", Comparison::at_least,
                Unit::percent, "reachable"},
    MeasureText{Measure::all_answer_at_least, "all_answer_at_least", Comparison::at_least,
                Unit::percent, "all bindings answer"},
    MeasureText{Measure::mapping_at_least, "mapping_at_least", Comparison::at_least, Unit::percent,
                "Contact is the mapping"},
    MeasureText{Measure::gap_at_most, "gap_at_most", Comparison::at_most, Unit::duration,
                "worst gap"},
    MeasureText{Measure::gap_at_least, "gap_at_least", Comparison::at_least, Unit::duration,
                "worst gap"},
    MeasureText{Measure::recovered_within, "recovered_within", Comparison::at_most, Unit::duration,
                "time to recover"},
    MeasureText{Measure::calls_lost_at_most, "calls_lost_at_most", Comparison::at_most, Unit::count,
                "calls lost"},
    MeasureText{Measure::calls_late_at_most, "calls_late_at_most", Comparison::at_most, Unit::count,
                "calls that rang late"},
    MeasureText{Measure::calls_twice_at_most, "calls_twice_at_most", Comparison::at_most,
                Unit::count, "calls that rang twice"},
    MeasureText{Measure::moves, "moves", Comparison::equal, Unit::count, "moves"},
    MeasureText{Measure::moves_at_most, "moves_at_most", Comparison::at_most, Unit::count, "moves"},
    MeasureText{Measure::moves_at_least, "moves_at_least", Comparison::at_least, Unit::count,
                "moves"},
    MeasureText{Measure::unregisters_at_most, "unregisters_at_most", Comparison::at_most,
                Unit::count, "un-REGISTERs"},
    MeasureText{Measure::stale_at_most, "stale_at_most", Comparison::at_most, Unit::count,
                "stale bindings"},
    MeasureText{Measure::stale_for_at_most, "stale_for_at_most", Comparison::at_most,
                Unit::duration, "stale bindings for"},
    MeasureText{Measure::stale_for_at_least, "stale_for_at_least", Comparison::at_least,
                Unit::duration, "stale bindings for"},
    MeasureText{Measure::bindings_at_most, "bindings_at_most", Comparison::at_most, Unit::count,
                "bindings at once"},
    MeasureText{Measure::registers_at_most, "registers_at_most", Comparison::at_most, Unit::count,
                "REGISTERs"},
    MeasureText{Measure::requests_at_most, "requests_at_most", Comparison::at_most, Unit::count,
                "all requests"},
    MeasureText{Measure::bans_at_most, "bans_at_most", Comparison::at_most, Unit::count, "bans"},
    MeasureText{Measure::at_node, "at_node", Comparison::equal, Unit::node, "registered at"},
};

}  // namespace

std::span<const MeasureText> measures() { return table; }

const MeasureText& text_of(Measure measure) {
    const auto found = std::ranges::find(table, measure, &MeasureText::measure);
    CHECK(found != table.end());
    return *found;
}

std::string_view name_of(Deed deed) {
    switch (deed) {
    case Deed::node_silent: return "silent";
    case Deed::node_mute: return "mute";
    case Deed::node_refuses: return "refuses";
    case Deed::node_prohibits: return "prohibits";
    case Deed::node_answers: return "answers";
    case Deed::node_slow: return "slow";
    case Deed::node_filters_options: return "filters-options";
    case Deed::node_loses_answers: return "loses-answers";
    case Deed::node_restarts: return "restarts";
    case Deed::node_certificate_expires: return "certificate-expires";
    case Deed::dns_fails: return "fails";
    case Deed::dns_changes: return "changes";
    case Deed::dns_removes: return "vanishes";
    case Deed::nat_reboots: return "reboots";
    case Deed::nat_changes_address: return "new-address";
    case Deed::nat_changes_timeout: return "new-timeout";
    case Deed::phone_sleeps: return "sleeps";
    case Deed::phone_wakes: return "wakes";
    case Deed::phone_crashes: return "crashes";
    case Deed::phone_loses_power: return "loses-power";
    case Deed::phone_starts: return "starts";
    case Deed::phone_shuts_down: return "shuts-down";
    case Deed::phone_is_unplugged: return "unplugged";
    case Deed::phone_is_plugged_in: return "plugged-in";
    case Deed::phone_moves: return "moves";
    case Deed::phone_loses_dns: return "dns-fails";
    case Deed::phone_finds_dns: return "dns-heals";
    case Deed::phone_changes_password: return "password";
    case Deed::phone_registers_now: return "registers-now";
    case Deed::link_changes: return "link-changes";
    case Deed::cut_both_ways: return "cut";
    case Deed::cut_way_out: return "way out cut";
    case Deed::cut_way_in: return "way in cut";
    case Deed::cut_heals:
    case Deed::node_heals:
    case Deed::dns_heals:
    case Deed::world_heals: return "heals";
    }
    return "?";
}

std::string_view name_of(NodeChoice choice) {
    switch (choice) {
    case NodeChoice::named: return "";
    case NodeChoice::first_choice: return "first choice";
    case NodeChoice::second_choice: return "second choice";
    case NodeChoice::third_choice: return "third choice";
    case NodeChoice::current: return "current";
    case NodeChoice::all: return "all";
    case NodeChoice::all_but_current: return "all but current";
    }
    return "?";
}

std::string label_of(const EventPlan& event) {
    if (!event.label.empty()) return event.label;
    std::string text =
        event.choice == NodeChoice::named
            ? event.subject
            : std::string(name_of(event.choice)) + (event.of.empty() ? "" : " of ") + event.of;
    const bool is_dns = event.deed >= Deed::dns_fails && event.deed <= Deed::dns_heals;
    if (is_dns) text = "DNS" + (text.empty() ? "" : " of " + text);
    if (event.deed == Deed::link_changes) return "link changes";
    if (event.deed >= Deed::cut_both_ways && event.deed <= Deed::cut_heals)
        return event.cut_off + " and " + text + ": " + std::string(name_of(event.deed));
    if (event.deed == Deed::world_heals) return "everything heals";
    return text + " " + std::string(name_of(event.deed)) +
           (event.deed == Deed::node_answers ? " " + std::to_string(event.status) : "");
}

}  // namespace holdfast::lab::scenario
