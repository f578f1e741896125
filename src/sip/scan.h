// The innermost loops of the parser. All of them rely on text that ends in CR and is padded: see
// padding.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "sip/chars.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace holdfast::sip::scan {

// After the text stand one CR, where every scan stops, and zeros, so that 16 octets may be read
// from anywhere.
constexpr std::size_t padding = 32;

inline const char* skip(const char* p, unsigned classes) {
    while (chars::is(*p, classes)) ++p;
    return p;
}

inline const char* skip_blanks(const char* p) { return skip(p, chars::blank); }

inline std::string_view between(const char* first, const char* last) {
    return {first, static_cast<std::size_t>(last - first)};
}

inline std::uint64_t load8(const char* p) {
    std::uint64_t word = 0;
    std::memcpy(&word, p, sizeof word);
    return word;
}

inline std::uint32_t load4(const char* p) {
    std::uint32_t word = 0;
    std::memcpy(&word, p, sizeof word);
    return word;
}

// The next CR or LF.
inline const char* find_line_break(const char* p) {
#if defined(__SSE2__)
    const __m128i carriage_return = _mm_set1_epi8('\r');
    for (;;) {
        const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
        // One comparison finds everything up to CR; NUL, HTAB and their like are rare, and looked
        // at below.
        const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(block, carriage_return), block);
        auto mask = static_cast<unsigned>(_mm_movemask_epi8(low));
        while (mask != 0) {
            const char* hit = p + std::countr_zero(mask);
            if (*hit == '\r' || *hit == '\n') return hit;
            mask &= mask - 1;
        }
        p += sizeof block;
    }
#else
    while (*p != '\r' && *p != '\n') ++p;
    return p;
#endif
}

// The first ':' of a header line, or the CR or LF that ends a line without one.
inline const char* find_colon(const char* p) {
#if defined(__SSE2__)
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(block, _mm_set1_epi8('\r')), block);
    const __m128i stop = _mm_or_si128(low, _mm_cmpeq_epi8(block, _mm_set1_epi8(':')));
    const auto mask = static_cast<unsigned>(_mm_movemask_epi8(stop));
    if (mask != 0) [[likely]]
        p += std::countr_zero(mask);
#endif
    while (*p != ':' && *p != '\r' && *p != '\n') ++p;
    return p;
}

// Whether text is Literal in any case. Literal is lower case and holds only letters, digits, '-'
// and '.'; text holds only token characters, for which setting bit 5 folds case and confuses
// nothing.
template <std::size_t Size>
inline bool is(std::string_view text, const char (&literal)[Size]) {
    constexpr std::size_t length = Size - 1;
    static_assert(length >= 1 && length <= 16);
    constexpr std::uint64_t fold = 0x2020202020202020;
    if (text.size() != length) return false;
    const char* a = text.data();
    if constexpr (length >= 8) {
        return (load8(a) | fold) == (load8(literal) | fold) &&
               (load8(a + length - 8) | fold) == (load8(literal + length - 8) | fold);
    } else if constexpr (length >= 4) {
        constexpr auto fold4 = static_cast<std::uint32_t>(fold);
        return (load4(a) | fold4) == (load4(literal) | fold4) &&
               (load4(a + length - 4) | fold4) == (load4(literal + length - 4) | fold4);
    } else {
        for (std::size_t i = 0; i < length; ++i)
            if ((a[i] | 0x20) != literal[i]) return false;
        return true;
    }
}

}  // namespace holdfast::sip::scan
