#include "apps/cli/demo_report.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

namespace holdfast::cli {

namespace {

constexpr std::size_t rows_shown = 4;
constexpr std::size_t label_width = 30;
constexpr std::size_t cell_width = 20;

std::string line_of(std::string_view label, const std::vector<std::string>& cells) {
    auto line = fmt::format("  {:<{}}", label, label_width);
    for (const auto& cell : cells) line += fmt::format("{:<{}}", cell, cell_width);
    line.erase(line.find_last_not_of(' ') + 1);
    return line + "\n";
}

template <class Cell>
std::string row(std::string_view label, std::span<const DemoOutcome* const> of, Cell cell) {
    std::vector<std::string> cells;
    for (const auto* outcome : of) cells.push_back(cell(*outcome));
    return line_of(label, cells);
}

std::string seconds(Duration duration) { return fmt::format("{:.1f} s", seconds_of(duration)); }

std::string in_words(const Unreachable& unreachable) {
    if (unreachable.calls == 0) return "-";
    if (unreachable.still)
        return fmt::format("more than {:.0f} s", std::floor(seconds_of(unreachable.length)));
    return seconds(unreachable.length);
}

std::string in_lab(const Unreachable& unreachable) {
    if (unreachable.still)
        return fmt::format("(lab: > {:.0f} s)", std::floor(seconds_of(unreachable.length)));
    return "(lab: " + seconds(unreachable.length) + ")";
}

std::vector<const DemoOutcome*> outcomes_of(const DemoCase& demo_case,
                                            std::span<const DemoOutcome> outcomes) {
    std::vector<const DemoOutcome*> found;
    for (const auto& outcome : outcomes)
        if (outcome.of == &demo_case) found.push_back(&outcome);
    return found;
}

std::string registration_cell(const DemoOutcome& outcome, std::size_t number) {
    if (outcome.registrations.size() <= number) return "";
    const auto& registration = outcome.registrations[number];
    return fmt::format("{:>4.1f} s  ip{} :{}", seconds_of(registration.at), registration.server + 1,
                       registration.seen_as.port);
}

const DemoOutcome* find(std::span<const DemoOutcome> outcomes, const DemoCase& demo_case,
                        std::string_view preset) {
    for (const auto& outcome : outcomes)
        if (outcome.of == &demo_case && outcome.preset == preset) return &outcome;
    return nullptr;
}

}  // namespace

std::string refreshes_table(std::span<const DemoOutcome> outcomes) {
    std::string text;
    for (const auto& demo_case : demo_cases()) {
        if (demo_case.fault != DemoFault::none) continue;
        const auto of = outcomes_of(demo_case, outcomes);
        text +=
            "Which server has the registration, and from which port of 203.0.113.195 it sees the "
            "phone\n";
        text += "(a NAT with endpoint-dependent ports; ";
        text +=
            "DNS rotates; the registrar grants " + std::to_string(demo_case.granted) + " s)\n\n";
        text += row("", of, [](const DemoOutcome& o) { return std::string(o.preset); });
        for (std::size_t i = 0; i < rows_shown; ++i)
            text += row("t" + std::to_string(i + 1), of,
                        [&](const DemoOutcome& o) { return registration_cell(o, i); });
        text += row("moves / registrations", of, [](const DemoOutcome& o) {
            return fmt::format("{} / {}", o.moves, o.registrations.size());
        });
        text += row("un-REGISTERs", of,
                    [](const DemoOutcome& o) { return std::to_string(o.removals); });
        text += row("bindings at once, at most", of,
                    [](const DemoOutcome& o) { return std::to_string(o.most_bindings); });
        text += row("calls lost / calls", of, [](const DemoOutcome& o) {
            return fmt::format("{} / {}", o.live.lost, o.live.calls);
        });
    }
    return text;
}

std::string reachability_table(std::span<const DemoOutcome> outcomes) {
    const std::vector<std::string> presets{"microsip", "microsip-3.20", "holdfast"};
    std::string text =
        "Seconds in which no call rang; in brackets the lab's figure for ten minutes of virtual "
        "time\n\n";
    text += line_of("", presets);
    for (const auto& demo_case : demo_cases()) {
        if (demo_case.fault == DemoFault::none) continue;
        std::vector<std::string> measured;
        std::vector<std::string> simulated;
        for (const auto& preset : presets) {
            const auto* outcome = find(outcomes, demo_case, preset);
            measured.push_back(outcome == nullptr ? "" : in_words(outcome->live));
            simulated.push_back(outcome == nullptr ? "" : in_lab(outcome->lab));
        }
        text += line_of(demo_case.name, measured);
        text +=
            line_of(fmt::format("    Holdfast's limit: {}", seconds(demo_case.limit)), simulated);
    }
    return text;
}

std::string verdict(std::span<const DemoOutcome> outcomes, bool color) {
    const auto paint = [&](std::string_view code, const std::string& text) {
        return color ? "\033[" + std::string(code) + "m" + text + "\033[0m" : text;
    };
    std::string broken;
    for (const auto& outcome : outcomes)
        if (outcome.preset == "holdfast" && !keeps_promise(outcome))
            broken += "  " + std::string(outcome.of->name) + ": " + in_words(outcome.live) + "\n";
    if (broken.empty()) return paint("32", "Holdfast kept its promise.") + "\n";
    return paint("31", "Holdfast did not keep its promise:") + "\n" + broken;
}

std::string demo_json(const DemoOutcome& outcome) {
    nlohmann::ordered_json line{
        {"case", outcome.of->name},
        {"preset", outcome.preset},
        {"unreachable_s", seconds_of(outcome.live.length)},
        {"recovered", !outcome.live.still},
        {"calls", outcome.live.calls},
        {"calls_lost", outcome.live.lost},
        {"moves", outcome.moves},
        {"unregisters", outcome.removals},
        {"most_bindings", outcome.most_bindings},
    };
    if (outcome.lab.calls > 0) {
        line["lab_unreachable_s"] = seconds_of(outcome.lab.length);
        line["lab_recovered"] = !outcome.lab.still;
    }
    if (outcome.registered_after)
        line["registered_after_s"] = seconds_of(*outcome.registered_after);
    if (outcome.preset == "holdfast") line["kept_promise"] = keeps_promise(outcome);
    for (const auto& registration : outcome.registrations)
        line["registrations"].push_back({{"t", seconds_of(registration.at)},
                                         {"server", registration.server + 1},
                                         {"mapping", registration.seen_as.to_string()}});
    return line.dump() + "\n";
}

}  // namespace holdfast::cli
