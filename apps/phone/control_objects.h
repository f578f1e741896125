// What the control socket says of calls (docs/control.md), as JSON.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "apps/phone/phone.h"
#include "runtime/call_history.h"

namespace holdfast::phone {

nlohmann::ordered_json object_of(const CallView& view);           // of `status`
nlohmann::ordered_json object_of(const IncomingRules& rules);     // of `status` and `rules`
nlohmann::ordered_json object_of(const runtime::PastCall& call);  // of `history`
bool is_event(std::string_view name);

}  // namespace holdfast::phone
