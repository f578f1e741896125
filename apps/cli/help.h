// --help, made from the tables of commands, options and exit codes.
#pragma once

#include <string>

#include "apps/cli/commands.h"

namespace holdfast::cli {

std::string help();  // of the program
std::string help_of(const Command& command);
std::string version();  // "holdfast 0.1.0"

// Words broken into lines of at most `width` columns, each after the first indented.
std::string wrapped(std::string_view text, std::size_t indent, std::size_t width);

}  // namespace holdfast::cli
