// How many of RFC 4475's messages (tests/data/rfc4475) a parser takes and refuses as it must.
// Counted are those where the RFC leaves no choice: 27 are to be taken, whatever is said to them
// above the parser; 12 are malformed. Not counted: nine that it lets one take or refuse (§3.1.2.7
// to §3.1.2.15), and the one of another version (§3.1.2.16), which is refused for that.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::bench {

struct TortureCount {
    std::size_t taken = 0;    // of the 27
    std::size_t refused = 0;  // of the 12
    std::vector<std::string> wrong;
};

// The function says whether the text is taken.
TortureCount count_torture(const std::function<bool(std::string_view)>& takes);

}  // namespace holdfast::bench
