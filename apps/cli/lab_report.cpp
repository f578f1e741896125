#include "apps/cli/lab_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>

#include "apps/cli/terminal.h"
#include "registration/policy_values.h"

namespace holdfast::cli {

using namespace lab::scenario;

namespace {

constexpr std::size_t label_width = 40;
constexpr std::size_t columns_most = 100;
constexpr std::size_t gap_width = 2;

std::size_t width_of(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count_if(
        text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }));
}

std::string padded(const std::string& text, std::size_t columns) {
    const auto has = width_of(text);
    return has < columns ? text + std::string(columns - has, ' ') : text;
}

std::string shortened_label(std::string text, std::size_t columns) {
    while (width_of(text) > columns) {
        while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xc0U) == 0x80U)
            text.pop_back();
        text.pop_back();
    }
    return text;
}

std::string seconds(double value) {
    if (value == Figures::not_yet) return "never";
    if (value == 0) return "0";
    return fmt::format("{:.{}f} s", value, value < 0.1 ? 3 : value < 1 ? 2 : 1);
}

// 99.96 % is not 100.
std::string percent(double value) {
    if (value >= 100) return "100 %";
    return fmt::format("{:.1f} %", std::floor(10 * value) / 10);
}

std::string count(double value) { return std::to_string(std::llround(value)); }

std::string gap(const Figures& f) { return (f.worst_lasts ? "> " : "") + seconds(f.worst_gap); }

using Cell = std::function<std::string(const Findings&)>;
struct Row {
    std::string label;
    Cell cell;
};

std::vector<Row> lines_of(const Scenario& scenario) {
    std::vector<Row> lines{
        {"reachable", [](const Findings& o) { return percent(o.total.share(o.total.reachable)); }},
        {"worst gap", [](const Findings& o) { return gap(o.total); }},
        {"registered after", [](const Findings& o) { return seconds(o.total.registered_after); }}};
    if (!scenario.callers.empty()) {
        lines.push_back({"calls lost / calls", [](const Findings& o) {
                             return fmt::format("{} / {}", o.total.lost, o.total.calls);
                         }});
        lines.push_back({"calls that rang late / twice", [](const Findings& o) {
                             return fmt::format("{} / {}", o.total.late, o.total.twice);
                         }});
    }
    lines.push_back({"moves", [](const Findings& o) { return std::to_string(o.total.moves); }});
    lines.push_back(
        {"un-REGISTERs", [](const Findings& o) { return std::to_string(o.total.unregisters); }});
    lines.push_back({"stale bindings at most, for", [](const Findings& o) {
                         return o.total.stale_most == 0 ? "0"
                                                        : fmt::format("{}, {}", o.total.stale_most,
                                                                      seconds(o.total.stale_for));
                     }});
    lines.push_back({"REGISTERs / other requests", [](const Findings& o) {
                         return fmt::format("{} / {}", o.total.registers,
                                            o.total.requests - o.total.registers);
                     }});
    for (const auto& plan : scenario.clusters)
        if (plan.options.server.ban.most > 0) {
            lines.push_back({"bans", [](const Findings& o) { return std::to_string(o.bans); }});
            break;
        }
    for (std::size_t i = 0; i < scenario.events.size(); ++i) {
        const auto& event = scenario.events[i];
        const auto end = " at " + registration::print_duration(event.at) + ": back in";
        lines.push_back({shortened_label(label_of(event), label_width - 1 - end.size()) + end,
                         [i](const Findings& o) {
                             return o.hit[i] ? seconds(o.total.recovery[i]) : "(nobody)";
                         }});
    }
    return lines;
}

std::string block(const std::vector<Row>& lines, std::span<const Findings> outcomes,
                  const std::vector<std::size_t>& widths) {
    auto text = "  " + padded("", label_width);
    for (std::size_t i = 0; i < outcomes.size(); ++i) text += padded(outcomes[i].preset, widths[i]);
    text.erase(text.find_last_not_of(' ') + 1);
    text += "\n";
    for (const auto& line : lines) {
        auto row = "  " + padded(line.label, label_width);
        for (std::size_t i = 0; i < outcomes.size(); ++i)
            row += padded(line.cell(outcomes[i]), widths[i]);
        row.erase(row.find_last_not_of(' ') + 1);
        text += row + "\n";
    }
    return text;
}

