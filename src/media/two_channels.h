// Two mono streams that come in pieces, each with its place in time, as one stereo stream without
// holes: what is missing when its turn comes is silence.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

namespace holdfast::media {

enum class Side : std::uint8_t { left, right };

class TwoChannels {
public:
    // `origin`: the first sample that counts, on the clock of add() and take(). `slack`: samples.
    TwoChannels(std::int64_t origin, std::int64_t slack) : begin_(origin), slack_(slack) {}
    // A piece that begins at sample `at`; within `slack` of the end of its side's last piece, it
    // follows that: clocks that differ a little make no clicks. What is before the part that was
    // taken, or further ahead of it than `furthest`, is dropped; a later piece covers an earlier
    // one.
    void add(Side side, std::int64_t at, std::span<const std::int16_t> samples);
    // Left and right in turn, from where the last one ended up to `until`.
    std::vector<std::int16_t> take(std::int64_t until);
    [[nodiscard]] std::int64_t taken_until() const { return begin_; }

    static constexpr std::int64_t furthest = 480'000;  // samples: 10 s at 48 kHz

private:
    std::int64_t begin_;
    std::int64_t slack_;
    std::array<std::int64_t, 2> next_{};  // where a side's last piece ended
    std::deque<std::array<std::int16_t, 2>> samples_;
};

}  // namespace holdfast::media
