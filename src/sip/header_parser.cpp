// MessageParser, the part that reads header values.
#include <algorithm>
#include <limits>

#include "sip/limits.h"
#include "sip/message_parser.h"
#include "sip/scan.h"

namespace holdfast::sip {

using scan::between;
using scan::skip;
using scan::skip_blanks;

namespace {

// Header fields of which a second one makes the message unusable (RFC 3261 §7.3.1: only headers
// defined as a list may be repeated).
enum Seen : unsigned {
    seen_from = 1,
    seen_to = 2,
    seen_call_id = 4,
    seen_cseq = 8,
    seen_content_type = 16,
    // Lists past a limit, of which salvage_answer() gives nothing.
    lost_contacts = 32,
    lost_routes = 64
};

constexpr std::uint64_t any_32_bits = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint32_t malformed_expires = 3600;

// The comma or line end behind a value that nobody can read.
const char* end_of_unreadable(const char* p) {
    bool quoted = false;
    bool bracketed = false;
    for (; *p != '\r'; ++p) {
        if (quoted) {
            if (*p == '"') quoted = false;
            if (*p == '\\' && p[1] != '\r') ++p;
            continue;
        }
        if (*p == ',' && !bracketed) break;
        if (*p == '"') quoted = true;
        if (*p == '<' || *p == '>') bracketed = *p == '<';
    }
    return p;
}

}  // namespace

bool MessageParser::once(unsigned bit, const char* p) {
    if ((seen_ & bit) != 0) return fail(p, "header given twice");
    seen_ |= bit;
    return true;
}

bool MessageParser::typed_value(HeaderName name, const char* p, std::string_view value) {
    switch (name) {
    case HeaderName::via: return vias(p);
    case HeaderName::from: return address(p, message_.from_, seen_from);
    case HeaderName::to: return address(p, message_.to_, seen_to);
    case HeaderName::call_id: return call_id(p, value);
    case HeaderName::cseq: return cseq(p);
    case HeaderName::contact: return contacts(p);
    case HeaderName::route: return addresses(p, message_.routes_);
    case HeaderName::record_route: return addresses(p, message_.record_routes_);
    case HeaderName::service_route: return addresses(p, message_.service_routes_);
    case HeaderName::path: return addresses(p, message_.paths_);
    case HeaderName::content_length: return content_length(p);
    case HeaderName::content_type: return content_type(p, value);
    case HeaderName::allow: return allow(p);
    case HeaderName::www_authenticate: return challenges(p, false);
    case HeaderName::proxy_authenticate: return challenges(p, true);
    case HeaderName::authorization: return authorization(p, false);
    case HeaderName::proxy_authorization: return authorization(p, true);
    case HeaderName::supported:
    case HeaderName::require:
    case HeaderName::proxy_require:
    case HeaderName::unsupported:
    case HeaderName::allow_events: return token_list(name, p);
    // RFC 4475 §3.1.2.4: too large a Max-Forwards reads as absent; an expiry that cannot be read as
    // 3600 (RFC 3261 §10.2.1.1), but not in a response (Contact::expires says why).
    case HeaderName::max_forwards:
        return number(Message::Number::max_forwards, p, limits::max_forwards, std::nullopt);
    case HeaderName::expires:
        return number(Message::Number::expires, p, any_32_bits,
                      message_.is_request() ? std::optional(malformed_expires) : std::nullopt);
    case HeaderName::min_expires:
        return number(Message::Number::min_expires, p, any_32_bits, std::nullopt);
    case HeaderName::retry_after:
        return number(Message::Number::retry_after, p, any_32_bits, std::nullopt);
    case HeaderName::flow_timer:
        return number(Message::Number::flow_timer, p, any_32_bits, std::nullopt);
    case HeaderName::rseq: return number(Message::Number::rseq, p, any_32_bits, std::nullopt);
    default: return true;
    }
}

// Only what write_response copies, or what says which request a response answers and how its ACK
// gets there; the first of each, whatever it holds, and of a list nothing if it is past a limit.
bool MessageParser::salvaged_value(HeaderName name, const char* p, std::string_view value) {
    values_.forget_failure();
    switch (name) {
    case HeaderName::via: {
        if (!message_.vias_.empty()) return true;
        Via via;
        // sent-by is all that an answer needs; what follows may be broken (RFC 4475 §3.1.2.1).
        if (values_.via(p, via) != nullptr || !via.text.empty()) message_.vias_.push_back(via);
        return true;
    }
    case HeaderName::from:
    case HeaderName::to: {
        NameAddr& out = name == HeaderName::from ? message_.from_ : message_.to_;
        if (!out.text.empty()) return true;
        NameAddr parsed;
        const char* end = values_.name_addr(p, parsed);
        if (end != nullptr && *end == '\r')
            out = parsed;
        else
            out.text = value;
        return true;
    }
    case HeaderName::call_id:
        if (message_.call_id_.empty()) message_.call_id_ = value;
        return true;
    case HeaderName::cseq:  // of a request it is copied as it stands
        if (mode_ == Mode::salvage_answer && message_.cseq_.method_text.empty()) cseq(p);
        return true;
    case HeaderName::contact:  // where the ACK of a 2xx goes (RFC 3261 §12.1.2)
        if (mode_ != Mode::salvage_answer || (seen_ & lost_contacts) != 0 || contacts(p))
            return true;
        message_.contacts_.clear();
        seen_ |= lost_contacts;
        return true;
    case HeaderName::record_route:
        if (mode_ != Mode::salvage_answer || (seen_ & lost_routes) != 0 ||
            addresses(p, message_.record_routes_))
            return true;
        message_.record_routes_.clear();
        seen_ |= lost_routes;
        return true;
    default: return true;
    }
}

// A value ends at a comma or at the end of the line. 1: another follows; 0: end; -1: neither.
namespace {
int next_of_list(const char*& p) {
    if (*p == ',') {
        p = skip_blanks(p + 1);
        return 1;
    }
    return *p == '\r' ? 0 : -1;
}
}  // namespace

bool MessageParser::vias(const char* p) {
    for (;;) {
        if (message_.vias_.size() >= limits::list_values)
            return past_limit(p, "too many Via values", limits::list_values);
        p = values_.via(p, message_.vias_.emplace_back());
        if (p == nullptr) return value_failed();
        const int more = next_of_list(p);
        if (more == 0) return true;
        if (more < 0) return fail(p, "bad character in Via");
    }
}

bool MessageParser::contacts(const char* p) {
    if (*p == '*' && *skip_blanks(p + 1) == '\r') {
        message_.contact_is_star_ = true;
        return true;
    }
    for (;;) {
        if (message_.contacts_.size() >= limits::list_values)
            return past_limit(p, "too many Contact values", limits::list_values);
        const char* const first = p;
        Contact& contact = message_.contacts_.emplace_back();
        p = values_.contact(p, contact);
        if (p == nullptr || (*p != ',' && *p != '\r')) {
            p = after_unreadable(first, p, "bad character in Contact");
            if (p == nullptr) return false;
            message_.contacts_.pop_back();
        } else if (message_.is_request() && !contact.expires && contact.parameters.has("expires")) {
            contact.expires = malformed_expires;
        }
        if (next_of_list(p) == 0) return true;
    }
}

bool MessageParser::addresses(const char* p, std::vector<NameAddr>& list) {
    for (;;) {
        if (list.size() >= limits::list_values)
            return past_limit(p, "too many route values", limits::list_values);
        const char* const first = p;
        p = values_.name_addr(p, list.emplace_back());
        if (p == nullptr || (*p != ',' && *p != '\r')) {
            p = after_unreadable(first, p, "bad character in a route");
            if (p == nullptr) return false;
            list.pop_back();
        }
        if (next_of_list(p) == 0) return true;
    }
}

// What follows a value of a list that cannot be read. In a response it costs itself alone: a
// registrar lists other people's Contacts too, and one of them must not take ours away. `stopped`:
// where reading ended, nullptr if the value's parser says where. nullptr: it costs the message.
const char* MessageParser::after_unreadable(const char* first, const char* stopped,
                                            std::string_view reason) {
    if (!message_.is_request() && !values_.pool_is_full()) {
        values_.forget_failure();
        return end_of_unreadable(first);
    }
    if (stopped == nullptr)
        value_failed();
    else
        fail(stopped, reason);
    return nullptr;
}

bool MessageParser::address(const char* p, NameAddr& out, unsigned seen_bit) {
    if (!once(seen_bit, p)) return false;
    p = values_.name_addr(p, out);
    if (p == nullptr) return value_failed();
    return *p == '\r' || fail(p, "bad character in address");
}

bool MessageParser::call_id(const char* p, std::string_view value) {
    if (!once(seen_call_id, p)) return false;
    message_.call_id_ = value;
    const char* end = skip(p, chars::call_id);
    return (end != p && end == p + value.size()) || fail(end, "bad Call-ID");
}

// 1*DIGIT LWS Method
bool MessageParser::cseq(const char* p) {
    if (!once(seen_cseq, p)) return false;
    std::uint64_t value = 0;
    const char* first = p;
    for (; *p >= '0' && *p <= '9'; ++p) {
        value = value * 10 + static_cast<std::uint64_t>(*p - '0');
        if (value > limits::cseq_number) return fail(first, "CSeq number out of range");
    }
    if (p == first || !chars::is(*p, chars::blank)) return fail(p, "bad CSeq number");
    p = skip_blanks(p);
    const char* end = skip(p, chars::token);
    if (end == p || *skip_blanks(end) != '\r') return fail(end, "bad CSeq method");
    CSeq& out = message_.cseq_;
    out.number = static_cast<std::uint32_t>(value);
    out.method_text = between(p, end);
    // check_cseq compares the text, so that a request's method need not be looked up twice.
    out.method = message_.is_request() ? method_ : method_of(out.method_text);
    return true;
}

bool MessageParser::challenges(const char* p, bool proxy) {
    do {
        if (message_.challenges_.size() >= limits::list_values)
            return past_limit(p, "too many challenges", limits::list_values);
        Challenge& challenge = message_.challenges_.emplace_back();
        challenge.proxy = proxy;
        const char* const first = p;
        p = values_.challenge(p, challenge);
        if (p == nullptr) {
            // Where the next one would begin cannot be known; those of other lines count.
            if (after_unreadable(first, p, {}) == nullptr) return false;
            message_.challenges_.pop_back();
            return true;
        }
    } while (*p != '\r');
    return true;
}

bool MessageParser::authorization(const char* p, bool proxy) {
    if (message_.authorizations_.size() >= limits::list_values)
        return past_limit(p, "too many credentials", limits::list_values);
    Credentials& credentials = message_.authorizations_.emplace_back();
    credentials.proxy = proxy;
    return values_.credentials(p, credentials) != nullptr || value_failed();
}

bool MessageParser::content_type(const char* p, std::string_view value) {
    if (!once(seen_content_type, p)) return false;
    message_.content_type_ = value;
    return true;
}

// Lists of tokens. Empty elements are passed over. Require decides whether we may go on, so it must
// be readable; the others only inform.
bool MessageParser::token_list(HeaderName name, const char* p) {
    for (;;) {
        while (*p == ',' || chars::is(*p, chars::blank)) ++p;
        if (*p == '\r') return true;
        const char* end = skip(p, chars::token);
        const char* next = skip_blanks(end);
        if (end == p || (*next != ',' && *next != '\r')) {
            if (name == HeaderName::require || name == HeaderName::proxy_require)
                return fail(next, "bad character in a list of option tags");
            while (*next != ',' && *next != '\r') ++next;
        } else {
            if (message_.tokens_.size() >= limits::tokens)
                return past_limit(p, "too many tokens", limits::tokens);
            message_.tokens_.push_back({.token = between(p, end), .header = name});
        }
        p = next;
    }
}

bool MessageParser::allow(const char* p) {
    for (;;) {
        while (*p == ',' || chars::is(*p, chars::blank)) ++p;
        if (*p == '\r') return true;
        const char* end = skip(p, chars::token);
        message_.allow_ |= 1U << static_cast<unsigned>(method_of(between(p, end)));
        p = end;
        while (*p != ',' && *p != '\r') ++p;
    }
}

namespace {

// Stops counting, not reading, once the value cannot be meant seriously.
const char* read_digits(const char* p, std::uint64_t& value) {
    for (; *p >= '0' && *p <= '9'; ++p)
        if (value <= any_32_bits) value = value * 10 + static_cast<std::uint64_t>(*p - '0');
    return p;
}

}  // namespace

// Framing depends on it: anything but digits, or a second one, loses the message (RFC 4475
// §3.1.2.3, §3.3.9).
bool MessageParser::content_length(const char* p) {
    constexpr auto index = static_cast<unsigned>(Message::Number::content_length);
    if ((message_.numbers_present_ >> index & 1U) != 0) return fail(p, "header given twice");
    std::uint64_t value = 0;
    const char* end = read_digits(p, value);
    if (end == p || *skip_blanks(end) != '\r') return fail(end, "bad Content-Length");
    if (value > any_32_bits) return fail(p, "Content-Length out of range");
    message_.numbers_[index] = static_cast<std::uint32_t>(value);
    message_.numbers_present_ |= 1U << index;
    return true;
}

// A number that may be followed by parameters or a comment (Retry-After). One that cannot be read
// leaves the header as if absent, or with the value that the RFC gives for that case.
bool MessageParser::number(Message::Number which, const char* p, std::uint64_t largest,
                           std::optional<std::uint32_t> otherwise) {
    const unsigned bit = 1U << static_cast<unsigned>(which);
    if (!once(bit << 8U, p)) return false;
    std::uint64_t value = 0;
    const char* end = read_digits(p, value);
    const char* next = skip_blanks(end);
    const bool readable =
        end != p && value <= largest && (*next == '\r' || *next == ';' || *next == '(');
    if (!readable && !otherwise) return true;
    message_.numbers_[static_cast<std::size_t>(which)] =
        readable ? static_cast<std::uint32_t>(value) : *otherwise;
    message_.numbers_present_ |= bit;
    return true;
}

}  // namespace holdfast::sip
