#include "media/dtmf.h"

#include <algorithm>

#include "base/check.h"
#include "media/limits.h"

namespace holdfast::media {

namespace {

using namespace std::chrono_literals;

constexpr std::string_view digits_in_order = "0123456789*#ABCD";  // RFC 4733 §3.2, table 3
constexpr Duration shortest = 40ms;
constexpr Duration longest = 8s;
constexpr Duration between_digits = 60ms;
constexpr Duration comma = 1s;
constexpr int times_the_end_is_said = 3;            // RFC 4733 §2.5.1.4
constexpr std::uint32_t longest_duration = 0xffff;  // the field has 16 bits (RFC 4733 §2.3.5)
constexpr std::uint8_t end_bit = 0x80;
constexpr std::uint8_t volume = 10;  // -10 dBm0

char upper(char c) { return c >= 'a' && c <= 'd' ? static_cast<char>(c - 'a' + 'A') : c; }

std::uint64_t samples_of(Duration duration, std::uint32_t clock_rate) {
    return static_cast<std::uint64_t>(duration.count()) * clock_rate / 1'000'000;
}

}  // namespace

std::optional<std::uint8_t> event_of_digit(char digit) {
    const auto at = digits_in_order.find(upper(digit));
    if (at == std::string_view::npos) return std::nullopt;
    return static_cast<std::uint8_t>(at);
}

std::optional<char> digit_of_event(std::uint8_t event) {
    if (event >= digits_in_order.size()) return std::nullopt;
    return digits_in_order[event];
}

bool are_digits(std::string_view text) {
    return std::ranges::all_of(text,
                               [](char c) { return c == ',' || event_of_digit(c).has_value(); });
}

std::string refused_digits(std::string_view text) {
    return std::to_string(text.size()) +
           " digits cannot be sent: they are 0-9 * # A-D, a comma is a pause, and at most " +
           std::to_string(limits::dtmf_digits) + " may wait";
}

Duration digit_length(Duration wanted) { return std::clamp(wanted, shortest, longest); }

bool DtmfSender::queue(std::string_view digits, Duration length) {
    if (!are_digits(digits)) return false;
    if (digits.size() > limits::dtmf_digits - waiting_.size()) return false;
    for (const char digit : digits)
        waiting_.push_back({.digit = digit, .length = digit_length(length)});
    return true;
}

void DtmfSender::begin(std::uint32_t timestamp, std::uint32_t clock_rate) {
    const Waiting next = waiting_.front();
    waiting_.pop_front();
    const auto code = event_of_digit(next.digit);
    if (!code) {
        pause_ = samples_of(comma, clock_rate);
        return;
    }
    const auto length =
        std::min<std::uint64_t>(samples_of(next.length, clock_rate), longest_duration);
    event_ =
        Event{.code = *code, .timestamp = timestamp, .length = static_cast<std::uint32_t>(length)};
}

std::optional<DtmfSender::Packet> DtmfSender::replace(std::uint32_t timestamp,
                                                      std::uint32_t samples,
                                                      std::uint32_t clock_rate) {
    CHECK(samples > 0 && clock_rate > 0);
    if (!event_ && pause_ == 0 && !waiting_.empty()) begin(timestamp, clock_rate);
    if (!event_) {
        pause_ -= std::min<std::uint64_t>(pause_, samples);
        return std::nullopt;
    }
    const bool first = event_->duration == 0;
    event_->duration = std::min(event_->duration + samples, std::max(event_->length, samples));
    event_->duration = std::min(event_->duration, longest_duration);
    const bool ends = event_->duration >= event_->length;
    if (ends) ++event_->ends;
    const Packet packet{
        .payload = {event_->code, static_cast<std::uint8_t>((ends ? end_bit : 0) | volume),
                    static_cast<std::uint8_t>(event_->duration >> 8),
                    static_cast<std::uint8_t>(event_->duration & 0xff)},
        .timestamp = event_->timestamp,
        .marker = first};
    if (event_->ends == times_the_end_is_said) {
        event_.reset();
        pause_ = samples_of(between_digits, clock_rate);
    }
    return packet;
}

std::optional<char> DtmfReceiver::on_packet(std::uint32_t timestamp,
                                            std::span<const std::uint8_t> payload) {
    if (payload.size() < 4) return std::nullopt;
    // An event's packets share its timestamp; what is older comes late and was told.
    if (last_ && static_cast<std::int32_t>(timestamp - *last_) <= 0) return std::nullopt;
    const auto digit = digit_of_event(payload[0]);
    if (digit) last_ = timestamp;
    return digit;
}

}  // namespace holdfast::media
