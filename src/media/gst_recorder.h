// A call's recording: what we send left, what we hear right. A pipeline of its own, so that a full
// disk or a broken encoder does not touch the call.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>

#include "base/time.h"
#include "media/gst_ref.h"
#include "media/two_channels.h"

namespace holdfast::media::gst {

class Recorder {
public:
    // WAV; Opus for a name that ends in .opus or .ogg, MP3 for .mp3. `rate`: of the sound; `now`:
    // the call's running time, from which on it is recorded. Or why not, in words.
    static std::expected<std::unique_ptr<Recorder>, std::string> make(const std::string& path,
                                                                      std::uint32_t rate,
                                                                      Duration now);
    Recorder(const Recorder&) = delete;
    Recorder& operator=(const Recorder&) = delete;
    ~Recorder();  // stops, if stop() was not called

    // From the call's threads; `at`: the call's running time of the first sample.
    void add(Side side, Duration at, std::span<const std::int16_t> samples);
    // Writes what has come by now, but for the last moments, in which a late piece may still come.
    // Call it a few times a second. An error ends the recording: its words.
    std::optional<std::string> flush(Duration now);
    // The rest, and the file's end. Waits for the disk, at most 2 s. The length, or why it is not
    // whole.
    std::expected<Duration, std::string> stop(Duration now);
    [[nodiscard]] const std::string& path() const { return path_; }

private:
    Recorder(std::string path, std::uint32_t rate, Duration now, Ref<GstElement> pipeline,
             Ref<GstElement> source);
    void write(std::int64_t until);
    [[nodiscard]] std::int64_t sample_at(Duration at) const;

    std::string path_;
    std::uint32_t rate_;
    std::int64_t origin_;
    std::mutex mutex_;  // guards channels_
    TwoChannels channels_;
    Ref<GstElement> pipeline_;
    Ref<GstElement> source_;
    bool stopped_ = false;
};

}  // namespace holdfast::media::gst
