// A line to the control socket: the answer is nothing or one line of JSON in UTF-8, with what
// JSON-RPC 2.0 §5 and §6 want of it. Each request is answered once, in its order and with its id,
// but for notifications; no more of them are done than a batch may have, no parameter is outside
// its range, and the answers of a batch end soon after their limit.
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "apps/phone/control_requests.h"
#include "base/check.h"
#include "base/json_depth.h"
#include "fuzz/json/readers.h"

namespace holdfast::fuzz {

namespace {

using namespace holdfast::phone;
using Json = nlohmann::ordered_json;

constexpr std::int64_t least = -5;
constexpr std::int64_t most = 1000;
constexpr std::size_t long_result = 20'000;
constexpr std::size_t longest_refusal = 300;  // octets, beside what it repeats of the request

// Asks for a parameter of every kind, and tells what it was given.
ControlResult echo(Params& params) {
    const auto text = params.text("text");
    const auto flag = params.flag("flag");
    const auto number = params.number("number", least, most);
    const auto call = params.call();
    const auto list = params.list("list");
    const auto calls = params.calls();
    CHECK(!number || (*number >= least && *number <= most));
    CHECK(!call || call->value != 0);
    if (const auto problem = params.problem(); !problem.empty())
        return std::unexpected(ControlRefusal{ControlError::wrong_params, problem});
    Json told = Json::object();
    if (text) told["text"] = *text;
    if (flag) told["flag"] = *flag;
    if (number) told["number"] = *number;
    if (call) told["call"] = call->value;
    if (list) told["list"] = *list;
    if (calls) {
        told["calls"] = Json::array();
        for (const auto one : *calls) {
            CHECK(one.value != 0);
            told["calls"].push_back(one.value);
        }
    }
    return told;
}

bool is_id(const Json& id) { return id.is_string() || id.is_number() || id.is_null(); }

bool is_request(const Json& json) {
    const auto version = json.find("jsonrpc");
    const auto method = json.find("method");
    return version != json.end() && version->is_string() && *version == "2.0" &&
           method != json.end() && method->is_string();
}

// JSON-RPC 2.0 §5, §5.1: a result or an error, not both.
void check_answer(const Json& answer) {
    CHECK(answer.is_object() && answer.size() == 3 && answer.at("jsonrpc") == "2.0");
    CHECK(is_id(answer.at("id")));
    if (answer.contains("result")) return;
    const auto& error = answer.at("error");
    CHECK(error.at("code").is_number_integer() && !error.at("message").get<std::string>().empty());
    CHECK(error.at("code") != -32700);
}

// What echo() told is what the request had.
void check_echoed(const Json& request, const Json& answer) {
    if (!answer.contains("result") || request.at("method") != "echo") return;
    for (const auto& [name, value] : answer.at("result").items())
        CHECK(request.at("params").at(name) == value);
}

// Whether an answer was due that has the request's id, or null for one that cannot be read.
bool answers(const Json& answer, const Json& request) {
    if (!request.is_object()) return answer.at("id").is_null();
    const auto id = request.find("id");
    if (id == request.end())
        return !is_request(request) && answer.at("id").is_null() &&
               answer.at("error").at("code") == -32600;
    if (!is_id(*id)) return answer.at("id").is_null();
    if (answer.at("id") != *id) {
        // Too large a number, which would not come back as it was; or what is no request.
        CHECK(id->is_number() || !is_request(request));
        CHECK(answer.at("id").is_null() && !answer.contains("result"));
        return true;
    }
    check_echoed(request, answer);
    return true;
}

void check_batch(const Json& requests, const Json& all) {
    auto next = all.begin();
    for (const auto& request : requests) {
        const bool may_be_without = request.is_object() && !request.contains("id");
        const bool answered = next != all.end() && answers(*next, request);
        CHECK(answered || may_be_without);
        if (answered) ++next;
    }
    CHECK(next == all.end());
}

}  // namespace

void check_control_line(std::string_view line) {
    std::size_t done = 0;
    const auto text = answer_line(
        line, [&](const std::string& name) -> std::expected<ControlMethod, ControlRefusal> {
            ++done;
            if (name == "echo") return ControlMethod{echo};
            if (name == "long")
                return ControlMethod{
                    [](Params&) -> ControlResult { return Json(std::string(long_result, 'a')); }};
            return std::unexpected(
                ControlRefusal{ControlError::no_method, "There is no method \"" + name + "\""});
        });
    CHECK(done <= control_batch_most && text.find('\n') == std::string::npos);
    const bool is_deep = json_depth(line) > control_depth_most;  // and never built here either
    const auto request = Json::parse(is_deep ? "" : line, nullptr, false);
    const bool is_batch = request.is_array() && !request.empty();
    if (text.empty()) {  // all are notifications
        const auto is_notification = [](const Json& one) {
            return one.is_object() && !one.contains("id") && is_request(one);
        };
        CHECK(is_batch ? std::ranges::all_of(request, is_notification) : is_notification(request));
        return;
    }
    const auto answer = Json::parse(text);  // which throws at what is no JSON, or no UTF-8
    if (request.is_discarded()) {
        CHECK(answer.at("id").is_null() && answer.at("error").at("code") == -32700 && done == 0);
        return;
    }
    if (!answer.is_array()) {
        check_answer(answer);
        CHECK(request.is_array() ? answer.at("error").at("code") == -32600 && done == 0
                                 : answers(answer, request));
        return;
    }
    CHECK(is_batch && !answer.empty() && answer.size() <= request.size());
    // A character may take six in an answer (\u001f), wherever it comes from.
    CHECK(text.size() <= control_batch_answer_most + long_result + 6 * line.size() +
                             control_batch_most * longest_refusal);
    for (const auto& one : answer) check_answer(one);
    check_batch(request, answer);
}

}  // namespace holdfast::fuzz
