// Events as JSON (docs/events.md): what --json prints and hooks get. Keys and their meaning are a
// promise: added to, never changed. nlohmann/json is behind it, in event_json.cpp alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/event.h"
#include "base/time.h"

namespace holdfast::runtime {

struct EventTime {
    Duration since_start{};  // the key `t`
    std::optional<std::int64_t>
        unixtime;  // the key `time`: seconds since 1970; left out if unknown
};

// One object on one line, with its newline. account: the AOR, or "" for what concerns none.
std::string event_json(EventTime time, const Event& event, std::string_view account);

// What `resolve` prints: whose order it is, best first, and the problem in words ("": none).
std::string resolution_json(std::string_view account, const std::vector<EventTarget>& targets,
                            std::string_view problem);

}  // namespace holdfast::runtime
