// The SIP extensions that a REGISTER of ours can name (RFC 3261 §19.2): path (RFC 3327), outbound
// (RFC 5626), gruu (RFC 5627). A set of them.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <string>
#include <string_view>

namespace holdfast::registration {

class Extensions {
public:
    static Extensions none() { return {}; }
    static Extensions all();

    [[nodiscard]] bool contains(std::string_view option_tag) const;
    bool insert(std::string_view option_tag);  // true: it is one of ours and was not there
    bool erase(std::string_view option_tag);   // true: it was there
    [[nodiscard]] std::string list() const;    // "gruu, outbound, path"; "" : none

private:
    static constexpr std::array<std::string_view, 3> option_tags{"gruu", "outbound", "path"};
    static std::size_t index_of(std::string_view option_tag);  // option_tags.size(): none of ours
    std::bitset<option_tags.size()> held_;
};

}  // namespace holdfast::registration
