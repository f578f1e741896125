#include "apps/phone/control_errors.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "apps/phone/json_text.h"

namespace holdfast::phone {

nlohmann::ordered_json refusal_object(const nlohmann::ordered_json& id,
                                      const ControlRefusal& refusal) {
    return {{"jsonrpc", "2.0"},
            {"id", id},
            {"error", {{"code", std::to_underlying(refusal.code)}, {"message", refusal.sentence}}}};
}

std::string error_line(ControlError code, std::string_view sentence) {
    return text_of(refusal_object(nullptr, {code, std::string(sentence)}));
}

}  // namespace holdfast::phone
