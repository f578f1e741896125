// The engine's random source: a cryptographic generator (ChaCha20) seeded from outside, so that the
// same seed gives the same run, byte for byte (I7), and tokens cannot be guessed.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/time.h"

namespace holdfast {

using Seed = std::array<std::uint8_t, 32>;
Seed seed_from_number(std::uint64_t number);  // tests and the lab: one number names a run

class Random {
public:
    explicit Random(const Seed& seed);
    Random(Random&&) noexcept;
    Random& operator=(Random&&) noexcept;
    Random(const Random&) = delete;
    Random& operator=(const Random&) = delete;
    ~Random();

    std::uint64_t next();
    std::uint64_t below(std::uint64_t limit);       // uniform in [0, limit); limit > 0
    double unit();                                  // uniform in [0, 1)
    Duration between(Duration low, Duration high);  // uniform in [low, high]
    std::string token(std::size_t bits);  // RFC 3261 token characters a-z0-9, >= bits of entropy
    std::string uuid();                   // RFC 4122 version 4, lower case
    void fill(std::span<std::uint8_t> bytes);

private:
    struct Cipher;
    std::unique_ptr<Cipher> cipher_;
    std::array<std::uint8_t, 256> pool_{};
    std::size_t used_ = 256;
};

}  // namespace holdfast
