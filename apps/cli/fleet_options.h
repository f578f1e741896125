// What a user can say about `holdfast run` as a whole, as the table of options wants it.
#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace holdfast::cli {

struct Options;

std::expected<void, std::string> apply_shards(Options& options, std::string_view value, bool);
std::expected<void, std::string> apply_rate(Options& options, std::string_view value, bool);
std::expected<void, std::string> apply_stop_within(Options& options, std::string_view value, bool);
std::expected<void, std::string> apply_metrics(Options& options, std::string_view value, bool);
std::expected<void, std::string> apply_log(Options& options, std::string_view value, bool);

}  // namespace holdfast::cli
