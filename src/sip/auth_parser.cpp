// ValueParser, the part that reads challenges and credentials (RFC 3261 §25.1, RFC 7616 §3.3,
// §3.4).
#include "base/text.h"
#include "sip/scan.h"
#include "sip/value_parser.h"

namespace holdfast::sip {

using scan::between;
using scan::skip;
using scan::skip_blanks;

// auth-scheme LWS auth-param *(COMMA auth-param). Stops at the end of the line, or behind a comma
// that a further scheme follows: some send several challenges in one line, though RFC 3261 §20.44
// wants a line for each.
const char* ValueParser::auth_parameters(const char* p, std::string_view& scheme, Parameters& out) {
    const Parameter* first = next_;
    const char* end = skip(p, chars::token);
    if (end == p) return fail(p, "no authentication scheme");
    scheme = between(p, end);
    p = skip_blanks(end);
    const bool digest = scan::is(scheme, "digest");
    while (*p != '\r') {
        end = skip(p, chars::token);
        const char* equals = skip_blanks(end);
        if (end == p || *equals != '=') {
            if (digest) return fail(p, "bad authentication parameter");
            // Credentials of a scheme we do not know need not look like parameters: skipped whole.
            p = scan::find_line_break(p);
            break;
        }
        Parameter* parameter = take(p);
        if (parameter == nullptr) return nullptr;
        *parameter = {.name = between(p, end), .value = {}};
        p = equals + 1;
        if (*p == '"') {
            parameter->has_value = parameter->was_quoted = true;
            p = quoted_string(p + 1, parameter->value);
        } else {
            p = parameter_value(p, *parameter);
        }
        if (p == nullptr) return nullptr;
        p = skip_blanks(p);
        if (*p == '\r') break;
        if (*p != ',') return fail(p, "no comma between authentication parameters");
        p = skip_blanks(p + 1);
        if (*skip_blanks(skip(p, chars::token)) != '=')
            break;  // a scheme: its parameters are the next call's
    }
    out = Parameters(first, static_cast<std::size_t>(next_ - first));
    return p;
}

const char* ValueParser::challenge(const char* p, Challenge& out) {
    p = auth_parameters(p, out.scheme, out.parameters);
    if (p == nullptr) return nullptr;
    for (const auto& [name, value, has_value, was_quoted] : out.parameters) {
        switch (name.size()) {
        case 3:
            if (scan::is(name, "qop")) out.qop = value;
            break;
        case 5:
            if (scan::is(name, "realm")) {
                out.realm = value;
                out.has_realm = true;
            } else if (scan::is(name, "nonce")) {
                out.nonce = value;
            } else if (scan::is(name, "stale")) {
                out.stale = equals_ignoring_case(value, "true");
            }
            break;
        case 6:
            if (scan::is(name, "opaque")) {
                out.opaque = value;
                out.has_opaque = true;
            } else if (scan::is(name, "domain")) {
                out.domain = value;
            }
            break;
        case 8:
            if (scan::is(name, "userhash")) out.userhash = equals_ignoring_case(value, "true");
            break;
        case 9:
            if (scan::is(name, "algorithm")) out.algorithm = value;
            break;
        default: break;
        }
    }
    return p;
}

const char* ValueParser::credentials(const char* p, Credentials& out) {
    p = auth_parameters(p, out.scheme, out.parameters);
    if (p == nullptr) return nullptr;
    if (*p != '\r') return fail(p, "several credentials in one line");
    for (const auto& [name, value, has_value, was_quoted] : out.parameters) {
        if (scan::is(name, "username"))
            out.username = value;
        else if (scan::is(name, "realm"))
            out.realm = value;
        else if (scan::is(name, "nonce"))
            out.nonce = value;
        else if (scan::is(name, "uri"))
            out.uri = value;
        else if (scan::is(name, "response"))
            out.response = value;
        else if (scan::is(name, "algorithm"))
            out.algorithm = value;
        else if (scan::is(name, "cnonce"))
            out.cnonce = value;
        else if (scan::is(name, "qop"))
            out.qop = value;
        else if (scan::is(name, "nc"))
            out.nc = value;
        else if (scan::is(name, "opaque"))
            out.opaque = value;
        else if (scan::is(name, "userhash"))
            out.userhash = equals_ignoring_case(value, "true");
    }
    return p;
}

}  // namespace holdfast::sip
