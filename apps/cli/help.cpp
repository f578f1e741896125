#include "apps/cli/help.h"

#include <algorithm>

namespace holdfast::cli {

namespace {

constexpr std::size_t width = 80;
constexpr std::size_t column = 8;  // where an option's meaning begins

std::string exit_code_list() {
    std::string text = "Exit codes:\n";
    for (const auto& [code, meaning] : exit_codes()) {
        auto number = std::to_string(number_of(code));
        text +=
            std::string(4 - number.size(), ' ') + number + "  " + wrapped(meaning, 6, width) + "\n";
    }
    return text;
}

std::string option_list(const Command& command) {
    std::string text;
    for (const auto& option : option_table()) {
        if ((option.commands & command.options) == 0) continue;
        text += "  --" + std::string(option.name);
        if (!option.value.empty()) text += " " + std::string(option.value);
        std::string meaning(option.meaning);
        if (!option.standard.empty() && option.form != Form::flag)
            meaning += " [" + std::string(option.standard) + "]";
        text += "\n" + std::string(column, ' ') + wrapped(meaning, column, width) + "\n";
    }
    return text + "  -h, --help\n        this text\n";
}

// Paragraphs, however their lines were broken in the source.
std::string paragraphs(std::string_view text) {
    constexpr std::string_view gap = "\n\n";
    std::string result;
    while (!text.empty()) {
        const auto end = std::min(text.find(gap), text.size());
        std::string paragraph(text.substr(0, end));
        std::ranges::replace(paragraph, '\n', ' ');
        result += wrapped(paragraph, 0, width) + "\n";
        text.remove_prefix(std::min(text.size(), end + gap.size()));
        if (!text.empty()) result += "\n";
    }
    return result;
}

}  // namespace

std::string wrapped(std::string_view text, std::size_t indent, std::size_t columns) {
    std::string result;
    std::size_t at = indent;
    while (!text.empty()) {
        const auto word = text.substr(0, text.find(' '));
        text.remove_prefix(std::min(text.size(), word.size() + 1));
        if (at > indent && at + 1 + word.size() > columns) {
            result += "\n" + std::string(indent, ' ');
            at = indent;
        } else if (at > indent) {
            result += ' ';
            ++at;
        }
        result += word;
        at += word.size();
    }
    return result;
}

std::string version() { return "holdfast " HOLDFAST_VERSION "\n"; }

std::string help() {
    std::string text = "holdfast: a SIP user agent that stays registered\n\nUsage:\n";
    for (const auto& command : commands()) {
        std::string line = "  holdfast " + std::string(command.name);
        if (!command.operand.empty()) line += " " + std::string(command.operand);
        if (command.options != 0) line += " [OPTION…]";
        text += line + "\n        " + std::string(command.summary) + "\n";
    }
    text += "  holdfast COMMAND --help\n        what a command does, and its options\n";
    text += "  holdfast --version\n\n";
    text +=
        "The first thing to try:\n"
        "  HOLDFAST_PASSWORD=… holdfast register sip:alice@example.test\n\n";
    return text + exit_code_list();
}

std::string help_of(const Command& command) {
    std::string text = "Usage: holdfast " + std::string(command.name);
    if (!command.operand.empty()) text += " " + std::string(command.operand);
    if (command.options != 0) text += " [OPTION…]";
    text += "\n\n" + paragraphs(command.text);
    if (command.options != 0) text += "\nOptions [default]:\n" + option_list(command);
    return text + "\n" + exit_code_list();
}

}  // namespace holdfast::cli
