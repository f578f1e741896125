// What is on disk of one account, key by key, as its registration stored it. A hundred thousand
// accounts have a few short ones each: packed one behind the other they are a third of what a list
// of strings would be.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "registration/registration.h"

namespace holdfast::engine {

class AccountEntries {
public:
    // A view is valid until the next set().
    [[nodiscard]] std::optional<std::string_view> find(std::string_view key) const;
    void set(std::string_view key, std::string_view value);  // "" : removed
    [[nodiscard]] registration::AccountState all() const;
    [[nodiscard]] bool empty() const { return packed_.empty(); }

private:
    std::string packed_;  // for each: the lengths of key and value, 4 octets each, key, value
};

}  // namespace holdfast::engine
