#include "apps/phone/control_errors.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "apps/phone/json_text.h"

namespace holdfast::phone {

namespace {

using Json = nlohmann::ordered_json;

}  // namespace

nlohmann::ordered_json refusal_object(const Json& id, const ControlRefusal& refusal) {
    return {{"jsonrpc", "2.0"},
            {"id", id},
            {"error", {{"code", std::to_underlying(refusal.code)}, {"message", refusal.sentence}}}};
}

nlohmann::ordered_json too_much(const Json& request) {
    const auto id = request.is_object() ? request.find("id") : request.end();
    if (request.is_object() && id == request.end()) return nullptr;
    return refusal_object(id == request.end() ? Json(nullptr) : *id,
                          {ControlError::not_possible,
                           "The answers of this batch are too long: ask again for the rest"});
}

std::string error_line(ControlError code, std::string_view sentence) {
    return text_of(refusal_object(nullptr, {code, std::string(sentence)}));
}

}  // namespace holdfast::phone
