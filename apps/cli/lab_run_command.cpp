// holdfast lab run: scenarios in virtual time, with one preset after the other; holdfast lab list.
#include <unistd.h>

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <utility>

#include "apps/cli/command_line.h"
#include "apps/cli/commands.h"
#include "apps/cli/lab_command.h"
#include "apps/cli/lab_page.h"
#include "apps/cli/lab_report.h"
#include "apps/cli/output_file.h"
#include "apps/cli/page.h"
#include "apps/cli/scenario_file.h"
#include "apps/cli/terminal.h"
#include "registration/policy.h"

namespace holdfast::cli {

namespace {

using lab::scenario::Findings;
using lab::scenario::RunOptions;
using lab::scenario::Scenario;

struct Orders {
    std::vector<std::string> presets;
    RunOptions run;
    bool json = false;
    std::string html;  // "": no page
};

std::expected<void, std::string> take_value(Orders& orders, const Setting& setting) {
    const auto equals = setting.value.find('=');
    const std::string key(policy_key(setting.value.substr(0, equals)));
    if (equals == std::string::npos || key == "preset")
        return std::unexpected(setting.where + ": \"" + setting.value +
                               "\" sets nothing: write policy.key=value (`holdfast policy` lists "
                               "the keys)");
    const auto value = setting.value.substr(equals + 1);
    registration::Policy policy;
    if (const auto good = registration::set(policy, key, value); !good)
        return std::unexpected(setting.where + ": " + good.error());
    orders.run.policy.emplace_back(key, value);
    return {};
}

// Presets and policy values are the phones', and several; the rest is as in any command.
std::expected<Orders, std::string> orders_of(const std::vector<Setting>& settings) {
    Orders orders;
    std::vector<Setting> others;
    for (const auto& setting : settings) {
        if (setting.key == "preset") {
            if (const auto known = registration::preset(setting.value); !known)
                return std::unexpected(setting.where + ": " + known.error());
            if (std::ranges::find(orders.presets, setting.value) == orders.presets.end())
                orders.presets.push_back(setting.value);
        } else if (setting.key == "set") {
            if (const auto taken = take_value(orders, setting); !taken)
                return std::unexpected(taken.error());
        } else {
            others.push_back(setting);
        }
    }
    Options options;
    if (const auto applied = apply_settings(options, others); !applied)
        return std::unexpected(applied.error());
    orders.json = options.json;
    orders.run.seed = options.lab.seed;
    orders.html = options.lab.html;
    if (orders.presets.empty()) orders.presets.emplace_back(RunOptions{}.preset);
    return orders;
}

// A file; else the name of one that comes with Holdfast.
std::expected<std::filesystem::path, std::string> file_of(const std::string& operand) {
    std::error_code error;
    if (operand.contains('/') || std::filesystem::exists(operand, error)) return operand;
    const auto shipped = shipped_scenarios();
    for (const auto& file : shipped)
        if (file.stem() == operand || file.filename() == operand) return file;
    std::vector<std::string> names;
    names.reserve(shipped.size());
    for (const auto& file : shipped) names.push_back(file.stem().string());
    const std::string_view word(operand);
    const auto ending = word.ends_with(".toml") ? word.size() - 5 : word.size();
    return std::unexpected("There is no file \"" + operand +
                           "\" here, and no scenario of that name" +
                           suggestion(word.substr(0, ending),
                                      std::vector<std::string_view>(names.begin(), names.end())) +
                           " (holdfast lab list)");
}

// All mistakes of all files, before the first one runs.
std::expected<std::vector<Scenario>, std::string> scenarios_of(
    const std::vector<std::string>& operands) {
    std::vector<Scenario> scenarios;
    std::string mistakes;
    for (const auto& operand : operands) {
        const auto file = file_of(operand);
        auto scenario = file ? read_scenario_file(*file) : std::unexpected(file.error());
        if (scenario)
            scenarios.push_back(*std::move(scenario));
        else
            mistakes += (mistakes.empty() ? "" : "\n") + scenario.error();
    }
    if (!mistakes.empty()) return std::unexpected(mistakes);
    return scenarios;
}

ExitCode complain_of_each(std::string_view mistakes) {
    while (!mistakes.empty()) {
        const auto line = mistakes.substr(0, mistakes.find('\n'));
        complain(ExitCode::config, line);
        mistakes.remove_prefix(std::min(mistakes.size(), line.size() + 1));
    }
    return ExitCode::config;
}

// How to see it again, as one would type it.
std::string what_was_asked(const std::vector<std::string>& operands,
                           const std::vector<Setting>& settings) {
    const auto quoted = [](const std::string& word) {
        const bool is_plain = word.find_first_not_of(
                                  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "-_./:=,@%+") == std::string::npos;
        if (is_plain && !word.empty()) return word;
        std::string text = "'";
        for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
        return text + "'";
    };
    std::string text = "holdfast lab run";
    for (const auto& operand : operands) text += " " + quoted(operand);
    for (const auto& setting : settings)
        if (setting.key == "preset" || setting.key == "set" || setting.key == "seed")
            text += " --" + setting.key + " " + quoted(setting.value);
    return text;
}

}  // namespace

ExitCode run_lab_run(const std::vector<std::string>& operands,
                     const std::vector<Setting>& settings) {
    const auto orders = orders_of(settings);
    if (!orders) return complain(ExitCode::usage, orders.error());
    if (operands.empty())
        return complain(ExitCode::usage,
                        "Which scenario? holdfast lab run FILE…, or a name of holdfast lab list");
    const auto scenarios = scenarios_of(operands);
    if (!scenarios) return complain_of_each(scenarios.error());
    std::optional<OutputFile> page;
    if (!orders->html.empty()) {
        auto opened = OutputFile::open(orders->html);
        if (!opened) return complain(ExitCode::recording, opened.error());
        page.emplace(*std::move(opened));
    }
    const auto page_lines =
        page ? page_lines_of(scenarios->size() * orders->presets.size()) : std::size_t{0};
    std::vector<PlayedScenario> played;
    Printer output(STDOUT_FILENO);
    const bool color = is_terminal(STDOUT_FILENO) && wants_color() && can_move_cursor();
    bool all_hold = true;
    bool is_first = true;
    for (const auto& scenario : *scenarios) {
        std::vector<Findings> outcomes;
        for (const auto& preset : orders->presets) {
            auto options = orders->run;
            options.preset = preset;
            options.chronicle_lines = page_lines;
            outcomes.push_back(lab::scenario::run(scenario, options));
            all_hold = all_hold && outcomes.back().holds();
            if (orders->json) output.write(lab_json(scenario, outcomes.back()));
        }
        if (!orders->json)
            output.write((std::exchange(is_first, false) ? "" : "\n") +
                         lab_table(scenario, outcomes) + "\n" + lab_verdicts(outcomes, color));
        if (output.broken()) return ExitCode::host;
        if (page) played.push_back({&scenario, std::move(outcomes)});
    }
    if (page) {
        const auto html = page_of(lab_page_json(played, what_was_asked(operands, settings)));
        if (const auto written = page->commit(html); !written)
            return complain(ExitCode::recording, written.error());
    }
    return all_hold ? ExitCode::ok : ExitCode::expectation_broken;
}

ExitCode run_lab_list(const std::vector<std::string>& operands,
                      const std::vector<Setting>& settings) {
    const auto orders = orders_of(settings);
    if (!orders) return complain(ExitCode::usage, orders.error());
    if (!operands.empty())
        return complain(ExitCode::usage, "\"" + operands.front() + "\" is one argument too many");
    const auto files = shipped_scenarios();
    if (files.empty())
        return complain(ExitCode::config,
                        "The scenarios that come with Holdfast are not where they belong "
                        "(share/holdfast/scenarios beside its bin)");
    std::size_t width = 0;
    for (const auto& file : files) width = std::max(width, file.stem().string().size());
    Printer output(STDOUT_FILENO);
    for (const auto& file : files) {
        const auto scenario = read_scenario_file(file);
        if (!scenario) return complain_of_each(scenario.error());
        output.write(orders->json ? lab_list_json(*scenario, file.string())
                                  : printable(fmt::format("{:<{}}  {}\n", scenario->name, width,
                                                          scenario->title)));
    }
    return output.broken() ? ExitCode::host : ExitCode::ok;
}

}  // namespace holdfast::cli
