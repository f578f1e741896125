// ValueParser, the part that reads URIs (RFC 3261 §19.1.1, RFC 3966 §3).
#include "base/address.h"
#include "sip/limits.h"
#include "sip/scan.h"
#include "sip/value_parser.h"

namespace holdfast::sip {

using scan::between;
using scan::skip;
using scan::skip_blanks;

namespace {

bool is_escape(const char* p) {
    return *p == '%' && chars::is(p[1], chars::hex) && chars::is(p[2], chars::hex);
}

}  // namespace

// Octets of these classes and %HH; nullptr only for a '%' that is no escape.
const char* ValueParser::escaped(const char* p, unsigned classes) {
    for (;;) {
        p = skip(p, classes);
        if (*p != '%') [[likely]]
            return p;
        if (!is_escape(p)) return fail(p, "bad escape in URI");
        p += 3;
    }
}

const char* ValueParser::host(const char* p, std::string_view& out) {
    const char* end = p;
    if (*p == '[') {
        ++end;
        while (chars::is(*end, chars::hex) || *end == ':' || *end == '.') ++end;
        if (*end != ']' || !IpAddress::parse(between(p + 1, end)))
            return fail(p, "bad IPv6 address");
        ++end;
    } else {
        end = skip(p, chars::host);
        if (end == p) return fail(p, "no host");
    }
    out = between(p, end);
    return end;
}

const char* ValueParser::port(const char* p, std::uint16_t& out) {
    std::uint32_t value = 0;
    const char* first = p;
    while (static_cast<unsigned char>(*p - '0') <= 9) {
        value = value * 10 + static_cast<std::uint32_t>(*p - '0');
        if (value > 65'535) return fail(first, "port out of range");
        ++p;
    }
    if (value == 0) return fail(first, "bad port");
    out = static_cast<std::uint16_t>(value);
    return p;
}

const char* ValueParser::host_and_port(const char* p, std::string_view& host_out,
                                       std::uint16_t& port_out) {
    p = host(p, host_out);
    if (p == nullptr || *p != ':') return p;
    return port(p + 1, port_out);
}

const char* ValueParser::uri_parameters(const char* p, Parameters& out) {
    const Parameter* first = next_;
    while (*p == ';') {
        ++p;
        Parameter* parameter = take(p);
        if (parameter == nullptr) return nullptr;
        const char* end = escaped(p, chars::uri_param);
        if (end == nullptr) return nullptr;
        if (end == p) return fail(p, "URI parameter without name");
        *parameter = {.name = between(p, end), .value = {}};
        p = end;
        if (*p != '=') continue;
        end = escaped(p + 1, chars::uri_param);
        if (end == nullptr) return nullptr;
        parameter->value = between(p + 1, end);
        parameter->has_value = true;
        p = end;
    }
    out = Parameters(first, static_cast<std::size_t>(next_ - first));
    return p;
}

const char* ValueParser::uri_headers(const char* p, Uri& out) {
    const char* end = escaped(p, chars::uri_header);
    if (end == nullptr) return nullptr;
    if (end == p) return fail(p, "'?' without headers");
    out.headers = between(p, end);
    return end;
}

// user [":" password] up to the '@' (RFC 3261 §25.1 userinfo).
const char* ValueParser::user_info(const char* p, const char* at, Uri& out) {
    const char* colon = nullptr;
    for (const char* c = p; c != at; ++c) {
        if (*c == ':' && colon == nullptr) {
            colon = c;
        } else if (*c == '%') {
            if (!is_escape(c)) return fail(c, "bad escape in URI");
        } else if (colon != nullptr && (*c == ':' || *c == ';' || *c == '?' || *c == '/')) {
            return fail(c, "bad character in password");
        }
    }
    const char* end = colon == nullptr ? at : colon;
    if (end == p) return fail(p, "no user before '@'");
    out.user = between(p, end);
    if (colon != nullptr) out.password = between(colon + 1, at);
    out.has_user = true;
    return at + 1;
}

const char* ValueParser::sip_uri(const char* p, Form form, Uri& out) {
    // Most users look like hosts. Otherwise only an '@' further on tells a user from a host.
    const char* end = skip(p, chars::host);
    if (*end == '@' && end != p) {
        out.user = between(p, end);
        out.has_user = true;
        p = end + 1;
    } else if (*p != '[' && *end != '>') {
        const char* at =
            skip(end, form == Form::bracketed ? chars::userinfo : chars::userinfo_bare);
        if (*at == '@') {
            p = user_info(p, at, out);
            if (p == nullptr) return nullptr;
        }
    }
    p = host_and_port(p, out.host, out.port);
    if (p == nullptr || form == Form::bare) return p;
    if (*p == ';') {
        p = uri_parameters(p, out.parameters);
        if (p == nullptr) return nullptr;
    }
    return *p == '?' ? uri_headers(p + 1, out) : p;
}

const char* ValueParser::tel_uri(const char* p, Form form, Uri& out) {
    const char* end = skip(p, chars::tel);
    if (end == p) return fail(p, "no number in tel URI");
    out.user = between(p, end);
    return *end == ';' && form == Form::bracketed ? uri_parameters(end, out.parameters) : end;
}

// absoluteURI of a scheme that means nothing to us: kept whole.
const char* ValueParser::other_uri(const char* p, Form form, Uri&) {
    const char* end = escaped(p, form == Form::bracketed ? chars::uric : chars::uric_bare);
    if (end == p) return fail(p, "nothing after the URI's scheme");
    return end;
}

const char* ValueParser::uri(const char* p, Form form, Uri& out) {
    const char* first = p;
    if (scan::is(between(p, p + 3), "sip") && p[3] == ':') [[likely]] {
        out.scheme = Scheme::sip;
        out.scheme_text = between(p, p + 3);
        p = sip_uri(p + 4, form, out);
    } else {
        const char* end = skip(p, chars::scheme);
        if (!chars::is(*p, chars::alpha) || *end != ':') return fail(p, "URI without scheme");
        out.scheme_text = between(p, end);
        if (scan::is(out.scheme_text, "sips")) {
            out.scheme = Scheme::sips;
            p = sip_uri(end + 1, form, out);
        } else if (scan::is(out.scheme_text, "tel")) {
            out.scheme = Scheme::tel;
            p = tel_uri(end + 1, form, out);
        } else {
            out.scheme = Scheme::other;
            p = other_uri(end + 1, form, out);
        }
    }
    if (p == nullptr) return nullptr;
    if (static_cast<std::size_t>(p - first) > limits::uri_bytes) return fail(first, "URI too long");
    out.text = between(first, p);
    return p;
}

}  // namespace holdfast::sip
