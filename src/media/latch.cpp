#include "media/latch.h"

namespace holdfast::media {

namespace {

using namespace std::chrono_literals;

constexpr int packets_in_a_row = 3;
constexpr Duration old_source_is_silent = 1s;
constexpr int furthest_ahead = 1500;  // packets: 30 s at 20 ms

}  // namespace

void Latch::describe(Endpoint described) {
    if (described == described_) return;
    described_ = described;
    target_ = described;
    running_ = false;
    candidate_.reset();
}

bool Latch::is_proven(const Endpoint& from, const RtpHeader& header) {
    const bool next = candidate_ && candidate_->from == from && candidate_->ssrc == header.ssrc &&
                      static_cast<std::uint16_t>(candidate_->sequence + 1) == header.sequence;
    candidate_ = Candidate{.from = from,
                           .ssrc = header.ssrc,
                           .sequence = header.sequence,
                           .packets = next ? candidate_->packets + 1 : 1};
    return candidate_->packets >= packets_in_a_row;
}

bool Latch::continues(const RtpHeader& header) const {
    const auto ahead = static_cast<std::int16_t>(header.sequence - stream_.sequence);
    return header.ssrc == stream_.ssrc && ahead > 0 && ahead <= furthest_ahead;
}

bool Latch::admits(Instant now, const Endpoint& from, const RtpHeader& header) const {
    return from == target_ || from == described_ || !running_ ||
           (continues(header) && now - last_ >= old_source_is_silent);
}

Arrival Latch::on_packet(Instant now, const Endpoint& from, const RtpHeader& header) {
    if (from == target_) {
        running_ = true;
        last_ = now;
        stream_ = header;
        return Arrival::expected;
    }
    if (!admits(now, from, header)) return Arrival::dropped;
    const bool proven = is_proven(from, header);
    if (!follow_ || !proven) return running_ ? Arrival::dropped : Arrival::elsewhere;
    target_ = from;
    running_ = true;
    last_ = now;
    stream_ = header;
    candidate_.reset();
    return Arrival::followed;
}

}  // namespace holdfast::media
