// Any bytes as a stream, whole and in pieces (the first octet says how long): the same messages
// come out, the framer never holds more than a message may be long, and what must not be shown is
// hidden alike.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "sip/limits.h"
#include "sip/redaction.h"
#include "sip/stream.h"

namespace {

using namespace holdfast::sip;

// All messages and keep-alives, one behind the other, and how it ended.
std::string framed(std::string_view stream, std::size_t piece) {
    StreamFramer framer;
    std::string seen;
    while (!stream.empty()) {
        const auto size = std::min(piece, stream.size());
        framer.feed(stream.substr(0, size));
        stream.remove_prefix(size);
        while (const auto item = framer.next()) {
            if (item->kind == StreamItem::Kind::error) return seen + "\nerror";
            CHECK(item->bytes.size() <= limits::message_bytes);
            seen.append(item->bytes);
        }
        CHECK(framer.buffered() <= limits::message_bytes + piece);
    }
    return seen;
}

std::string redacted(std::string_view text, std::size_t piece) {
    AuthorizationRedactor redactor;
    std::string shown;
    for (; !text.empty(); text.remove_prefix(std::min(piece, text.size())))
        shown += redactor.feed(text.substr(0, piece));
    return shown + redactor.finish();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view stream{reinterpret_cast<const char*>(data) + 1, size - 1};
    const auto piece = data[0] + std::size_t{1};
    CHECK(framed(stream, piece) == framed(stream, size));
    CHECK(redacted(stream, piece) == redact_authorization(stream));
    return 0;
}
