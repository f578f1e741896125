#include "base/random.h"

#include <openssl/evp.h>

#include <algorithm>

#include "base/check.h"

namespace holdfast {

struct Random::Cipher {
    struct Free {
        void operator()(EVP_CIPHER_CTX* cipher) const { EVP_CIPHER_CTX_free(cipher); }
    };
    std::unique_ptr<EVP_CIPHER_CTX, Free> context;
};

Seed seed_from_number(std::uint64_t number) {
    Seed seed{};
    for (std::size_t i = 0; i < 8; ++i) seed[i] = static_cast<std::uint8_t>(number >> (8 * i));
    return seed;
}

Random::Random(const Seed& seed) : cipher_(std::make_unique<Cipher>()) {
    cipher_->context.reset(EVP_CIPHER_CTX_new());
    CHECK(cipher_->context);
    constexpr std::array<std::uint8_t, 16> counter_and_nonce{};
    CHECK(EVP_EncryptInit_ex(cipher_->context.get(), EVP_chacha20(), nullptr, seed.data(),
                             counter_and_nonce.data()) == 1);
}

Random::Random(Random&&) noexcept = default;
Random& Random::operator=(Random&&) noexcept = default;
Random::~Random() = default;

void Random::fill(std::span<std::uint8_t> bytes) {
    while (!bytes.empty()) {
        if (used_ == pool_.size()) {
            constexpr std::array<std::uint8_t, 256> zeros{};
            int written = 0;
            CHECK(EVP_EncryptUpdate(cipher_->context.get(), pool_.data(), &written, zeros.data(),
                                    static_cast<int>(zeros.size())) == 1);
            used_ = 0;
        }
        const auto part = std::min(bytes.size(), pool_.size() - used_);
        std::copy_n(pool_.begin() + static_cast<std::ptrdiff_t>(used_), part, bytes.begin());
        used_ += part;
        bytes = bytes.subspan(part);
    }
}

std::uint64_t Random::next() {
    std::array<std::uint8_t, 8> bytes{};
    fill(bytes);
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes.size();
         ++i)  // not memcpy: the same run on every byte order (I7)
        value |= std::uint64_t{bytes[i]} << (8 * i);
    return value;
}

std::uint64_t Random::below(std::uint64_t limit) {
    CHECK(limit > 0);
    const std::uint64_t unbiased =
        UINT64_MAX - UINT64_MAX % limit;  // values past it would favour small results
    std::uint64_t value = next();
    while (value >= unbiased) value = next();
    return value % limit;
}

double Random::unit() { return static_cast<double>(next() >> 11U) * 0x1.0p-53; }

Duration Random::between(Duration low, Duration high) {
    CHECK(low <= high);
    return low + Duration{static_cast<std::int64_t>(
                     below(static_cast<std::uint64_t>((high - low).count()) + 1))};
}

std::string Random::token(std::size_t bits) {
    constexpr std::string_view letters = "0123456789abcdefghijklmnopqrstuv";  // 32: five bits each
    std::string text((bits + 4) / 5, '0');
    fill({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
    for (auto& letter : text) letter = letters[static_cast<std::uint8_t>(letter) & 31U];
    return text;
}

std::string Random::uuid() {
    std::array<std::uint8_t, 16> bytes{};
    fill(bytes);
    bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0fU) | 0x40U);
    bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3fU) | 0x80U);
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    text.reserve(36);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
        text += digits[bytes[i] >> 4U];
        text += digits[bytes[i] & 0xfU];
    }
    return text;
}

}  // namespace holdfast
