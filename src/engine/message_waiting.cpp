#include "engine/message_waiting.h"

#include <cstdint>
#include <optional>

#include "base/text.h"

namespace holdfast::engine {

namespace {

// The value of the first line of that name.
std::optional<std::string_view> value_of(std::string_view body, std::string_view name) {
    while (!body.empty()) {
        const auto end = body.find('\n');
        const auto line = body.substr(0, end);
        const auto colon = line.find(':');
        if (colon != std::string_view::npos &&
            equals_ignoring_case(trimmed(line.substr(0, colon)), name))
            return trimmed(line.substr(colon + 1));
        if (end == std::string_view::npos) break;
        body.remove_prefix(end + 1);
    }
    return std::nullopt;
}

}  // namespace

std::string messages_waiting_in_words(std::string_view body) {
    // RFC 3842 §5.2: "Voice-Message: 2/8 (0/2)", new / old (urgent).
    if (const auto counts = value_of(body, "Voice-Message")) {
        const auto slash = counts->find('/');
        const auto fresh = parse_number<std::uint32_t>(trimmed(counts->substr(0, slash)));
        if (fresh && slash != std::string_view::npos) {
            auto rest = counts->substr(slash + 1);
            rest = trimmed(rest.substr(0, rest.find('(')));
            if (const auto old = parse_number<std::uint32_t>(rest))
                return std::to_string(*fresh) + " new and " + std::to_string(*old) +
                       " old voice messages";
        }
    }
    const auto waiting = value_of(body, "Messages-Waiting");
    return waiting && equals_ignoring_case(*waiting, "yes") ? "messages are waiting"
                                                            : "no messages are waiting";
}

}  // namespace holdfast::engine
