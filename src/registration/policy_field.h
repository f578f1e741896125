// One field of the policy: its name, what it means, what it may be, how it is read and printed.
// policy_fields() is the one table that set(), describe() and docs/policy.md are made from.
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "registration/policy.h"

namespace holdfast::registration {

struct FlagField {
    bool Policy::* member;
};
// lower or upper: the other end, where two fields are the ends of one range.
struct DurationField {
    Duration Policy::* member;
    Duration least;
    Duration most;
    Duration Policy::* lower = nullptr;
    Duration Policy::* upper = nullptr;
};
struct ShareField {
    double Policy::* member;
    double least;
    double most;
    double Policy::* lower = nullptr;
    double Policy::* upper = nullptr;
};
template <class Value>
struct Word {
    std::string_view word;  // the first one of a value is how it is printed
    Value value;
};
struct CountField {
    std::uint32_t Policy::* member;
    std::uint32_t least;
    std::uint32_t most;
    std::span<const Word<std::uint32_t>> words = {};
};
template <class Value>
struct ChoiceField {
    Value Policy::* member;
    std::span<const Word<Value>> words;
};
struct DigestField {};  // min_digest
struct PresetField {};  // preset: sets every field

using FieldKind =
    std::variant<PresetField, FlagField, DurationField, ShareField, CountField, DigestField,
                 ChoiceField<Style>, ChoiceField<LookupOrder>, ChoiceField<Failover>,
                 ChoiceField<Rewrite>, ChoiceField<KeepAliveKind>, ChoiceField<Failback>>;

struct Field {
    std::string_view key;
    FieldKind kind;
    std::string_view meaning;

    [[nodiscard]] std::string print(const Policy& policy) const;
    [[nodiscard]] std::string allowed() const;  // "10s to 24h"
    // false: not a value of this field; the policy is then unchanged.
    bool read(Policy& policy, std::string_view text) const;
};

std::span<const Field> policy_fields();  // every field, in the order of struct Policy

}  // namespace holdfast::registration