std::string limit_of(const Expectation& expectation) {
    const auto& text = text_of(expectation.measure);
    if (text.unit == Unit::node) return expectation.node;
    const std::string_view sign = text.comparison == Comparison::at_most    ? "≤ "
                                  : text.comparison == Comparison::at_least ? "≥ "
                                                                            : "= ";
    switch (text.unit) {
    case Unit::duration: return std::string(sign) + fmt::format("{} s", expectation.limit);
    case Unit::percent: return std::string(sign) + fmt::format("{} %", expectation.limit);
    case Unit::count: return std::string(sign) + count(expectation.limit);
    case Unit::node: break;
    }
    return {};
}

std::string seen_of(const Verdict& verdict) {
    const auto measure = verdict.expectation->measure;
    if (measure == Measure::gap_at_most && verdict.seen == Figures::not_yet)
        return "one has not ended";
    switch (text_of(measure).unit) {
    case Unit::duration: return seconds(verdict.seen);
    case Unit::percent: return percent(verdict.seen);
    case Unit::count: return count(verdict.seen);
    case Unit::node: return verdict.seen_node.empty() ? "nowhere" : verdict.seen_node;
    }
    return {};
}

std::string window_of(const Verdict& verdict) {
    if (!verdict.window) return {};
    const auto text = [](Instant at) {
        return registration::print_duration(at - lab::Internet::start);
    };
    return fmt::format(" ({} to {})", text(verdict.window->from), text(verdict.window->to));
}

// Names of files need not be UTF-8.
std::string json_line_of(const nlohmann::ordered_json& json) {
    return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

nlohmann::ordered_json json_of(double value) {
    if (value == Figures::not_yet) return nullptr;
    return std::round(value * 1e6) / 1e6;
}

nlohmann::ordered_json json_of(const Figures& f) {
    nlohmann::ordered_json json{
        {"registered_after_s", json_of(f.registered_after)},
        {"reachable_percent", json_of(f.share(f.reachable))},
        {"all_answer_percent", json_of(f.share(f.all_answer))},
        {"contact_is_mapping_percent", json_of(f.share(f.is_mapping))},
        {"worst_gap_s", json_of(f.worst_gap)},
        {"worst_gap_lasts", f.worst_lasts},
        {"gap_lasts", f.gap_lasts},
        {"calls", f.calls},
        {"calls_lost", f.lost},
        {"calls_late", f.late},
        {"calls_twice", f.twice},
        {"moves", f.moves},
        {"unregisters", f.unregisters},
        {"stale_most", f.stale_most},
        {"stale_for_s", json_of(f.stale_for)},
        {"bindings_most", f.bindings_most},
        {"registers", f.registers},
        {"other_requests", f.requests - f.registers},
    };
    json["recovery_s"] = nlohmann::ordered_json::array();
    for (const auto recovery : f.recovery) json["recovery_s"].push_back(json_of(recovery));
    json["node"] = f.node;
    return json;
}

}  // namespace

std::string lab_table(const Scenario& scenario, std::span<const Findings> outcomes) {
    const auto lines = lines_of(scenario);
    std::vector<std::size_t> widths;
    for (const auto& outcome : outcomes) {
        auto columns = outcome.preset.size();
        for (const auto& line : lines) columns = std::max(columns, width_of(line.cell(outcome)));
        widths.push_back(columns + gap_width);
    }
    auto text = scenario.title + "\n" +
                fmt::format("({}: {}, seed {}, {} phone{})\n", scenario.name,
                            registration::print_duration(scenario.length),
                            outcomes.empty() ? 0 : outcomes.front().seed,
                            outcomes.empty() ? 0 : outcomes.front().phones.size(),
                            !outcomes.empty() && outcomes.front().phones.size() == 1 ? "" : "s");
    for (std::size_t begin = 0; begin < outcomes.size();) {
        auto end = begin + 1;
        auto columns = gap_width + label_width + widths[begin];
        while (end < outcomes.size() && columns + widths[end] <= columns_most)
            columns += widths[end++];
        text += "\n" + block(lines, outcomes.subspan(begin, end - begin),
                             {widths.begin() + static_cast<std::ptrdiff_t>(begin),
                              widths.begin() + static_cast<std::ptrdiff_t>(end)});
        begin = end;
    }
    return printable(text);
}

