// Sessions that hear each other: everyone hears all but oneself. A pipeline of its own beside the
// calls' — what each hears goes in, what each shall send beside its own sound comes out:
//
//   appsrc of a ─ tee ─┬─ audiomixer for b ─ appsink of b
//   appsrc of b ─ tee ─┼─ audiomixer for a ─ appsink of a
//   appsrc of c ─ tee ─┴─ …                                     (each has all others')
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "media/gst_ref.h"
#include "media/mix_in.h"

namespace holdfast::media::gst {

// One session's place in a conference. Its two functions are called from the call's threads.
class Party {
public:
    explicit Party(std::uint32_t rate) : rate_(rate), others_(rate) {}
    Party(const Party&) = delete;
    Party& operator=(const Party&) = delete;
    ~Party() = default;
    void hear(GstBuffer* buffer);               // what the peer says
    void speak(std::span<std::int16_t> frame);  // what the peer will hear: adds the others
    [[nodiscard]] std::uint32_t rate() const { return rate_; }

private:
    friend class Conference;
    void put(std::span<const std::int16_t> samples);

    std::uint32_t rate_;
    std::mutex mutex_;  // guards what follows
    MixIn others_;
    Ref<GstElement> source_;  // none: the conference is over
};

class Conference {
public:
    // At least two parties, in no other conference. Or why not, in words.
    static std::expected<std::unique_ptr<Conference>, std::string> make(
        std::vector<std::shared_ptr<Party>> parties);
    Conference(const Conference&) = delete;
    Conference& operator=(const Conference&) = delete;
    ~Conference();

private:
    explicit Conference(std::vector<std::shared_ptr<Party>> parties);
    std::string build();

    std::vector<std::shared_ptr<Party>> parties_;
    Ref<GstElement> pipeline_;
};

}  // namespace holdfast::media::gst
