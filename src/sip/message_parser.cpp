#include "sip/message_parser.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "sip/limits.h"
#include "sip/scan.h"

namespace holdfast::sip {

using scan::between;
using scan::skip;
using scan::skip_blanks;

MessageParser::MessageParser(Message& message, Mode mode)
    : message_(message),
      values_(message.parameters_.data(), message.parameters_.size()),
      mode_(mode) {}

bool MessageParser::fail(const char* p, std::string_view reason, ParseError::Kind kind) {
    error_.kind = kind;
    error_.offset = skipped_ + static_cast<std::size_t>(p - begin_);
    error_.reason = reason;
    return false;
}

bool MessageParser::past_limit(const char* p, std::string_view reason, std::size_t most,
                               std::string_view unit) {
    error_.status = 513;
    error_.most = most;
    error_.unit = unit;
    return fail(p, reason, ParseError::Kind::too_large);
}

bool MessageParser::value_failed() {
    if (values_.pool_is_full())
        return past_limit(values_.failed_at(), values_.reason(), limits::parameters);
    return fail(values_.failed_at(), values_.reason());
}

bool MessageParser::parse(std::string_view datagram) {
    if (!take_bytes(datagram)) return false;
    if (!start_line()) return false;
    if (!header_section() && mode_ == Mode::whole) return false;
    return finish();
}

// Into the message's own buffer, with a sentinel behind.
bool MessageParser::take_bytes(std::string_view datagram) {
    // RFC 3261 §7.5: empty lines before the start line are ignored.
    while (datagram.starts_with("\r\n")) {
        datagram.remove_prefix(2);
        skipped_ += 2;
    }
    if (datagram.size() > limits::message_bytes) {
        return past_limit(begin_, "message too large", limits::message_bytes, "octets");
    }
    if (datagram.empty()) return fail(begin_, "no message", ParseError::Kind::incomplete);
    Message& m = message_;
    if (m.capacity_ < datagram.size() + scan::padding) {
        m.capacity_ = std::max<std::size_t>(1024, std::bit_ceil(datagram.size() + scan::padding));
        m.buffer_ = std::make_unique_for_overwrite<char[]>(m.capacity_);
    }
    begin_ = m.buffer_.get();
    end_ = begin_ + datagram.size();
    std::memmove(begin_, datagram.data(), datagram.size());  // may be its own text
    std::memset(end_, 0, scan::padding);
    *end_ = '\r';
    at_ = begin_;
    m.clear();
    return true;
}

bool MessageParser::start_line() {
    const char* line_end = scan::find_line_break(begin_);
    if (line_end >= end_) return fail(end_, "start line without end", ParseError::Kind::incomplete);
    if (line_end[0] != '\r' || line_end[1] != '\n')
        return fail(line_end, "line does not end in CRLF");
    at_ = line_end + 2;
    const char* end = skip(begin_, chars::token);
    if (end == begin_) return fail(begin_, "no method");
    return *end == '/' ? status_line(line_end) : request_line(end, line_end);
}

namespace {

bool is_number(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, is_digit);
}

// "SIP" "/" 1*DIGIT "." 1*DIGIT, SIP in any case (RFC 3261 §7.1, §25.1).
bool is_some_sip_version(std::string_view version) {
    if (!equals_ignoring_case(version.substr(0, 4), "SIP/")) return false;
    version.remove_prefix(4);
    const auto dot = version.find('.');
    return dot != std::string_view::npos && is_number(version.substr(0, dot)) &&
           is_number(version.substr(dot + 1));
}

bool is_sip_2(std::string_view version) {
    return version == "SIP/2.0" || (is_some_sip_version(version) && version.substr(4) == "2.0");
}

}  // namespace

// Method SP Request-URI SP SIP-Version CRLF, one SP each (RFC 3261 §7.1).
bool MessageParser::request_line(const char* method_end, const char* line_end) {
    method_text_ = between(begin_, method_end);
    method_ = method_of(method_text_);
    if (mode_ == Mode::salvage) return true;
    if (mode_ == Mode::salvage_answer) return fail(begin_, "a request is no answer");
    if (*method_end != ' ') return fail(method_end, "no space after the method");
    const char* p =
        values_.uri(method_end + 1, ValueParser::Form::bracketed, message_.request_uri_);
    if (p == nullptr) return value_failed();
    if (*p != ' ') return fail(p, "bad character in Request-URI");
    const auto version = between(p + 1, line_end);
    if (is_sip_2(version)) [[likely]]
        return true;
    if (!is_some_sip_version(version)) return fail(p + 1, "bad SIP version");
    error_.status = 505;  // RFC 3261 §21.5.6
    return fail(p + 1, "unsupported SIP version", ParseError::Kind::unsupported_version);
}

bool MessageParser::status_line(const char* line_end) {
    if (mode_ == Mode::salvage) return fail(begin_, "no answer to a response");
    const char* p = static_cast<const char*>(
        std::memchr(begin_, ' ', static_cast<std::size_t>(line_end - begin_)));
    if (p == nullptr) return fail(line_end, "no space after the version");
    const auto version = between(begin_, p);
    if (!is_sip_2(version)) {
        const bool other = is_some_sip_version(version);
        return fail(begin_, other ? "unsupported SIP version" : "bad SIP version",
                    other ? ParseError::Kind::unsupported_version : ParseError::Kind::malformed);
    }
    ++p;
    int status = 0;
    for (int i = 0; i < 3; ++i, ++p) {
        if (*p < '0' || *p > '9') return fail(p, "bad status code");
        status = status * 10 + (*p - '0');
    }
    if (status < 100) return fail(p - 3, "bad status code");
    message_.status_ = status;
    if (p == line_end) return true;  // RFC 4475 §3.1.1.13: a liberal receiver takes a missing space
    if (*p != ' ') return fail(p, "bad status code");
    message_.reason_phrase_ = between(p + 1, line_end);
    return true;
}

