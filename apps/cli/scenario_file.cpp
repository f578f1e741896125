#include "apps/cli/scenario_file.h"

#include <algorithm>
#include <system_error>

#include "apps/cli/scenario_sense.h"
#include "apps/cli/scenario_timeline.h"
#include "apps/cli/scenario_topology.h"
#include "apps/cli/text_file.h"
#include "apps/cli/toml_tree.h"

namespace holdfast::cli {

using lab::scenario::Scenario;

namespace {

constexpr std::size_t scenario_bytes_most = std::size_t{1} << 20U;
constexpr Duration length_most = std::chrono::hours{24 * 28};

// s2 before s10: the number in front of the first hyphen counts as one.
std::pair<std::string, std::string> place_in_list(const std::filesystem::path& file) {
    const auto name = file.stem().string();
    const auto digits = std::ranges::count_if(name.substr(0, name.find('-')),
                                              [](char c) { return c >= '0' && c <= '9'; });
    const auto first = name.find_first_of("0123456789");
    if (digits == 0 || first == std::string::npos) return {name, ""};
    return {name.substr(0, first) + std::string(static_cast<std::size_t>(9 - digits), '0') +
                name.substr(first),
            name};
}

void read_parts(TableReader& top, Scenario& scenario, Problems& problems) {
    ScenarioNames names;
    top.table("link", [&](const TomlValue& value) {
        TableReader link(value, "link", problems);
        read_link(link, scenario.link);
    });
    top.tables("cluster", [&](const TomlValue& value) {
        scenario.clusters.push_back(read_cluster(value, names, problems));
    });
    top.tables("dns", [&](const TomlValue& value) {
        scenario.dns.push_back(read_dns(value, scenario, problems));
    });
    top.tables("nat", [&](const TomlValue& value) {
        scenario.nats.push_back(read_nat(value, names, problems));
    });
    top.tables("phone", [&](const TomlValue& value) {
        scenario.phones.push_back(read_phone(value, names, scenario, problems));
    });
    top.tables("caller", [&](const TomlValue& value) {
        scenario.callers.push_back(read_caller(value, names, scenario, problems));
    });
    top.tables("event", [&](const TomlValue& value) {
        scenario.events.push_back(read_event(value, names, scenario, problems));
    });
    top.tables("expect", [&](const TomlValue& value) {
        const auto read = read_expect(value, names, scenario, problems);
        scenario.expectations.insert(scenario.expectations.end(), read.begin(), read.end());
    });
    top.wants("cluster", "which servers are there? ([[cluster]])");
    top.wants("phone", "who is there? ([[phone]])");
}

}  // namespace

std::expected<Scenario, std::string> parse_scenario(std::string_view text,
                                                    const std::string& name) {
    const auto document = parse_toml(text, name);
    if (!document) return std::unexpected(document.error());
    Problems problems(name);
    Scenario scenario;
    scenario.name = std::filesystem::path(name).stem().string();
    TableReader top(*document, "", problems);
    if (top.text("title", scenario.title) && scenario.title.empty())
        top.complain("title", "there is nothing in it: what does the scenario show?");
    top.wants("title", "what does it show, in one line? (title = \"…\")");
    top.duration("length", scenario.length);
    if (scenario.length < std::chrono::milliseconds{1} || scenario.length > length_most) {
        top.complain("length", "a scenario lasts from 1ms to 672h, which are four weeks");
        scenario.length = length_most;  // whose moments are judged all the same
    }
    read_parts(top, scenario, problems);
    top.finish();
    // Of a file whose keys are wrong nobody knows what was meant.
    if (problems.empty()) complain_of_nonsense(*document, scenario, problems);
    if (!problems.empty()) return std::unexpected(problems.text());
    std::ranges::stable_sort(scenario.events, {}, &lab::scenario::EventPlan::at);
    return scenario;
}

std::expected<Scenario, std::string> read_scenario_file(const std::filesystem::path& file) {
    const auto text = read_text_file(file, "scenario file", scenario_bytes_most);
    if (!text) return std::unexpected(text.error());
    return parse_scenario(*text, file.string());
}

// As installed; else those of the source tree that this is a build of (build/release/holdfast).
std::vector<std::filesystem::path> shipped_scenarios() {
    std::vector<std::filesystem::path> found;
    std::error_code error;
    const auto self = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
    for (const auto& folder : {self / HOLDFAST_SCENARIOS, self / "../../scenarios"}) {
        for (std::filesystem::directory_iterator at(folder, error), last; !error && at != last;
             at.increment(error))
            if (at->path().extension() == ".toml") found.push_back(at->path().lexically_normal());
        if (!found.empty()) break;
    }
    std::ranges::sort(found, {}, place_in_list);
    return found;
}

}  // namespace holdfast::cli
