#include "engine/recording_fields.h"

#include <nlohmann/json.hpp>

namespace holdfast::recording {

Reader::Reader(const Json& json) : json_(json), sound_(json.is_object()) {}

bool Reader::has(const char* key) const { return json_.is_object() && json_.contains(key); }

const Json& Reader::member(const char* key) {
    static const Json nothing;
    if (has(key)) return json_.at(key);
    fault();
    return nothing;
}

std::optional<std::int64_t> Reader::signed_number(const char* key) {
    const auto& value = member(key);
    if (!value.is_number_integer()) return std::nullopt;
    return value.get<std::int64_t>();
}

std::optional<std::uint64_t> Reader::unsigned_number(const char* key) {
    const auto& value = member(key);
    if (!value.is_number_unsigned()) return std::nullopt;
    return value.get<std::uint64_t>();
}

Duration Reader::duration(const char* key) {
    const Duration value{number<std::int64_t>(key)};
    if (value >= Duration{} && value <= longest_recorded) return value;
    fault();
    return {};
}

bool Reader::flag(const char* key) {
    const auto& value = member(key);
    if (!value.is_boolean()) fault();
    return value.is_boolean() && value.get<bool>();
}

std::string Reader::bytes(const char* key) {
    Reader inner{member(key)};
    if (inner.has("text")) return string_of(inner.member("text"));
    auto decoded = from_base64(string_of(inner.member("base64")));
    if (!decoded || !inner.sound()) fault();
    return std::move(decoded).value_or("");
}

std::string Reader::message(const char* key) {
    constexpr std::string_view hidden = Redacted<std::string>::to_string();
    constexpr std::string_view stand_in = "Digest response=\"\"";
    auto text = bytes(key);
    for (auto at = text.find(hidden); at != std::string::npos; at = text.find(hidden, at))
        text.replace(at, hidden.size(), stand_in);
    return text;
}

std::span<const Json> Reader::list(const char* key) {
    const auto& value = member(key);
    if (!value.is_array()) {
        fault();
        return {};
    }
    return value.get_ref<const Json::array_t&>();
}

std::string Reader::string_of(const Json& value) {
    if (value.is_string()) return value.get_ref<const std::string&>();
    fault();
    return {};
}

}  // namespace holdfast::recording
