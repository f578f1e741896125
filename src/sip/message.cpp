#include "sip/message.h"

#include <algorithm>

#include "base/check.h"
#include "base/text.h"
#include "sip/limits.h"
#include "sip/message_parser.h"

namespace holdfast::sip {
namespace {

// Enough for almost every message; a bigger pool comes when one needs it, and stays.
constexpr std::size_t first_pool_size = 32;

}  // namespace

void Message::clear() {
    headers_.clear();
    vias_.clear();
    contacts_.clear();
    routes_.clear();
    record_routes_.clear();
    service_routes_.clear();
    paths_.clear();
    challenges_.clear();
    authorizations_.clear();
    tokens_.clear();
    request_uri_ = {};
    from_ = {};
    to_ = {};
    cseq_ = {};
    reason_phrase_ = call_id_ = content_type_ = body_ = text_ = {};
    numbers_present_ = 0;
    allow_ = 0;
    status_ = 0;
    contact_is_star_ = false;
}

std::expected<void, ParseError> Message::parse_bytes(std::string_view datagram) {
    if (parameters_.empty()) parameters_.resize(first_pool_size);
    for (;;) {
        MessageParser parser(*this, MessageParser::Mode::whole);
        if (parser.parse(datagram)) return {};
        if (!parser.needs_more_parameters() || parameters_.size() >= limits::parameters)
            return std::unexpected(parser.error());
        parameters_.resize(std::min(2 * parameters_.size(), limits::parameters));
    }
}

std::expected<void, ParseError> Message::reparse(std::string_view datagram) {
    auto result = parse_bytes(datagram);
    if (!result) {
        clear();
        // Whoever is refused deserves to hear it, if we can tell who it was.
        result.error().answerable = salvage(datagram).has_value();
    }
    return result;
}

std::expected<Message, ParseError> Message::parse(std::string_view datagram) {
    Message message;
    if (auto parsed = message.reparse(datagram); !parsed) return std::unexpected(parsed.error());
    return message;
}

std::optional<Message> Message::salvage(std::string_view datagram) {
    Message message;
    message.parameters_.resize(first_pool_size);
    MessageParser parser(message, MessageParser::Mode::salvage);
    if (!parser.parse(datagram.substr(0, limits::message_bytes))) return std::nullopt;
    return message;
}

std::optional<Message> Message::salvage_answer(std::string_view datagram) {
    Message message;
    message.parameters_.resize(first_pool_size);
    MessageParser parser(message, MessageParser::Mode::salvage_answer);
    if (!parser.parse(datagram.substr(0, limits::message_bytes))) return std::nullopt;
    return message;
}

Message Message::clone() const {
    if (text_.empty()) return {};
    auto copy = parse(text_);
    if (copy) return std::move(*copy);
    auto salvaged = salvage(text_);
    CHECK(salvaged.has_value());  // what was read once can be read again
    return std::move(*salvaged);
}

std::optional<std::string_view> Message::header(HeaderName name) const {
    for (const auto& header : headers_)
        if (header.name == name) return header.value;
    return std::nullopt;
}

std::optional<std::string_view> Message::header(std::string_view name) const {
    if (const auto known = header_name_of(name); known != HeaderName::other) return header(known);
    for (const auto& header : headers_)
        if (header.name == HeaderName::other && equals_ignoring_case(header.name_text, name))
            return header.value;
    return std::nullopt;
}

bool Message::has_token(HeaderName header, std::string_view token) const {
    return std::ranges::any_of(tokens_, [&](const ListToken& entry) {
        return entry.header == header && equals_ignoring_case(entry.token, token);
    });
}

std::string_view Message::media_type() const {
    return trimmed(content_type_.substr(0, content_type_.find(';')));
}

}  // namespace holdfast::sip
