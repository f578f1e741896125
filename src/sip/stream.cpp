#include "sip/stream.h"

#include "base/text.h"
#include "sip/header_name.h"
#include "sip/limits.h"

namespace holdfast::sip {
namespace {

constexpr std::string_view crlf = "\r\n";
constexpr std::string_view blank_line = "\r\n\r\n";
constexpr std::size_t compact_after =
    16'384;  // octets handed out before the rest is moved to the front

struct Length {
    std::optional<std::uint32_t> value;
    std::string_view reason;  // why not
};

// Content-Length of a header section, without parsing the rest. Its value may stand on a folded
// line.
Length content_length(std::string_view head) {
    std::optional<std::uint32_t> found;
    for (std::size_t line = head.find(crlf); line != std::string_view::npos;) {
        const std::size_t first = line + crlf.size();
        line = head.find(crlf, first);
        while (line != std::string_view::npos && line + 2 < head.size() &&
               (head[line + 2] == ' ' || head[line + 2] == '\t'))
            line = head.find(crlf, line + 2);
        const auto text = head.substr(first, line == std::string_view::npos ? line : line - first);
        const auto colon = text.find(':');
        if (colon == std::string_view::npos) continue;
        if (header_name_of(trimmed(text.substr(0, colon))) != HeaderName::content_length) continue;
        if (found) return {std::nullopt, "several Content-Length headers"};
        found = parse_number<std::uint32_t>(trimmed(text.substr(colon + 1)));
        if (!found) return {std::nullopt, "bad Content-Length"};
    }
    return {found, "no Content-Length"};
}

}  // namespace

void StreamFramer::feed(std::string_view bytes) {
    if (start_ == buffer_.size()) {
        buffer_.clear();
        start_ = 0;
    } else if (start_ > compact_after) {
        buffer_.erase(0, start_);
        start_ = 0;
    }
    if (!failed_) buffer_.append(bytes);
}

StreamItem StreamFramer::fail(ParseError::Kind kind, std::size_t offset, std::string_view reason,
                              std::string_view bytes, std::size_t most) {
    failed_ = ParseError{.kind = kind, .offset = offset, .reason = reason};
    if (kind == ParseError::Kind::too_large) {
        failed_->status = 513;
        failed_->most = most;
        failed_->unit = "octets";
    }
    return {.kind = StreamItem::Kind::error, .bytes = bytes, .error = *failed_};
}

std::optional<StreamItem> StreamFramer::next() {
    if (failed_) return StreamItem{.kind = StreamItem::Kind::error, .bytes = {}, .error = *failed_};
    const auto rest = std::string_view(buffer_).substr(start_);
    if (rest.empty()) return std::nullopt;
    return rest.front() == '\r' ? keep_alive(rest) : message(rest);
}

// RFC 5626 §3.5.1: a ping is CRLF CRLF, its pong CRLF. RFC 3261 §7.5: CRLF before a message is
// ignored.
std::optional<StreamItem> StreamFramer::keep_alive(std::string_view rest) {
    const bool could_become_ping = blank_line.starts_with(rest);
    if (rest.starts_with(blank_line)) {
        start_ += blank_line.size();
        return StreamItem{.kind = StreamItem::Kind::ping,
                          .bytes = rest.substr(0, blank_line.size()),
                          .error = {}};
    }
    if (rest.size() == 1 || (could_become_ping && side_ == Side::accepted)) return std::nullopt;
    if (rest[1] != '\n')
        return fail(ParseError::Kind::malformed, 0, "CR without LF between messages");
    start_ += crlf.size();
    return StreamItem{
        .kind = StreamItem::Kind::pong, .bytes = rest.substr(0, crlf.size()), .error = {}};
}

std::optional<StreamItem> StreamFramer::message(std::string_view rest) {
    if (needed_ == 0) {
        const auto end = rest.find(blank_line, scanned_);
        const auto head_size =
            end == std::string_view::npos ? rest.size() : end + blank_line.size();
        if (head_size > limits::header_bytes)
            return fail(ParseError::Kind::too_large, limits::header_bytes,
                        "header section too long", rest.substr(0, limits::header_bytes),
                        limits::header_bytes);
        if (end == std::string_view::npos) {
            scanned_ = rest.size() < blank_line.size() ? 0 : rest.size() - blank_line.size() + 1;
            return std::nullopt;
        }
        const auto head = rest.substr(0, head_size);
        const auto [length, reason] = content_length(head);
        // RFC 3261 §18.3, RFC 4475 §3.1.2.3, §3.3.9: without a length nobody knows where the next
        // message begins.
        if (!length) return fail(ParseError::Kind::malformed, head_size, reason, head);
        if (*length > limits::message_bytes - head_size)
            return fail(ParseError::Kind::too_large, head_size, "message too large", head,
                        limits::message_bytes);
        needed_ = head_size + *length;
    }
    if (rest.size() < needed_) return std::nullopt;
    const StreamItem item{
        .kind = StreamItem::Kind::message, .bytes = rest.substr(0, needed_), .error = {}};
    start_ += needed_;
    needed_ = scanned_ = 0;
    return item;
}

}  // namespace holdfast::sip
