// Digits as the tones of a telephone's keys (ITU-T Q.23), put into the sound that is sent: for a
// peer that does not take telephone events. Pure: the sound's samples are the clock.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string_view>

#include "base/time.h"

namespace holdfast::media {

// Of its two tones, in hertz (ITU-T Q.23 table 1); none: no digit. Lower case is A-D as well.
std::optional<std::array<double, 2>> tones_of_digit(char digit);

class DtmfTones {
public:
    // As DtmfSender::queue() has it (dtmf.h): all of it or nothing.
    bool queue(std::string_view digits, Duration length);
    // Writes tones over the voice where a digit is due, and silence over it between two digits,
    // which a detector needs (ITU-T Q.24). True: the last has ended in this frame.
    bool write(std::span<std::int16_t> frame, std::uint32_t rate);
    [[nodiscard]] bool idle() const { return left_ == 0 && !pause_follows_ && waiting_.empty(); }

private:
    struct Waiting {
        char digit = ',';
        Duration length{};
    };

    void begin(std::uint32_t rate);

    std::deque<Waiting> waiting_;
    std::array<double, 2> hertz_{};  // 0: silence, or after a comma the voice
    bool voice_ = false;
    std::uint64_t at_ = 0;    // samples since the begin of this digit or pause
    std::uint64_t left_ = 0;  // samples to its end
    bool pause_follows_ = false;
};

}  // namespace holdfast::media
