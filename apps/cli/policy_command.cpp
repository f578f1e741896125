// holdfast presets, holdfast policy: what can be chosen.
#include <unistd.h>

#include <algorithm>

#include "apps/cli/commands.h"
#include "apps/cli/help.h"
#include "apps/cli/json_lines.h"
#include "apps/cli/session.h"
#include "apps/cli/terminal.h"

namespace holdfast::cli {

namespace {

constexpr std::size_t width = 80;
constexpr std::size_t column = 8;

std::string in_words(const std::vector<registration::FieldText>& fields) {
    std::string text;
    for (const auto& field : fields)
        text += field.key + " = " + field.value + "\n" + std::string(column, ' ') +
                wrapped(field.meaning, column, width) + "\n" + std::string(column, ' ') +
                wrapped("Allowed: " + field.allowed, column, width) + "\n";
    return text;
}

// What a preset changes against the default.
std::string differences(std::string_view name) {
    const auto policy = registration::preset(name);
    if (!policy) return "";
    const auto standard = registration::describe(registration::Policy{});
    const auto own = registration::describe(*policy);
    std::string words;
    for (std::size_t i = 0; i < own.size(); ++i)
        if (own[i].key != "preset" && own[i].value != standard[i].value)
            words += (words.empty() ? "" : ", ") + own[i].key + "=" + own[i].value;
    return words.empty() ? "the default" : words;
}

}  // namespace

ExitCode run_presets(const std::vector<std::string>&, const std::vector<Setting>& settings) {
    const auto options = gather(settings);
    if (!options) return complain(options.error().code, options.error().sentence);
    const auto names = registration::preset_names();
    Printer output(STDOUT_FILENO);
    if (options->json) {
        output.write(json_line(names));
        return ExitCode::ok;
    }
    for (const auto name : names)
        output.write(std::string(name) + "\n" + std::string(column, ' ') +
                     wrapped(differences(name), column, width) + "\n");
    return ExitCode::ok;
}

ExitCode run_policy(const std::vector<std::string>&, const std::vector<Setting>& settings) {
    const auto options = gather(settings);
    if (!options) return complain(options.error().code, options.error().sentence);
    const auto fields = registration::describe(options->account.policy);
    Printer output(STDOUT_FILENO);
    output.write(options->json ? json_line(fields) : in_words(fields));
    return ExitCode::ok;
}

}  // namespace holdfast::cli
