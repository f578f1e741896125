// Whose order it is: what makes two phones rank the same set differently, and one phone always
// alike (L2).
#pragma once

#include <cstdint>
#include <string_view>

namespace holdfast::location {

class RankKey {
public:
    RankKey() = default;
    // "urn:uuid:…", "sip:alice@example.test": only their hash decides, and only it is kept.
    RankKey(std::string_view instance_id, std::string_view aor);
    [[nodiscard]] std::uint64_t hash() const { return hash_; }

private:
    std::uint64_t hash_ = 0;
};

}  // namespace holdfast::location
