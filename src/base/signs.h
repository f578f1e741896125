// The characters of somebody else's text (UTF-8), and which of them may be shown.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace holdfast {

struct Sign {
    char32_t code = 0;
    std::size_t size = 0;  // octets; 0: no UTF-8
};

// The text is not empty.
Sign first_sign(std::string_view text);

// Neither a control character, nor one that ends a line or turns the direction of what follows.
bool is_harmless(char32_t code);

// Of one line and at most so many octets (3 at least): what is not harmless, or no UTF-8, becomes
// U+FFFD; a text that is cut, between characters, ends with an ellipsis.
std::string one_line(std::string_view text, std::size_t most);
std::string one_line(std::string_view text);  // however long

}  // namespace holdfast
