// What the control socket says of what it does not do (JSON-RPC 2.0 §5.1), as JSON.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "apps/phone/control.h"

namespace holdfast::phone {

struct ControlRefusal {
    ControlError code = ControlError::invalid_request;
    std::string sentence;
};
nlohmann::ordered_json refusal_object(const nlohmann::ordered_json& id,
                                      const ControlRefusal& refusal);
// Of a batch: what is not done any more, for the answers before are as long as a program gets at
// once.
nlohmann::ordered_json too_much(const nlohmann::ordered_json& request);

}  // namespace holdfast::phone