bool MessageParser::header_section() {
    for (;;) {
        if (*at_ == '\r' && at_[1] == '\n') break;
        if (at_ >= end_)
            return fail(end_, "no empty line after the headers", ParseError::Kind::incomplete);
        if (!header_line()) return false;
    }
    at_ += 2;
    if (static_cast<std::size_t>(at_ - begin_) > limits::header_bytes) {
        return past_limit(begin_, "header section too long", limits::header_bytes, "octets");
    }
    return true;
}

// header-name HCOLON header-value CRLF (RFC 3261 §7.3.1).
bool MessageParser::header_line() {
    const char* name_first = at_;
    const char* colon = scan::find_colon(name_first);
    if (*colon != ':') return fail(colon, "header line without colon");
    const char* name_end = colon;
    while (name_end != name_first && chars::is(name_end[-1], chars::blank)) --name_end;
    const auto name_text = between(name_first, name_end);
    const HeaderName name = padded_header_name_of(name_text);
    if (name == HeaderName::other) {
        const char* stop = skip(name_first, chars::token);
        if (stop != name_end || name_text.empty()) return fail(stop, "bad header name");
    }
    const char* value_first = colon + 1;
    if (*value_first == ' ') [[likely]]
        ++value_first;
    const char* line_end = end_of_value(value_first);
    if (line_end == nullptr) return false;
    at_ = line_end + 2;
    if (chars::is(*value_first, chars::blank)) [[unlikely]]
        value_first = skip_blanks(value_first);
    const char* value_end = line_end;
    while (value_end > value_first && chars::is(value_end[-1], chars::blank)) --value_end;
    const auto value = between(value_first, value_end);
    if (message_.headers_.size() >= limits::header_fields) {
        return past_limit(name_first, "too many header fields", limits::header_fields);
    }
    message_.headers_.push_back({.name_text = name_text, .value = value, .name = name});
    return mode_ == Mode::whole ? typed_value(name, value_first, value)
                                : salvaged_value(name, value_first, value);
}

// The CR of the line end; folds on the way are undone in the buffer.
const char* MessageParser::end_of_value(const char* p) {
    for (;;) {
        p = scan::find_line_break(p);
        if (p + 1 >= end_) {
            fail(end_, "header line without end", ParseError::Kind::incomplete);
            return nullptr;
        }
        if (p[0] != '\r' || p[1] != '\n') {
            fail(p, "line does not end in CRLF");
            return nullptr;
        }
        if (!chars::is(p[2], chars::blank)) [[likely]]
            return p;
        unfold(begin_ + (p - begin_));
    }
}

// RFC 3261 §7.3.1: a fold means a space. The bytes as they came are kept once, for text().
void MessageParser::unfold(char* line_break) {
    if (!folded_) {
        folded_ = true;
        Message& m = message_;
        const auto size = static_cast<std::size_t>(end_ - begin_);
        if (m.original_capacity_ < size) {
            m.original_ = std::make_unique_for_overwrite<char[]>(size);
            m.original_capacity_ = size;
        }
        std::memcpy(m.original_.get(), begin_, size);
    }
    line_break[0] = line_break[1] = ' ';
}

bool MessageParser::finish() {
    Message& m = message_;
    if (!check_complete()) return false;
    if (mode_ == Mode::salvage_answer) {
        m.text_ = between(begin_, end_);
        return true;
    }
    if (mode_ == Mode::salvage) {
        m.text_ = between(begin_, end_);
        if (m.cseq_.method_text.empty()) m.cseq_.method_text = method_text_;
        m.cseq_.method = method_;
        return true;
    }
    if (m.is_request() && !check_cseq()) return false;
    if (!frame_body()) return false;
    const auto size = static_cast<std::size_t>(m.body_.data() + m.body_.size() - begin_);
    m.text_ = {folded_ ? m.original_.get() : begin_, size};
    return true;
}

// RFC 3261 §8.1.1. Max-Forwards is not asked for: RFC 2543 had none (RFC 4475 §3.4.1).
bool MessageParser::check_complete() {
    const Message& m = message_;
    if (m.vias_.empty()) return fail(at_, "no Via");
    if (mode_ == Mode::salvage) {
        if (method_ == Method::ack) return fail(begin_, "an ACK is never answered");
        return m.has(HeaderName::cseq) || fail(at_, "no CSeq");
    }
    if (mode_ == Mode::whole && m.from_.text.empty()) return fail(at_, "no From");
    if (mode_ == Mode::whole && m.to_.text.empty()) return fail(at_, "no To");
    if (m.call_id_.empty()) return fail(at_, "no Call-ID");
    if (m.cseq_.method_text.empty()) return fail(at_, "no CSeq");
    return true;
}

// RFC 3261 §8.1.1.5: the method MUST match that of the request.
bool MessageParser::check_cseq() {
    if (message_.cseq_.method_text == method_text_) [[likely]]
        return true;
    if (method_ == Method::other) error_.status = 501;  // RFC 4475 §3.1.2.18 prefers it to 400
    return fail(message_.cseq_.method_text.data(), "method of CSeq differs from the request's");
}

// RFC 3261 §18.3: in a datagram the body ends with Content-Length or with the datagram.
bool MessageParser::frame_body() {
    const auto available = static_cast<std::size_t>(end_ - at_);
    const auto length = message_.content_length();
    if (length && *length > available)
        return fail(end_, "body shorter than Content-Length", ParseError::Kind::incomplete);
    message_.body_ = {at_, length ? *length : available};
    return true;
}

}  // namespace holdfast::sip
