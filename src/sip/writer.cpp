#include "sip/writer.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstring>

#include "base/check.h"
#include "sip/scan.h"

namespace holdfast::sip {
namespace {

constexpr std::size_t number_bound = 10;  // digits of 2**32 - 1

char* copy(char* p, std::string_view text) {
    if (!text.empty()) std::memcpy(p, text.data(), text.size());  // an empty view may point nowhere
    return p + text.size();
}

char* number(char* p, std::uint32_t value) { return std::to_chars(p, p + number_bound, value).ptr; }

bool breaks_line(char c) { return c == '\r' || c == '\n' || c == '\0'; }

// No value may end its line. Behind end are scan::padding octets that may be written.
void clean(char* first, char* end) {
#if defined(__SSE2__)
    constexpr std::ptrdiff_t block_size = 16;
    static_assert(block_size <= static_cast<std::ptrdiff_t>(scan::padding));
    const __m128i carriage_return = _mm_set1_epi8('\r');
    _mm_storeu_si128(reinterpret_cast<__m128i*>(end), _mm_set1_epi8(' '));
    for (; first < end; first += block_size) {
        const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(first));
        const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(block, carriage_return), block);
        if (_mm_movemask_epi8(low) != 0) [[unlikely]]
            break;
    }
#endif
    for (; first < end; ++first)
        if (breaks_line(*first)) *first = ' ';
}

constexpr std::size_t display_bound(std::string_view display) { return 2 * display.size() + 3; }

bool needs_escape(char c) { return c == '"' || c == '\\'; }

// Whether nothing in [first, end), where scan::padding more octets may be written, needs a
// backslash.
bool is_plain(const char* first, char* end) {
#if defined(__SSE2__)
    _mm_storeu_si128(reinterpret_cast<__m128i*>(end), _mm_set1_epi8(' '));
    for (; first < end; first += 16) {
        const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(first));
        const __m128i quote = _mm_cmpeq_epi8(block, _mm_set1_epi8('"'));
        const __m128i backslash = _mm_cmpeq_epi8(block, _mm_set1_epi8('\\'));
        if (_mm_movemask_epi8(_mm_or_si128(quote, backslash)) != 0) return false;
    }
    return true;
#else
    return std::none_of(first, static_cast<const char*>(end), needs_escape);
#endif
}

// "display" and a space; nothing for none. Quotes and backslashes are escaped (RFC 3261 §25.1).
char* display_name(char* p, std::string_view display) {
    if (display.empty()) return p;
    *p++ = '"';
    if (char* end = copy(p, display); is_plain(p, end)) [[likely]] {
        p = end;
    } else {
        for (const char c : display) {
            if (needs_escape(c)) *p++ = '\\';
            *p++ = c;
        }
    }
    *p++ = '"';
    *p++ = ' ';
    return p;
}

}  // namespace

// One line of at most bound octets: fill writes it and returns its end.
template <Writer::Trust trust, class Fill>
void Writer::line(std::size_t bound, Fill fill) {
    const std::size_t old = out_.size();
    out_.resize_and_overwrite(old + bound + 2 + scan::padding, [&](char* text, std::size_t) {
        char* first = text + old;
        char* end = fill(first);
        if constexpr (trust == Trust::nothing) clean(first, end);
        *end++ = '\r';
        *end++ = '\n';
        return static_cast<std::size_t>(end - text);
    });
}

void Writer::request_line(Method method, std::string_view uri) {
    CHECK(method != Method::other);
    request_line(name_of(method), uri);
}

void Writer::request_line(std::string_view method, std::string_view uri) {
    line(method.size() + uri.size() + 9, [&](char* p) {
        p = copy(p, method);
        *p++ = ' ';
        p = copy(p, uri);
        return copy(p, " SIP/2.0");
    });
}

void Writer::status_line(int status, std::string_view reason) {
    CHECK(status >= 100 && status <= 999);
    line(12 + reason.size(), [&](char* p) {
        p = copy(p, "SIP/2.0 ");
        p = number(p, static_cast<std::uint32_t>(status));
        *p++ = ' ';  // there even when no phrase follows (RFC 3261 §7.2)
        return copy(p, reason);
    });
}

void Writer::via(const ViaFields& fields) {
    const auto name = text_of(HeaderName::via);
    const auto bound = name.size() + fields.transport.size() + fields.sent_by.size() +
                       fields.branch.size() + fields.extra.size() + 32;
    line(bound, [&](char* p) {
        p = copy(p, name);
        p = copy(p, ": SIP/2.0/");
        p = copy(p, fields.transport);
        *p++ = ' ';
        p = copy(p, fields.sent_by);
        if (fields.rport) p = copy(p, ";rport");
        p = copy(p, ";branch=");
        p = copy(p, fields.branch);
        return copy(p, fields.extra);
    });
}

void Writer::from(std::string_view display, std::string_view uri, std::string_view tag) {
    tagged(HeaderName::from, display, uri, tag);
}

void Writer::to(std::string_view display, std::string_view uri, std::string_view tag) {
    tagged(HeaderName::to, display, uri, tag);
}

void Writer::tagged(HeaderName header_name, std::string_view display, std::string_view uri,
                    std::string_view tag) {
    const auto name = text_of(header_name);
    line(name.size() + display_bound(display) + uri.size() + tag.size() + 9, [&](char* p) {
        p = copy(p, name);
        p = copy(p, ": ");
        p = display_name(p, display);
        *p++ = '<';
        p = copy(p, uri);
        *p++ = '>';
        if (tag.empty()) return p;
        p = copy(p, ";tag=");
        return copy(p, tag);
    });
}

void Writer::address(HeaderName header_name, std::string_view display, std::string_view uri,
                     std::string_view parameters) {
    const auto name = text_of(header_name);
    line(name.size() + display_bound(display) + uri.size() + parameters.size() + 4, [&](char* p) {
        p = copy(p, name);
        p = copy(p, ": ");
        p = display_name(p, display);
        *p++ = '<';
        p = copy(p, uri);
        *p++ = '>';
        return copy(p, parameters);
    });
}

void Writer::cseq(std::uint32_t value, std::string_view method) {
    line(4 + 2 + number_bound + 1 + method.size(), [&](char* p) {
        p = copy(p, "CSeq: ");
        p = number(p, value);
        *p++ = ' ';
        return copy(p, method);
    });
}

void Writer::header(HeaderName name, std::string_view value) { header(text_of(name), value); }

void Writer::header(HeaderName header_name, std::uint32_t value) {
    const auto name = text_of(header_name);
    line<Trust::text>(name.size() + 2 + number_bound, [&](char* p) {
        p = copy(p, name);
        p = copy(p, ": ");
        return number(p, value);
    });
}

void Writer::header(std::string_view name, std::string_view value) {
    line(name.size() + 2 + value.size(), [&](char* p) {
        p = copy(p, name);
        p = copy(p, ": ");
        return copy(p, value);
    });
}

void Writer::lines(std::string_view text) { out_.append(text); }

void Writer::finish(std::string_view body, std::string_view content_type) {
    if (!body.empty() && !content_type.empty()) header(HeaderName::content_type, content_type);
    header(HeaderName::content_length, static_cast<std::uint32_t>(body.size()));
    out_.append("\r\n");
    out_.append(body);
}

}  // namespace holdfast::sip
