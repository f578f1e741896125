// What the control socket says of what it does not do (JSON-RPC 2.0 §5.1), as JSON.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace holdfast::phone {

// JSON-RPC's codes (its §5.1), and ours above 0.
enum class ControlError : std::int32_t {
    parse = -32700,
    invalid_request = -32600,
    no_method = -32601,
    wrong_params = -32602,
    not_possible = 1,  // no such call, nobody rings, not registered: the sentence says it
    no_history = 2,    // it cannot be read
};

struct ControlRefusal {
    ControlError code = ControlError::invalid_request;
    std::string sentence;
};
nlohmann::ordered_json refusal_object(const nlohmann::ordered_json& id,
                                      const ControlRefusal& refusal);

// An error's text, to no request: for those who speak it (verbs.h).
std::string error_line(ControlError code, std::string_view sentence);

}  // namespace holdfast::phone
