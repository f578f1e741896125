#include "apps/phone/control_params.h"

#include <limits>
#include <nlohmann/json.hpp>

namespace holdfast::phone {

std::optional<std::string> Params::text(const char* name) {
    const auto* value = find(name);
    if (value == nullptr) return std::nullopt;
    if (!value->is_string()) return wrong(name, "is no string");
    return value->get<std::string>();
}

std::optional<bool> Params::flag(const char* name) {
    const auto* value = find(name);
    if (value == nullptr) return std::nullopt;
    if (!value->is_boolean()) return wrong(name, "is neither true nor false");
    return value->get<bool>();
}

std::optional<std::int64_t> Params::number(const char* name, std::int64_t least,
                                           std::int64_t most) {
    const auto* value = find(name);
    if (value == nullptr) return std::nullopt;
    const auto whole = value->is_number_integer() ? value->get<std::int64_t>() : least;
    // One above what the type holds would come out negative.
    const bool is_huge = value->is_number_unsigned() && whole < 0;
    if (!value->is_number_integer() || is_huge || whole < least || whole > most)
        return wrong(name, "is no whole number from " + std::to_string(least) + " to " +
                               std::to_string(most));
    return whole;
}

std::optional<CallRef> Params::call(const char* name) {
    const auto value = number(name, 1, std::numeric_limits<std::uint32_t>::max());
    if (!value) return std::nullopt;
    return CallRef{static_cast<std::uint32_t>(*value)};
}

std::optional<std::vector<std::string>> Params::list(const char* name) {
    std::vector<std::string> words;
    const auto* value = find(name);
    if (value == nullptr) return std::nullopt;
    bool is_list = value->is_array();
    if (is_list)
        for (const auto& each : *value) {
            is_list = is_list && each.is_string();
            if (each.is_string()) words.push_back(each.get<std::string>());
        }
    if (!is_list) return wrong(name, "is no array of strings");
    return words;
}

std::optional<std::vector<CallRef>> Params::calls(const char* name) {
    const auto* value = find(name);
    if (value == nullptr) return std::nullopt;
    std::vector<CallRef> calls;
    bool is_list = value->is_array();
    for (const auto& each : is_list ? *value : nlohmann::ordered_json::array()) {
        const auto number = each.is_number_integer() ? each.get<std::int64_t>() : 0;
        is_list = is_list && number > 0 && number <= std::numeric_limits<std::uint32_t>::max();
        calls.emplace_back(static_cast<std::uint32_t>(number));
    }
    if (!is_list) return wrong(name, "is no array of calls' numbers");
    return calls;
}

RulesChange rules_change_of(Params& params) {
    return {.do_not_disturb = params.flag("do_not_disturb"),
            .one_call = params.flag("one_call"),
            .auto_answer = params.text("auto_answer"),
            .forward_always = params.text("forward_always"),
            .forward_busy = params.text("forward_busy"),
            .forward_no_answer = params.text("forward_no_answer"),
            .forward_after = params.text("forward_after"),
            .deny = params.text("deny"),
            .allow = params.text("allow")};
}

std::nullopt_t Params::wrong(const char* name, const std::string& why) {
    if (problem_.empty()) problem_ = "\"" + std::string(name) + "\" " + why;
    return std::nullopt;
}

std::string Params::problem() {
    if (!problem_.empty()) return problem_;
    for (const auto& [name, value] : object_.items())
        if (!asked_.contains(name)) {
            std::string known;
            for (const auto& each : asked_) known += (known.empty() ? "" : ", ") + each;
            return "There is no parameter \"" + name + "\" here" +
                   (known.empty() ? "" : " (there are: " + known + ")");
        }
    return {};
}

const nlohmann::ordered_json* Params::find(const char* name) {
    asked_.insert(name);
    const auto found = object_.find(name);
    return found == object_.end() || found->is_null() ? nullptr : &*found;
}

}  // namespace holdfast::phone
