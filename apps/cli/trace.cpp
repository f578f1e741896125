#include "apps/cli/trace.h"

#include <algorithm>

#include "sip/redaction.h"

namespace holdfast::cli {

namespace {

constexpr std::size_t streams_most = 64;  // flows come and go; an old one's half message is no loss

// CRLF, four zero bytes (RFC 6223, FreeSWITCH), STUN (its first two bits are zero).
bool is_keep_alive(std::string_view bytes) {
    return bytes.find_first_not_of(std::string_view("\r\n\0", 3)) == std::string_view::npos ||
           static_cast<unsigned char>(bytes.front()) < 4;
}

}  // namespace

std::string traced(std::string_view message) {
    auto text = sip::redact_authorization(message);
    std::erase(text, '\r');
    text = printable(text);
    if (!text.ends_with('\n')) text += '\n';
    if (!text.ends_with("\n\n")) text += '\n';
    return text;
}

void Trace::on_traffic(Instant now, const runtime::Traffic& traffic) {
    if (!is_reliable(traffic.target.transport)) {
        if (!is_keep_alive(traffic.bytes)) print(now, traffic, traffic.bytes);
        return;
    }
    const auto key = std::pair{traffic.flow, traffic.direction};
    if (!streams_.contains(key) && streams_.size() >= streams_most)
        streams_.erase(streams_.begin());
    auto& framer = streams_[key];
    framer.feed(traffic.bytes);
    while (const auto item = framer.next()) {
        if (item->kind == sip::StreamItem::Kind::message) {
            print(now, traffic, item->bytes);
        } else if (item->kind == sip::StreamItem::Kind::error) {
            // Not shown: half a header cannot be told to be a secret.
            streams_.erase(key);
            return print(now, traffic, "(bytes that are no SIP message)\n");
        }
    }
}

void Trace::print(Instant now, const runtime::Traffic& traffic, std::string_view message) {
    const bool sent = traffic.direction == runtime::Direction::sent;
    std::string text =
        clock_.fine_time_of_day(now) + (sent ? " → to " : " ← from ") + traffic.target.to_string() +
        (sent ? ", from " : ", at ") + traffic.local.to_string() +
        (traffic.flow ? ", flow " + std::to_string(traffic.flow.value) : ", no flow of ours") +
        "\n";
    output_.write(text + traced(message));
}

}  // namespace holdfast::cli
