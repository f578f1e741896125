// Parameters of a URI or a header value: views into the text of their owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast::sip {

struct Parameter {
    std::string_view name = {};
    std::string_view value =
        {};  // without the quotes if it was quoted; escapes stay (unescape, percent_decode)
    bool has_value = false;  // false: a flag
    bool was_quoted = false;
};

// In order of appearance. Cheap to copy; lives as long as the message or OwnedUri it came from.
class Parameters {
public:
    Parameters() = default;
    Parameters(const Parameter* first, std::size_t size)
        : first_(first), size_(static_cast<std::uint32_t>(size)) {}

    // The first of that name, any case; "" for a flag.
    [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const;
    [[nodiscard]] bool has(std::string_view name) const { return find(name).has_value(); }
    [[nodiscard]] const Parameter* begin() const { return first_; }
    [[nodiscard]] const Parameter* end() const { return first_ + size_; }
    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] bool empty() const { return size_ == 0; }

private:
    const Parameter* first_ = nullptr;
    std::uint32_t size_ = 0;
};

// What a quoted string means: backslash pairs resolved (RFC 3261 §25.1, quoted-pair).
std::string unescape(std::string_view quoted_value);
// The reverse, with the quotes: "\"" and "\\" escaped; CR, LF and NUL, which a quoted string cannot
// hold, dropped.
std::string quoted(std::string_view text);
// %HH resolved, once (RFC 3261 §19.1.2); a stray % stays.
std::string percent_decode(std::string_view text);

}  // namespace holdfast::sip
