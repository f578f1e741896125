// SIP messages out of a byte stream (RFC 3261 §18.3) with the keep-alives of RFC 5626 §3.5.1
// between them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sip/error.h"

namespace holdfast::sip {

struct StreamItem {
    enum class Kind : std::uint8_t {
        message,  // bytes: one whole message, unparsed but for its length
        ping,     // CRLF CRLF: answer with CRLF
        pong,     // CRLF
        error,    // framing is lost: close the connection
    };
    Kind kind = Kind::error;
    // A message whole; of an error the headers, as far as they were read, so that salvage() can
    // answer, or salvage_answer() say what it answers, before the connection is closed. Valid until
    // the next call of feed() or next().
    std::string_view bytes = {};
    ParseError error = {};
};

class StreamFramer {
public:
    // A lone CRLF may be half a ping. Who opened the connection only gets pongs and is told at
    // once; who accepted it waits for the other half.
    enum class Side : std::uint8_t { opened, accepted };
    explicit StreamFramer(Side side = Side::opened) : side_(side) {}

    void feed(std::string_view bytes);
    // Nothing: more bytes are needed. After an error, always that error.
    std::optional<StreamItem> next();
    [[nodiscard]] std::size_t buffered() const { return buffer_.size() - start_; }

private:
    std::optional<StreamItem> keep_alive(std::string_view rest);
    std::optional<StreamItem> message(std::string_view rest);
    StreamItem fail(ParseError::Kind kind, std::size_t offset, std::string_view reason,
                    std::string_view bytes = {}, std::size_t most = 0);

    std::string buffer_;
    std::size_t start_ = 0;    // of what next() has not handed out
    std::size_t scanned_ = 0;  // no end of headers before here
    std::size_t needed_ = 0;   // length of the message at start_, once known
    std::optional<ParseError> failed_;
    Side side_;
};

}  // namespace holdfast::sip
