// Sound that another thread makes, on its way into a stream that has its own rhythm: a few frames
// wait, no more. Pure; the owner locks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>

namespace holdfast::media {

class MixIn {
public:
    // Samples per second, of both sides; > 0.
    explicit MixIn(std::uint32_t rate);

    void put(std::span<const std::int16_t> samples);
    // Adds what has come to this frame, at most to full scale. While too little waits, nothing is
    // added: half a frame would crackle.
    void add_to(std::span<std::int16_t> frame);
    [[nodiscard]] std::size_t waiting() const { return samples_.size(); }

private:
    std::size_t reserve_;  // waits before the first is given, and after a gap
    std::size_t most_;     // the oldest beyond it are late, and dropped
    bool flows_ = false;
    std::deque<std::int16_t> samples_;
};

}  // namespace holdfast::media
