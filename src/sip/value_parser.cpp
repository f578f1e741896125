#include "sip/value_parser.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "sip/scan.h"

namespace holdfast::sip {

using scan::between;
using scan::skip;
using scan::skip_blanks;

const char* ValueParser::fail(const char* p, std::string_view reason) {
    if (failed_at_ == nullptr) {
        failed_at_ = p;
        reason_ = reason;
    }
    return nullptr;
}

Parameter* ValueParser::take(const char* p) {
    if (next_ == limit_) [[unlikely]] {
        pool_is_full_ = true;
        fail(p, "too many parameters");
        return nullptr;
    }
    return next_++;
}

// After the opening quote; returns behind the closing one (RFC 3261 §25.1, quoted-string).
const char* ValueParser::quoted_string(const char* p, std::string_view& out) {
    const char* first = p;
    for (;;) {
        p = skip(p, chars::quoted);
        if (*p == '"') break;
        if (*p != '\\') return fail(p, "quoted string without end");
        // quoted-pair: any octet up to DEL but CR and LF, NUL included.
        const auto next = static_cast<unsigned char>(p[1]);
        if (next == '\r' || next == '\n' || next > 0x7f)
            return fail(p, "bad escape in quoted string");
        p += 2;
    }
    out = between(first, p);
    return p + 1;
}

// After '='; blanks allowed before it.
const char* ValueParser::parameter_value(const char* p, Parameter& out) {
    if (chars::is(*p, chars::blank)) [[unlikely]]
        p = skip_blanks(p);
    out.has_value = true;
    if (*p == '"') {
        out.was_quoted = true;
        return quoted_string(p + 1, out.value);
    }
    const char* end = skip(p, chars::value);
    if (end == p) return fail(p, "parameter without value");
    out.value = between(p, end);
    return end;
}

const char* ValueParser::parameters(const char* p, Parameters& out) {
    const Parameter* first = next_;
    for (;;) {
        if (chars::is(*p, chars::blank)) [[unlikely]]
            p = skip_blanks(p);
        if (*p != ';') break;
        ++p;
        if (chars::is(*p, chars::blank)) [[unlikely]]
            p = skip_blanks(p);
        Parameter* parameter = take(p);
        if (parameter == nullptr) return nullptr;
        const char* end = skip(p, chars::token);
        if (end == p) return fail(p, "parameter without name");
        *parameter = {.name = between(p, end), .value = {}};
        p = end;
        if (chars::is(*p, chars::blank)) [[unlikely]]
            p = skip_blanks(p);
        if (*p != '=') continue;
        p = parameter_value(p + 1, *parameter);
        if (p == nullptr) return nullptr;
    }
    out = Parameters(first, static_cast<std::size_t>(next_ - first));
    return p;
}

const char* ValueParser::name_addr(const char* p, NameAddr& out) {
    const char* first = p;
    if (*p == '"') {
        p = quoted_string(p + 1, out.display_name);
        if (p == nullptr) return nullptr;
        p = skip_blanks(p);
        if (*p != '<') return fail(p, "no '<' after the display name");
    } else if (*p != '<') {
        // Tokens, then '<'; or a bare URI, which begins like a token that ends in ':'.
        const char* end = p;
        const char* next = p;
        while (chars::is(*next, chars::token)) {
            end = skip(next, chars::token);
            next = skip_blanks(end);
        }
        if (*next == '<') {
            out.display_name = between(p, end);
            p = next;
        } else if (*end != ':') {
            return fail(next, "neither a display name nor a URI");
        }
    }
    if (*p == '<') {
        p = uri(p + 1, Form::bracketed, out.uri);
        if (p == nullptr) return nullptr;
        if (*p != '>') return fail(p, "bad character in URI");
        ++p;
    } else {
        p = uri(p, Form::bare, out.uri);
        if (p == nullptr) return nullptr;
        // RFC 3261 §20: a URI with a question mark must stand in brackets.
        if (*p == '?') return fail(p, "URI with headers outside brackets");
    }
    p = parameters(p, out.parameters);
    if (p == nullptr) return nullptr;
    const char* end = p;
    while (chars::is(end[-1], chars::blank)) --end;
    out.text = between(first, end);
    return p;
}

namespace {

// RFC 3261 §25.1 qvalue, in thousandths.
std::optional<std::uint16_t> q_value(std::string_view text) {
    if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return std::nullopt;
    unsigned value = text[0] == '1' ? 1000 : 0;
    if (text.size() > 1 && text[1] != '.') return std::nullopt;
    unsigned scale = 100;
    for (const char c : text.substr(std::min<std::size_t>(2, text.size()))) {
        if (!is_digit(c)) return std::nullopt;
        value += scale * static_cast<unsigned>(c - '0');
        scale /= 10;
    }
    if (value > 1000) return std::nullopt;
    return static_cast<std::uint16_t>(value);
}

}  // namespace

const char* ValueParser::contact(const char* p, Contact& out) {
    p = name_addr(p, out);
    if (p == nullptr) return nullptr;
    for (const auto& parameter : out.parameters) {
        if (scan::is(parameter.name, "q")) {
            out.q_thousandths = q_value(parameter.value);
        } else if (scan::is(parameter.name, "expires") && !out.expires) {
            out.expires = parse_number<std::uint32_t>(parameter.value);
        }
    }
    return p;
}

namespace {

// sent-protocol up to the transport: SIP / 2.0 / with blanks anywhere (RFC 3261 §20.42). The
// version is not compared: a request of another version needs an answer too. nullptr: something
// else.
const char* sent_protocol(const char* p) {
    if (std::memcmp(p, "SIP/2.0/", 8) == 0) [[likely]]
        return p + 8;
    for (int part = 0; part < 2; ++part) {
        const char* end = skip(p, chars::token);
        if (end == p) return nullptr;
        p = skip_blanks(end);
        if (*p != '/') return nullptr;
        p = skip_blanks(p + 1);
    }
    return p;
}

}  // namespace

const char* ValueParser::via(const char* p, Via& out) {
    const char* first = p;
    p = sent_protocol(p);
    if (p == nullptr) return fail(first, "bad protocol in Via");
    if (chars::is(*p, chars::blank)) [[unlikely]]
        p = skip_blanks(p);
    const char* end = skip(p, chars::token);
    if (end == p) return fail(p, "no transport in Via");
    out.transport = between(p, end);
    if (!chars::is(*end, chars::blank)) return fail(end, "no blank before sent-by");
    p = host(skip_blanks(end), out.host);
    if (p == nullptr) return nullptr;
    if (chars::is(*p, chars::blank)) [[unlikely]]
        p = skip_blanks(p);
    if (*p == ':') {
        p = port(skip_blanks(p + 1), out.port);
        if (p == nullptr) return nullptr;
    }
    out.text = between(first, p);  // so far: what a response to a broken Via can still use
    p = parameters(p, out.parameters);
    if (p == nullptr) return nullptr;
    for (const auto& parameter : out.parameters) {
        if (scan::is(parameter.name, "branch")) {
            out.branch = parameter.value;
        } else if (scan::is(parameter.name, "rport")) {
            out.has_rport = true;
            if (parameter.has_value) out.rport = parse_number<std::uint16_t>(parameter.value);
        } else if (scan::is(parameter.name, "received")) {
            out.received = parameter.value;
        }
    }
    end = p;
    while (chars::is(end[-1], chars::blank)) --end;
    out.text = between(first, end);
    return p;
}

}  // namespace holdfast::sip