std::string lab_verdict(const Verdict& verdict) {
    const auto& event = verdict.expectation->event;
    return fmt::format("{} {}: {}{}{} {}: {}", verdict.expectation->preset, verdict.phone,
                       text_of(verdict.expectation->measure).what,
                       event.empty() ? "" : " after " + event, window_of(verdict),
                       limit_of(*verdict.expectation), seen_of(verdict));
}

std::vector<std::pair<std::string, std::string>> lab_figures(const Scenario& scenario,
                                                             const Findings& outcome) {
    std::vector<std::pair<std::string, std::string>> figures;
    for (const auto& line : lines_of(scenario))
        figures.emplace_back(line.label, line.cell(outcome));
    return figures;
}

std::string lab_verdicts(std::span<const Findings> outcomes, bool color) {
    std::string text;
    for (const auto& outcome : outcomes)
        for (const auto& verdict : outcome.verdicts) {
            const std::string head = verdict.holds ? "  holds   " : "  BROKEN  ";
            const auto paint = color ? verdict.holds ? "\033[32m" : "\033[31m" : "";
            text += fmt::format("{}{}{}{}\n", paint, head, color ? "\033[0m" : "",
                                printable(lab_verdict(verdict)));
        }
    if (text.empty()) return "  Nothing is expected of these presets.\n";
    return text;
}

std::string lab_json(const Scenario& scenario, const Findings& outcome) {
    nlohmann::ordered_json line{
        {"scenario", scenario.name},
        {"title", scenario.title},
        {"preset", outcome.preset},
        {"seed", outcome.seed},
        {"length_s", seconds_of(scenario.length)},
        {"holds", outcome.holds()},
        {"bans", outcome.bans},
        {"total", json_of(outcome.total)},
    };
    line["events"] = nlohmann::ordered_json::array();
    for (std::size_t i = 0; i < scenario.events.size(); ++i)
        line["events"].push_back({{"at_s", seconds_of(scenario.events[i].at)},
                                  {"what", outcome.events[i]},
                                  {"hit_somebody", static_cast<bool>(outcome.hit[i])}});
    for (const auto& phone : outcome.phones) {
        auto json = json_of(phone.figures);
        nlohmann::ordered_json one{{"name", phone.name}, {"preset", phone.preset}};
        one.update(json);
        line["phones"].push_back(std::move(one));
    }
    line["expectations"] = nlohmann::ordered_json::array();
    for (const auto& verdict : outcome.verdicts) {
        const auto& expectation = *verdict.expectation;
        const bool is_node = expectation.measure == Measure::at_node;
        nlohmann::ordered_json one{{"phone", verdict.phone},
                                   {"preset", expectation.preset},
                                   {"key", text_of(expectation.measure).key},
                                   {"holds", verdict.holds}};
        const auto in_unit = [&](double value) -> nlohmann::ordered_json {
            if (text_of(expectation.measure).unit == Unit::count) return std::llround(value);
            return json_of(value);
        };
        one["from_s"] = seconds_of(expectation.from);
        one["to_s"] = seconds_of(expectation.to.value_or(scenario.length));
        one["limit"] =
            is_node ? nlohmann::ordered_json(expectation.node) : in_unit(expectation.limit);
        one["seen"] = is_node ? nlohmann::ordered_json(verdict.seen_node) : in_unit(verdict.seen);
        if (!expectation.event.empty()) one["after"] = expectation.event;
        line["expectations"].push_back(std::move(one));
    }
    return json_line_of(line);
}

std::string lab_list_json(const Scenario& scenario, const std::string& file) {
    const nlohmann::ordered_json line{
        {"name", scenario.name}, {"title", scenario.title}, {"file", file}};
    return json_line_of(line);
}

}  // namespace holdfast::cli
