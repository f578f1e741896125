// Character classes of RFC 3261 §25.1, one table look-up each. No class holds CR, so every scan
// stops at the end of its line without asking for a length.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace holdfast::sip::chars {

enum Class : std::uint16_t {
    token = 1U << 0,
    host = 1U << 1,  // alphanum - . and _, which hosts in the field have (Deviates: §25.1 hostname)
    userinfo = 1U << 2,       // user, ':' and password, with '%'
    userinfo_bare = 1U << 3,  // the same where no brackets stand around it: without ; ? , (§20)
    uri_param = 1U << 4,      // paramchar without '%'
    uri_header = 1U << 5,     // hnv-unreserved, unreserved, '&', '=' without '%'
    quoted = 1U << 6,         // qdtext and HTAB
    call_id = 1U << 7,        // every visible octet: more than word (Deviates: §25.1 callid)
    value =
        1U
        << 8,  // gen-value unquoted: token, host, and : / @ = & $, seen in tags (Deviates: §25.1)
    uric = 1U << 9,  // of absoluteURI, without '%'
    uric_bare = 1U << 10,
    scheme = 1U << 11,
    tel = 1U << 12,  // RFC 3966 §3: digits, hex, * #, visual separators, +
    hex = 1U << 13,
    alpha = 1U << 14,
    blank = 1U << 15,  // SP HTAB
};

consteval std::array<std::uint16_t, 256> make_table() {
    std::array<std::uint16_t, 256> table{};
    auto add = [&table](std::string_view text, unsigned classes) {
        for (const char c : text) {
            auto& entry = table[static_cast<unsigned char>(c)];
            entry = static_cast<std::uint16_t>(entry | classes);
        }
    };
    constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    constexpr std::string_view digits = "0123456789";
    constexpr unsigned everywhere = token | host | userinfo | userinfo_bare | uri_param |
                                    uri_header | value | uric | uric_bare | scheme;
    add(letters, everywhere | alpha);
    add(digits, everywhere | tel | hex);
    add("abcdefABCDEF", tel | hex);
    add("-.!%*_+`'~", token | value);
    add("-._", host);
    // unreserved: alphanum and mark.
    add("-_.!~*'()", userinfo | userinfo_bare | uri_param | uri_header | uric | uric_bare);
    add("&=+$/:%", userinfo | userinfo_bare);
    add(",;?", userinfo);
    add("[]/:&+$", uri_param);
    add("[]/?:+$&=", uri_header);
    add("/:@&=+$[]", uric | uric_bare);
    add(";?,", uric);
    add("[]:/@=&$", value);
    add("+-.", scheme);
    add("+*#-.()", tel);
    add(" \t", blank | quoted);
    for (unsigned c = 0x21; c < 0x100; ++c) {
        if (c == 0x7f) continue;
        table[c] = static_cast<std::uint16_t>(table[c] | call_id);
        if (c != '"' && c != '\\') table[c] = static_cast<std::uint16_t>(table[c] | quoted);
    }
    return table;
}

inline constexpr std::array<std::uint16_t, 256> table = make_table();

inline bool is(char c, unsigned classes) {
    return (table[static_cast<unsigned char>(c)] & classes) != 0;
}

}  // namespace holdfast::sip::chars
