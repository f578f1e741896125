#include "apps/phone/control_requests.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "apps/phone/json_text.h"
#include "base/json_depth.h"

namespace holdfast::phone {

namespace {

using Json = nlohmann::ordered_json;

// A whole number past 64 bits would come back as another one.
bool is_id(const Json& id) {
    if (id.is_number_float()) return std::abs(id.get<double>()) < 0x1p63;
    return id.is_number() || id.is_string() || id.is_null();
}

ControlResult run(const ControlMethods& methods, const Json& request) {
    const auto method = methods(request["method"].get<std::string>());
    if (!method) return std::unexpected(method.error());
    const auto given = request.find("params");
    const Json none = Json::object();
    const bool is_none =
        given == request.end() || given->is_null() || (given->is_array() && given->empty());
    if (!is_none && !given->is_object())
        return std::unexpected(ControlRefusal{ControlError::wrong_params,
                                              "Parameters have names: \"params\" is an object"});
    Params params(is_none ? none : *given);
    return (*method)(params);
}

// Null for a notification (§4.1).
Json answer_one(const ControlMethods& methods, const Json& request) {
    const auto invalid = [](const char* why) {
        return refusal_object(nullptr, {ControlError::invalid_request, why});
    };
    if (!request.is_object()) return invalid("A request is an object");
    const auto id = request.find("id");
    const bool has_id = id != request.end();
    if (has_id && !is_id(*id)) return invalid("An id is a string, or a number of at most 64 bits");
    const auto version = request.find("jsonrpc");
    const auto method = request.find("method");
    if (version == request.end() || *version != "2.0")
        return invalid("A request says \"jsonrpc\": \"2.0\"");
    if (method == request.end() || !method->is_string())
        return invalid("A request names its \"method\", a string");
    auto result = run(methods, request);
    if (!has_id) return nullptr;
    if (!result) return refusal_object(*id, result.error());
    return {{"jsonrpc", "2.0"}, {"id", *id}, {"result", *std::move(result)}};
}

// What is not done any more, for the answers before are as long as a program gets at once.
Json too_much(const Json& request) {
    const auto id = request.is_object() ? request.find("id") : request.end();
    if (request.is_object() && id == request.end()) return nullptr;
    return refusal_object(id == request.end() || !is_id(*id) ? Json(nullptr) : *id,
                          {ControlError::not_possible,
                           "The answers of this batch are too long: ask again for the rest"});
}

}  // namespace

std::string answer_line(std::string_view line, const ControlMethods& methods) {
    if (json_depth(line) > control_depth_most)
        return error_line(ControlError::parse, "A request has at most " +
                                                   std::to_string(control_depth_most) +
                                                   " objects and arrays within each other");
    const auto request = Json::parse(line, nullptr, false);
    if (request.is_discarded())
        return error_line(ControlError::parse,
                          "The line is no JSON: a request is one object on "
                          "one line");
    if (!request.is_array()) {
        const auto one = answer_one(methods, request);
        return one.is_null() ? std::string{} : text_of(one);
    }
    // A batch (§6).
    if (request.empty() || request.size() > control_batch_most)
        return error_line(ControlError::invalid_request,
                          "A batch has 1 to " + std::to_string(control_batch_most) + " requests");
    std::string answers;
    for (const auto& each : request) {
        const auto one =
            answers.size() < control_batch_answer_most ? answer_one(methods, each) : too_much(each);
        if (!one.is_null()) answers += (answers.empty() ? "[" : ",") + text_of(one);
    }
    return answers.empty() ? answers : answers + "]";
}

}  // namespace holdfast::phone
