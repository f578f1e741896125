#include "apps/cli/lab_options.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>

#include "apps/cli/options.h"
#include "base/text.h"

namespace holdfast::cli {

namespace {

using Applied = std::expected<void, std::string>;

constexpr std::uint32_t runs_most = 10'000'000;
constexpr double minutes_least = 0.05;  // 3 s
constexpr double minutes_most = 7 * 24 * 60;

std::unexpected<std::string> refusal(std::string_view value, std::string_view what) {
    return std::unexpected("\"" + std::string(value) + "\" is " + std::string(what));
}

}  // namespace

Applied apply_runs(Options& options, std::string_view value, bool) {
    const auto parsed = parse_number<std::uint32_t>(value);
    if (!parsed || *parsed == 0 || *parsed > runs_most)
        return refusal(value, "no number from 1 to " + std::to_string(runs_most));
    options.lab.runs = *parsed;
    return {};
}

Applied apply_seed(Options& options, std::string_view value, bool) {
    const auto parsed = parse_number<std::uint64_t>(value);
    if (!parsed) return refusal(value, "no seed: a whole number from 0 to 18446744073709551615");
    options.lab.seed = *parsed;
    return {};
}

Applied apply_minutes(Options& options, std::string_view value, bool) {
    double minutes = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), minutes,
                                              std::chars_format::fixed);
    if (error != std::errc{} || end != value.data() + value.size() ||
        !(minutes >= minutes_least && minutes <= minutes_most))
        return refusal(value, "no number of minutes from 0.05 to 10080");
    options.lab.suffering =
        std::chrono::milliseconds(static_cast<std::int64_t>(std::llround(minutes * 60'000)));
    return {};
}

// "phone1,node2,fault7"
Applied apply_keep(Options& options, std::string_view value, bool first) {
    if (first) options.lab.keep.clear();
    while (!value.empty()) {
        const auto comma = std::min(value.find(','), value.size());
        if (const auto part = trimmed(value.substr(0, comma)); !part.empty())
            options.lab.keep.emplace(part);
        value.remove_prefix(std::min(value.size(), comma + 1));
    }
    if (options.lab.keep.empty())
        return std::unexpected("a world needs a phone and a node: phone1,node1");
    return {};
}

Applied apply_html(Options& options, std::string_view value, bool) {
    if (value.empty()) return std::unexpected("a page needs the name of a file");
    options.lab.html = value;
    return {};
}

}  // namespace holdfast::cli
