// What a user can say about `holdfast lab`, as the table of options wants it.
#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace holdfast::cli {

struct Options;

std::expected<void, std::string> apply_runs(Options& options, std::string_view value, bool);
std::expected<void, std::string> apply_seed(Options& options, std::string_view value, bool);
std::expected<void, std::string> apply_minutes(Options& options, std::string_view value, bool);
std::expected<void, std::string> apply_keep(Options& options, std::string_view value, bool);
std::expected<void, std::string> apply_html(Options& options, std::string_view value, bool);

}  // namespace holdfast::cli
