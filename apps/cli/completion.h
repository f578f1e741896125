// What a shell offers after Tab, made from the tables of commands and options, so that nothing is
// forgotten. Written into files by completions_main.cpp when Holdfast is built.
#pragma once

#include <string>

namespace holdfast::cli {

std::string bash_completion();
std::string zsh_completion();  // the file is called _holdfast
std::string fish_completion();

}  // namespace holdfast::cli
