// Where the sound that we send comes from, and where what we hear goes: bins of GStreamer.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "base/time.h"
#include "media/gst_ref.h"
#include "media/types.h"
#include "media/waveform.h"

namespace holdfast::media::gst {

// Both are called from GStreamer's threads.
struct SourceOwner {
    std::function<bool()> is_heard;  // a file or tone begins when what is given now is sent
    std::function<void()> on_end;    // a file that does not loop has ended
};

// Frames of a waveform, made when GStreamer asks for them. Its own thread calls fill(); the session
// changes what is played.
class Generator {
public:
    Generator(std::uint32_t rate, Duration frame, SourceOwner owner);

    void change(const std::function<void(Waveform&)>& change);
    Ref<GstBuffer> frame_at(GstClockTime running_time);  // called by its appsrc

private:
    std::mutex mutex_;
    Waveform waveform_;
    std::size_t samples_;  // of one frame
    SourceOwner owner_;
    bool begun_ = false;  // what is played
    GstClockTime next_ = GST_CLOCK_TIME_NONE;
    int frames_to_end_ = 0;
};

struct Source {
    Ref<GstElement> bin;                   // with a pad "src": mono sound in real time
    std::shared_ptr<Generator> generator;  // none: a device
};

// `frame`: how much sound one buffer holds. Or why not, in words.
std::expected<Source, std::string> make_source(const AudioEnd& end, std::uint32_t rate,
                                               Duration frame, SourceOwner owner);
// In place, without a seam in the stream; only an end that needs no device. Or why not, in words.
std::expected<void, std::string> set_waveform(Generator& generator, const AudioEnd& end,
                                              std::uint32_t rate);
bool is_device(EndKind kind);
// Of a device's own element in the bins of sources and sinks.
constexpr const char* device_name = "device";

// Where the sound that we hear goes: a bin with a pad "sink". Or why not, in words.
std::expected<Ref<GstElement>, std::string> make_sink(const AudioEnd& end);

}  // namespace holdfast::media::gst
