// Whose order it is: what makes two phones rank the same set differently, and one phone always
// alike (L2).
#pragma once

#include <string>

namespace holdfast::location {

struct RankKey {
    std::string instance_id;  // "urn:uuid:…"
    std::string aor;          // "sip:alice@example.test"
    friend bool operator==(const RankKey&, const RankKey&) = default;
};

}  // namespace holdfast::location
