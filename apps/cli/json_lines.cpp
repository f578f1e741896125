#include "apps/cli/json_lines.h"

#include <nlohmann/json.hpp>

#include "runtime/event_json.h"

namespace holdfast::cli {

namespace {

using Json = nlohmann::ordered_json;

// Our own words, but an option's value may have come from a file.
std::string line_of(const Json& object) {
    return object.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string json_line(Duration since_start, const Event& event, std::string_view account) {
    return runtime::event_json({.since_start = since_start, .unixtime = {}}, event, account);
}

std::string json_line(const Resolution& resolution) {
    return runtime::resolution_json(resolution.account, resolution.targets, resolution.problem);
}

std::string json_line(std::span<const registration::FieldText> fields) {
    auto list = Json::array();
    for (const auto& field : fields)
        list.push_back({{"key", field.key},
                        {"value", field.value},
                        {"meaning", field.meaning},
                        {"allowed", field.allowed}});
    return line_of({{"policy", list}});
}

std::string json_line(std::span<const std::string_view> names) {
    auto list = Json::array();
    for (const auto name : names) list.push_back(name);
    return line_of({{"presets", list}});
}

}  // namespace holdfast::cli
