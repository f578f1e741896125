#include "location/last_good.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/text.h"
#include "location/limits.h"

namespace holdfast::location {

namespace {

constexpr std::string_view heading = "candidates 1";
constexpr std::size_t words_bytes = 200;

// The reason is the rest of its line.
std::string one_line(std::string_view text) {
    std::string line(text.substr(0, words_bytes));
    std::replace_if(
        line.begin(), line.end(),
        [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
    return line;
}

std::string_view take_until(std::string_view& text, char end) {
    const auto at = text.find(end);
    const auto part = text.substr(0, at);
    text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
    return part;
}

// tier priority weight target host reason…
std::expected<Candidate, std::string_view> candidate_of(std::string_view line) {
    const auto tier = parse_number<std::uint32_t>(take_until(line, ' '));
    const auto priority = parse_number<std::uint32_t>(take_until(line, ' '));
    const auto weight = parse_number<std::uint32_t>(take_until(line, ' '));
    if (!tier || !priority || !weight) return std::unexpected("a number is wrong");
    auto target = Target::parse(take_until(line, ' '));
    if (!target || target->endpoint.port == 0) return std::unexpected("the target is wrong");
    const auto host = take_until(line, ' ');
    if (!IpAddress::parse(host) && !is_valid_name(host))
        return std::unexpected("the host is wrong");
    return Candidate{*target, *tier, *priority, *weight, std::string(host), one_line(line)};
}

}  // namespace

std::string encode(const std::vector<Candidate>& candidates) {
    std::string text(heading);
    text += '\n';
    for (const auto& c : candidates) {
        append(text, {std::to_string(c.tier), " ", std::to_string(c.priority), " ",
                      std::to_string(c.weight), " ", c.target.to_string(), " ", c.host, " ",
                      one_line(c.reason), "\n"});
    }
    return text;
}

std::expected<std::vector<Candidate>, std::string> decode_candidates(std::string_view text) {
    if (text.size() > limits::last_good_bytes) return std::unexpected("too long");
    if (take_until(text, '\n') != heading)
        return std::unexpected("line 1: not a list of candidates");
    std::vector<Candidate> candidates;
    for (int number = 2; !text.empty(); ++number) {
        const auto line = take_until(text, '\n');
        if (line.empty()) continue;
        auto candidate = candidate_of(line);
        if (!candidate)
            return std::unexpected("line " + std::to_string(number) + ": " +
                                   std::string(candidate.error()));
        candidates.push_back(std::move(*candidate));
    }
    return candidates;
}

}  // namespace holdfast::location
