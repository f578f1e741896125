// How deep a text of JSON nests, before it is read: what a reader makes of it is copied and freed
// one level inside the other, and a line has room for more levels than a stack has.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace holdfast {

// Objects and arrays within each other, at the deepest place; of text that is no JSON at least as
// many as a reader goes down before it notices.
constexpr std::size_t json_depth(std::string_view text) {
    std::size_t depth = 0;
    std::size_t deepest = 0;
    bool is_string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '"') {
            is_string = !is_string;
        } else if (is_string) {
            if (c == '\\') ++i;
        } else if (c == '[' || c == '{') {
            deepest = std::max(deepest, ++depth);
        } else if ((c == ']' || c == '}') && depth > 0) {
            --depth;
        }
    }
    return deepest;
}

}  // namespace holdfast
