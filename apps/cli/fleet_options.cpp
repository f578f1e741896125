#include "apps/cli/fleet_options.h"

#include <chrono>

#include "apps/cli/options.h"
#include "base/text.h"
#include "registration/policy_values.h"

namespace holdfast::cli {

namespace {

using Applied = std::expected<void, std::string>;

constexpr std::uint32_t shards_most = 64;

Applied number(std::uint32_t& place, std::string_view value, std::uint32_t most) {
    const auto parsed = parse_number<std::uint32_t>(value);
    if (!parsed || *parsed > most)
        return std::unexpected("\"" + std::string(value) + "\" is no number from 0 to " +
                               std::to_string(most));
    place = *parsed;
    return {};
}
}  // namespace

Applied apply_shards(Options& options, std::string_view value, bool) {
    return number(options.fleet.shards, value, shards_most);
}
Applied apply_rate(Options& options, std::string_view value, bool) {
    return number(options.fleet.registers_per_second, value, 1'000'000);
}
Applied apply_stop_within(Options& options, std::string_view value, bool) {
    constexpr Duration least = std::chrono::seconds{2};  // B4: a server has so long to answer
    constexpr Duration most = std::chrono::hours{1};
    const auto parsed = registration::parse_duration(value);
    if (!parsed || *parsed < least || *parsed > most)
        return std::unexpected("\"" + std::string(value) + "\" is no time from 2s to 1h");
    options.fleet.stop_within = *parsed;
    return {};
}
Applied apply_metrics(Options& options, std::string_view value, bool) {
    const auto address = Endpoint::parse(value);
    // Port 0 is any that is free, which is said, but only who writes it means it.
    if (!address || (address->port == 0 && !value.ends_with(":0")))
        return std::unexpected("\"" + std::string(value) +
                               "\" is no address with a port (127.0.0.1:9464, [::1]:9464)");
    options.fleet.metrics = *address;
    return {};
}
Applied apply_log(Options& options, std::string_view value, bool) {
    if (value != "changes" && value != "all")
        return std::unexpected("\"" + std::string(value) + "\" is neither changes nor all");
    options.fleet.log_all = value == "all";
    return {};
}

}  // namespace holdfast::cli
