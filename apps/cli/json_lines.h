// --json: one object a line (docs/events.md). Keys and their meaning are a promise: added to, never
// changed. Events are runtime/event_json.h's, which hooks get too.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/event.h"
#include "base/time.h"
#include "registration/policy.h"

namespace holdfast::cli {

// since_start: the key `t`. account: the AOR, or "" for what concerns none.
std::string json_line(Duration since_start, const Event& event, std::string_view account);

// What `resolve` prints: one object on one line.
struct Resolution {
    std::string account;               // whose order it is
    std::vector<EventTarget> targets;  // best first
    std::string problem;               // in words; "" : none
};
std::string json_line(const Resolution& resolution);

std::string json_line(std::span<const registration::FieldText> fields);
std::string json_line(std::span<const std::string_view> names);

}  // namespace holdfast::cli
