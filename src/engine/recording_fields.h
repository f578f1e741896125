// The members of one JSON object of a recording, read.
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/address.h"
#include "base/redacted.h"
#include "engine/recording_words.h"

namespace holdfast::recording {

using Json = nlohmann::ordered_json;

// The value whose name_of() it is.
template <class Enum, std::size_t Size>
std::optional<Enum> named(const std::array<Enum, Size>& all, std::string_view name) {
    const auto found =
        std::ranges::find_if(all, [&](Enum value) { return name_of(value) == name; });
    if (found == all.end()) return std::nullopt;
    return *found;
}

// Reads members of one object. Getters never throw: a missing or wrong one is remembered, and the
// reader is not sound any more.
class Reader {
public:
    explicit Reader(const Json& json) : json_(json), sound_(json.is_object()) {}

    [[nodiscard]] bool sound() const { return sound_; }
    void fault() { sound_ = false; }
    [[nodiscard]] bool has(const char* key) const {
        return json_.is_object() && json_.contains(key);
    }

    const Json& member(const char* key) {
        static const Json nothing;
        if (has(key)) return json_.at(key);
        fault();
        return nothing;
    }
    template <std::integral Number>
    Number number(const char* key) {
        const auto& value = member(key);
        if constexpr (std::is_signed_v<Number>) {
            if (value.is_number_integer()) return value.template get<Number>();
        } else if (value.is_number_unsigned() &&
                   std::in_range<Number>(value.template get<std::uint64_t>())) {
            return static_cast<Number>(value.template get<std::uint64_t>());
        }
        fault();
        return {};
    }
    bool flag(const char* key) {
        const auto& value = member(key);
        if (!value.is_boolean()) fault();
        return value.is_boolean() && value.get<bool>();
    }
    std::string text(const char* key) { return string_of(member(key)); }
    std::string bytes(const char* key) {
        Reader inner{member(key)};
        if (inner.has("text")) return string_of(inner.member("text"));
        auto decoded = from_base64(string_of(inner.member("base64")));
        if (!decoded || !inner.sound()) fault();
        return std::move(decoded).value_or("");
    }
    // A message whose Authorization headers were taken out can be parsed again: the same outputs
    // are due to it, and not those to a malformed one. (Our own OPTIONS comes back to us with it.)
    std::string message(const char* key) {
        constexpr std::string_view hidden = Redacted<std::string>::to_string();
        constexpr std::string_view stand_in = "Digest response=\"\"";
        auto text = bytes(key);
        for (auto at = text.find(hidden); at != std::string::npos; at = text.find(hidden, at))
            text.replace(at, hidden.size(), stand_in);
        return text;
    }
    template <class Value>
    Value required(std::optional<Value> value) {
        if (!value) fault();
        return std::move(value).value_or(Value{});
    }
    Endpoint endpoint(const char* key) { return required(Endpoint::parse(text(key))); }
    template <class IdType>
    IdType id(const char* key) {
        return IdType{number<std::uint32_t>(key)};
    }
    std::span<const Json> list(const char* key) {
        const auto& value = member(key);
        if (!value.is_array()) {
            fault();
            return {};
        }
        return value.get_ref<const Json::array_t&>();
    }
    std::string string_of(const Json& value) {
        if (value.is_string()) return value.get_ref<const std::string&>();
        fault();
        return {};
    }

private:
    const Json& json_;
    bool sound_;
};

}  // namespace holdfast::recording
