// A line of the control socket as requests of JSON-RPC 2.0, and their results as a line (its §4 –
// §6). What a method means is not known here.
//
//   const auto line = answer_line(text, [&](const std::string& name) { … });
#pragma once

#include <cstddef>
#include <expected>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "apps/phone/control_errors.h"
#include "apps/phone/control_params.h"

namespace holdfast::phone {

constexpr std::size_t control_depth_most = 16;  // objects and arrays within each other
constexpr std::size_t control_batch_most = 50;  // requests of one line
// Octets of a batch's answers, past which the rest of its requests is refused.
constexpr std::size_t control_batch_answer_most = std::size_t{512} * 1024;

using ControlResult = std::expected<nlohmann::ordered_json, ControlRefusal>;
using ControlMethod = std::function<ControlResult(Params&)>;
// The method of that name, or why there is none.
using ControlMethods =
    std::function<std::expected<ControlMethod, ControlRefusal>(const std::string& name)>;

// The answer without its line end; "" for notifications, which get none.
std::string answer_line(std::string_view line, const ControlMethods& methods);

}  // namespace holdfast::phone
