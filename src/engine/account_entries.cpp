#include "engine/account_entries.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <utility>

namespace holdfast::engine {

namespace {

using Lengths = std::array<std::uint32_t, 2>;  // of key and value

struct Entry {
    std::string_view key;
    std::string_view value;
};

Entry take_first(std::string_view& packed) {
    Lengths lengths{};
    std::memcpy(lengths.data(), packed.data(), sizeof lengths);
    packed.remove_prefix(sizeof lengths);
    const Entry entry{packed.substr(0, lengths[0]), packed.substr(lengths[0], lengths[1])};
    packed.remove_prefix(entry.key.size() + entry.value.size());
    return entry;
}

void append(std::string& packed, const Entry& entry) {
    const Lengths lengths{static_cast<std::uint32_t>(entry.key.size()),
                          static_cast<std::uint32_t>(entry.value.size())};
    std::array<char, sizeof lengths> octets{};
    std::memcpy(octets.data(), lengths.data(), sizeof lengths);
    packed.append(octets.data(), octets.size()).append(entry.key).append(entry.value);
}

}  // namespace

std::optional<std::string_view> AccountEntries::find(std::string_view key) const {
    for (std::string_view rest = packed_; !rest.empty();)
        if (const auto entry = take_first(rest); entry.key == key) return entry.value;
    return std::nullopt;
}

void AccountEntries::set(std::string_view key, std::string_view value) {
    const auto old = find(key);
    if (value.empty() && !old) return;
    const auto gone = old ? sizeof(Lengths) + key.size() + old->size() : 0;
    const auto added = value.empty() ? 0 : sizeof(Lengths) + key.size() + value.size();
    std::string packed;
    packed.reserve(packed_.size() - gone + added);  // this much, and no more
    for (std::string_view rest = packed_; !rest.empty();)
        if (const auto entry = take_first(rest); entry.key != key) append(packed, entry);
    if (!value.empty()) append(packed, {key, value});
    packed_ = std::move(packed);
}

registration::AccountState AccountEntries::all() const {
    registration::AccountState state;
    for (std::string_view rest = packed_; !rest.empty();) {
        const auto entry = take_first(rest);
        state.emplace(entry.key, entry.value);
    }
    return state;
}

}  // namespace holdfast::engine
