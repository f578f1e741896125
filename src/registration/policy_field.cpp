#include "registration/policy_field.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/text.h"
#include "registration/policy_values.h"

namespace holdfast::registration {

namespace {

constexpr std::array<std::string_view, 2> digests{"MD5", "SHA-256"};

std::string listed(std::span<const std::string_view> words) {
    std::string text;
    for (const auto word : words) text += (text.empty() ? "" : ", ") + std::string(word);
    return text;
}

template <class Value>
std::string listed(std::span<const Word<Value>> words) {
    std::vector<std::string_view> texts;
    for (const auto& word : words) texts.push_back(word.word);
    return listed(texts);
}

template <class Value>
const Word<Value>* find_word(std::span<const Word<Value>> words, std::string_view text) {
    const auto wanted = plain_word(text);
    const auto found = std::ranges::find_if(
        words, [&](const auto& word) { return is_plain_word_of(wanted, word.word); });
    return found == words.end() ? nullptr : &*found;
}

template <class Value>
std::string_view word_of(std::span<const Word<Value>> words, Value value) {
    const auto found = std::ranges::find(words, value, &Word<Value>::value);
    return found == words.end() ? std::string_view{"?"} : found->word;
}

// Two fields that are the ends of one range move along, so that the range never turns round.
template <class Range, class Value>
bool put(Policy& policy, const Range& field, Value value) {
    if (!(field.least <= value && value <= field.most)) return false;
    policy.*field.member = value;
    if (field.lower != nullptr) policy.*field.lower = std::min(policy.*field.lower, value);
    if (field.upper != nullptr) policy.*field.upper = std::max(policy.*field.upper, value);
    return true;
}

struct Print {
    const Policy& policy;
    std::string operator()(PresetField) const { return policy.preset; }
    std::string operator()(DigestField) const { return policy.min_digest; }
    std::string operator()(const FlagField& field) const {
        return policy.*field.member ? "on" : "off";
    }
    std::string operator()(const DurationField& field) const {
        return print_duration(policy.*field.member);
    }
    std::string operator()(const ShareField& field) const {
        return print_share(policy.*field.member);
    }
    std::string operator()(const CountField& field) const {
        const auto value = policy.*field.member;
        const auto word = std::ranges::find(field.words, value, &Word<std::uint32_t>::value);
        return word == field.words.end() ? std::to_string(value) : std::string(word->word);
    }
    template <class Value>
    std::string operator()(const ChoiceField<Value>& field) const {
        return std::string(word_of(field.words, policy.*field.member));
    }
};

struct Allowed {
    std::string operator()(PresetField) const { return listed(preset_names()); }
    std::string operator()(DigestField) const { return listed(digests); }
    std::string operator()(const FlagField&) const { return "on, off"; }
    std::string operator()(const DurationField& field) const {
        return print_duration(field.least) + " to " + print_duration(field.most);
    }
    std::string operator()(const ShareField& field) const {
        return print_share(field.least) + " to " + print_share(field.most);
    }
    std::string operator()(const CountField& field) const {
        auto text = std::to_string(field.least) + " to " + std::to_string(field.most);
        if (!field.words.empty()) text += ", " + listed(field.words);
        return text;
    }
    template <class Value>
    std::string operator()(const ChoiceField<Value>& field) const {
        return listed(field.words);
    }
};

struct Read {
    Policy& policy;
    std::string_view text;
    bool operator()(PresetField) const {
        auto found = preset(trimmed(text));
        if (found) policy = std::move(*found);
        return found.has_value();
    }
    bool operator()(DigestField) const {
        const auto* const found = std::ranges::find(digests, plain_word(text), plain_word);
        if (found == digests.end()) return false;
        policy.min_digest = *found;
        return true;
    }
    bool operator()(const FlagField& field) const {
        const auto value = parse_flag(text);
        if (value) policy.*field.member = *value;
        return value.has_value();
    }
    bool operator()(const DurationField& field) const {
        const auto value = parse_duration(text);
        return value && put(policy, field, *value);
    }
    bool operator()(const ShareField& field) const {
        const auto value = parse_share(text);
        return value && put(policy, field, *value);
    }
    bool operator()(const CountField& field) const {
        auto value = parse_number<std::uint32_t>(trimmed(text));
        if (const auto* word = find_word(field.words, text)) value = word->value;
        if (!value || *value < field.least || field.most < *value) return false;
        policy.*field.member = *value;
        return true;
    }
    template <class Value>
    bool operator()(const ChoiceField<Value>& field) const {
        const auto* word = find_word(field.words, text);
        if (word != nullptr) policy.*field.member = word->value;
        return word != nullptr;
    }
};

}  // namespace

std::string Field::print(const Policy& policy) const { return std::visit(Print{policy}, kind); }
std::string Field::allowed() const { return std::visit(Allowed{}, kind); }
bool Field::read(Policy& policy, std::string_view text) const {
    return std::visit(Read{policy, text}, kind);
}

}  // namespace holdfast::registration
