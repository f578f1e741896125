// The parsers of others that were found when the tree was configured (bench/CMakeLists.txt). They
// are yardsticks: nothing but the benches links them.
#pragma once

#include <span>
#include <string_view>

namespace holdfast::bench {

struct Peer {
    std::string_view name;
    // Parses the message as far as the library ever does, frees it again; false: refused.
    bool (*parse)(std::string_view text);
};

std::span<const Peer> peers();

}  // namespace holdfast::bench

// In functions of their own, which callgrind counts and nothing else.
extern "C" bool sofia_sip_parse(std::string_view text);
extern "C" bool osip2_parse(std::string_view text);
