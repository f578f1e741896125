// Telephone events (RFC 4733): digits as RTP payloads, sent and heard. Pure: the audio's packets
// are the clock.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/time.h"

namespace holdfast::media {

// 0-9, *, #, A-D (RFC 4733 §3.2); none: no digit.
std::optional<std::uint8_t> event_of_digit(char digit);
std::optional<char> digit_of_event(std::uint8_t event);

// Digits and commas only.
bool are_digits(std::string_view text);
std::string refused_digits(std::string_view text);  // why, in words; not which: they may be a PIN
// Within 40 ms and 8 s.
Duration digit_length(Duration wanted);

class DtmfSender {
public:
    struct Packet {  // goes in place of an audio packet
        std::array<std::uint8_t, 4> payload{};
        std::uint32_t timestamp = 0;  // of the event's begin (RFC 4733 §2.1)
        bool marker = false;
    };

    // False: a character is none of "0123456789*#ABCDabcd," or too many wait (limits.h); nothing of
    // it is sent then. A comma is a second of silence. `length` is kept within 40 ms and 8 s.
    bool queue(std::string_view digits, Duration length);

    // For the audio packet that is about to go, with this timestamp, `samples` long in the clock of
    // telephone-event; none: it goes as it is. `samples` > 0.
    std::optional<Packet> replace(std::uint32_t timestamp, std::uint32_t samples,
                                  std::uint32_t clock_rate);

    [[nodiscard]] bool idle() const { return !event_ && pause_ == 0 && waiting_.empty(); }

private:
    struct Waiting {
        char digit = ',';
        Duration length{};
    };
    struct Event {
        std::uint8_t code = 0;
        std::uint32_t timestamp = 0;
        std::uint32_t duration = 0;  // so far
        std::uint32_t length = 0;    // at the end
        int ends = 0;                // how often the end was said
    };

    void begin(std::uint32_t timestamp, std::uint32_t clock_rate);

    std::deque<Waiting> waiting_;
    std::optional<Event> event_;
    std::uint64_t pause_ = 0;  // samples until the next digit may begin
};

// One stream's events. A digit is told with its first packet, whichever of them arrives first.
class DtmfReceiver {
public:
    std::optional<char> on_packet(std::uint32_t timestamp, std::span<const std::uint8_t> payload);

private:
    std::optional<std::uint32_t> last_;  // timestamp of the newest event
};

}  // namespace holdfast::media
