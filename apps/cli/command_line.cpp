#include "apps/cli/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <deque>

#include "registration/policy_values.h"

namespace holdfast::cli {

namespace {

bool names(const std::string& words, const std::string& option) {
    const auto at = words.find(option);
    if (at == std::string::npos) return false;
    const auto after = at + option.size();
    return after == words.size() || words[after] == ':' || words[after] == ' ';
}

// CLI11's messages name the option, in words of its own.
std::string without_value(const CLI::ParseError& error, const Command& command) {
    std::string words = error.what();
    for (const auto& option : option_table()) {
        const auto name = "--" + std::string(option.name);
        if ((option.commands & command.options) == 0 || !names(words, name)) continue;
        if (option.form == Form::flag) return "Option " + name + " takes no value";
        return "Option " + name + " needs a value: " + std::string(option.value);
    }
    return words;
}

std::string unknown_option(const std::string& argument, const Command& command) {
    const auto name = argument.substr(0, argument.find('='));
    std::vector<std::string_view> known{"help"};
    for (const auto& option : option_table())
        if ((option.commands & command.options) != 0) known.push_back(option.name);
    return "Unknown option " + name +
           suggestion(name.substr(std::min<std::size_t>(2, name.size())), known, "--");
}

}  // namespace

std::string suggestion(std::string_view word, std::span<const std::string_view> known,
                       std::string_view prefix) {
    const auto nearest = registration::nearest_word(word, known);
    if (nearest.empty()) return "";
    return "; did you mean " + std::string(prefix) + std::string(nearest) + "?";
}

std::expected<CommandLine, std::string> parse_command_line(
    const Command& command, const std::vector<std::string>& arguments) {
    CLI::App app;
    app.set_help_flag();  // ours is printed from the option table
    app.allow_extras();
    CommandLine line;
    app.add_flag("-h,--help", line.help);
    std::deque<std::vector<std::string>> values;  // stay where they are
    std::vector<std::pair<const OptionText*, const std::vector<std::string>*>> given;
    std::deque<bool> flags;
    std::vector<std::pair<const OptionText*, const bool*>> raised;
    for (const auto& option : option_table()) {
        if ((option.commands & command.options) == 0) continue;
        const auto name = "--" + std::string(option.name);
        if (option.form == Form::flag) {
            raised.emplace_back(&option, &flags.emplace_back(false));
            app.add_flag(name, flags.back());
            continue;
        }
        given.emplace_back(&option, &values.emplace_back());
        auto* added = app.add_option(name, values.back());
        added->expected(1)->allow_extra_args(false);
        added->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    }
    try {
        std::vector<std::string> reversed(arguments.rbegin(),
                                          arguments.rend());  // as CLI11 takes them
        app.parse(std::move(reversed));
    } catch (const CLI::ParseError& error) {
        return std::unexpected(without_value(error, command));
    }
    const auto after_dashes = std::ranges::find(arguments, "--");
    for (const auto& extra : app.remaining()) {
        if (extra == "--") continue;
        const bool is_operand = extra.size() < 2 || extra.front() != '-' ||
                                std::find(after_dashes, arguments.end(), extra) != arguments.end();
        if (!is_operand) return std::unexpected(unknown_option(extra, command));
        line.operands.push_back(extra);
    }
    for (const auto& [option, is_raised] : raised)
        if (*is_raised)
            line.settings.push_back(
                {std::string(option->name), "true", "--" + std::string(option->name)});
    for (const auto& [option, list] : given) {
        const bool may_repeat =
            option->form == Form::list || (option->repeated_by & command.options) != 0;
        if (!may_repeat && list->size() > 1)
            return std::unexpected("Option --" + std::string(option->name) + " was given twice");
        for (const auto& value : *list)
            line.settings.push_back(
                {std::string(option->name), value, "--" + std::string(option->name)});
    }
    return line;
}

}  // namespace holdfast::cli
