// Arguments become settings; what they mean is the option table's (options.h). CLI11 is behind it,
// in command_line.cpp alone.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "apps/cli/commands.h"

namespace holdfast::cli {

struct CommandLine {
    bool help = false;
    std::vector<std::string> operands;
    std::vector<Setting> settings;  // where: "--transport"
};

// The arguments after the command's name. The error is a sentence; an unknown option's names the
// nearest one.
std::expected<CommandLine, std::string> parse_command_line(
    const Command& command, const std::vector<std::string>& arguments);

// "; did you mean …?", or "".
std::string suggestion(std::string_view word, std::span<const std::string_view> known,
                       std::string_view prefix = "");

}  // namespace holdfast::cli
