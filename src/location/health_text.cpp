// What of a target's health is kept across restarts (F7), in lines: target, then penalties as
// count:seconds (the wall clock's second at which it ends, 0: none), and the round-trip time in
// microseconds (0: unknown).
#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "base/text.h"
#include "location/health.h"
#include "location/limits.h"

namespace holdfast::location {

namespace {

constexpr std::string_view heading = "health 1";

std::string_view take_until(std::string_view& text, char end) {
    const auto at = text.find(end);
    const auto part = text.substr(0, at);
    text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
    return part;
}

}  // namespace

std::string Health::encode(Instant now, std::int64_t wall_clock) const {
    const auto text_of = [&](const Penalty& penalty) {
        const auto left = penalty.until > now
                              ? std::chrono::ceil<std::chrono::seconds>(penalty.until - now).count()
                              : 0;
        return std::to_string(penalty.count) + ':' +
               (left == 0 ? "0" : std::to_string(std::max<std::int64_t>(0, wall_clock) + left));
    };
    std::string text(heading);
    text += '\n';
    for (const auto& [target, memory] : targets_)
        text += target.to_string() + ' ' + text_of(memory.silence) + ' ' + text_of(memory.refusal) +
                ' ' + std::to_string(memory.rtt.value_or(Duration{}).count()) + '\n';
    return text;
}

std::expected<void, std::string> Health::decode(std::string_view text, Instant now,
                                                std::int64_t wall_clock) {
    if (text.size() > limits::health_targets * limits::health_line_bytes)
        return std::unexpected("too long");
    if (take_until(text, '\n') != heading)
        return std::unexpected("line 1: not a list of targets' health");

    const auto penalty_of = [&](std::string_view words) -> std::optional<Penalty> {
        const auto count = parse_number<std::uint32_t>(take_until(words, ':'));
        const auto until = parse_number<std::uint64_t>(words);
        if (!count || !until) return std::nullopt;
        Penalty penalty{std::min(*count, 32U), Instant{}};
        const auto wall = static_cast<std::uint64_t>(std::max<std::int64_t>(0, wall_clock));
        if (*until <= wall) return penalty;
        // A clock that was set back must not make a penalty of years (B3).
        const auto longest = std::chrono::ceil<std::chrono::seconds>(penalties_.longest).count();
        const auto left = std::min(*until - wall, static_cast<std::uint64_t>(longest));
        penalty.until =
            now + std::min<Duration>(std::chrono::seconds{static_cast<std::int64_t>(left)},
                                     penalties_.longest);
        return penalty;
    };

    std::map<Target, Memory> read;
    for (int number = 2; !text.empty(); ++number) {
        auto line = take_until(text, '\n');
        if (line.empty()) continue;
        const auto target = Target::parse(take_until(line, ' '));
        const auto silence = penalty_of(take_until(line, ' '));
        const auto refusal = penalty_of(take_until(line, ' '));
        const auto rtt = parse_number<std::uint32_t>(line);
        if (!target || !silence || !refusal || !rtt)
            return std::unexpected("line " + std::to_string(number) + " is wrong");
        if (read.size() >= limits::health_targets) break;
        Memory memory{*silence, *refusal, std::nullopt, now};
        if (*rtt != 0) memory.rtt = std::min<Duration>(Duration{*rtt}, limits::longest_rtt);
        read.insert_or_assign(*target, memory);
    }
    targets_ = std::move(read);
    return {};
}

}  // namespace holdfast::location
