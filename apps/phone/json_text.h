// JSON as one line of text.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace holdfast::phone {

// What comes from a server or a caller may be no UTF-8; what is not is replaced.
inline std::string text_of(const nlohmann::ordered_json& object) {
    return object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace holdfast::phone
