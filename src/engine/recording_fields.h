// The members of one JSON object of a recording, read.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/address.h"
#include "base/redacted.h"
#include "base/time.h"
#include "engine/recording_words.h"

namespace holdfast::recording {

using Json = nlohmann::ordered_json;

constexpr Duration longest_recorded = std::chrono::hours{24} * 36'525;  // a hundred years

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
    explicit Reader(const Json& json);

    [[nodiscard]] bool sound() const { return sound_; }
    void fault() { sound_ = false; }
    [[nodiscard]] bool has(const char* key) const;

    const Json& member(const char* key);
    template <std::integral Number>
    Number number(const char* key) {
        if constexpr (std::is_signed_v<Number>) {
            const auto value = signed_number(key);
            if (value && std::in_range<Number>(*value)) return static_cast<Number>(*value);
        } else {
            const auto value = unsigned_number(key);
            if (value && std::in_range<Number>(*value)) return static_cast<Number>(*value);
        }
        fault();
        return {};
    }
    // Of microseconds, from 0 to longest_recorded: an engine adds to what it is told.
    Duration duration(const char* key);
    Instant instant(const char* key) { return Instant{duration(key)}; }
    bool flag(const char* key);
    std::string text(const char* key) { return string_of(member(key)); }
    std::string bytes(const char* key);
    // A message whose Authorization headers were taken out can be parsed again: the same outputs
    // are due to it, and not those to a malformed one. (Our own OPTIONS comes back to us with it.)
    std::string message(const char* key);
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
    std::span<const Json> list(const char* key);
    std::string string_of(const Json& value);

private:
    std::optional<std::int64_t> signed_number(const char* key);
    std::optional<std::uint64_t> unsigned_number(const char* key);

    const Json& json_;
    bool sound_;
};

}  // namespace holdfast::recording
