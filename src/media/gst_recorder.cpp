#include "media/gst_recorder.h"

#include <gst/app/gstappsrc.h>

#include <cstring>
#include <utility>

#include "media/gst_library.h"

namespace holdfast::media::gst {

namespace {

using namespace std::chrono_literals;

constexpr Duration late_piece = 250ms;  // longer than a jitter buffer holds
// The jitter buffer moves its times as it learns the peer's clock and the path's least delay.
constexpr Duration slack = 100ms;
constexpr GstClockTime patience_with_disk = 2 * GST_SECOND;

// The elements between raw sound and the file, for this name.
std::string format_of(const std::string& path) {
    if (path.ends_with(".opus") || path.ends_with(".ogg")) return "opusenc bitrate=48000 ! oggmux";
    if (path.ends_with(".mp3")) return "lamemp3enc ! id3v2mux";
    return "wavenc";
}

std::optional<std::string> error_on(GstElement* pipeline) {
    const Ref<GstBus> bus{gst_element_get_bus(pipeline)};
    const Ref<GstMessage> message{gst_bus_pop_filtered(bus.get(), GST_MESSAGE_ERROR)};
    if (!message) return std::nullopt;
    return words_of(message.get());
}

}  // namespace

std::expected<std::unique_ptr<Recorder>, std::string> Recorder::make(const std::string& path,
                                                                     std::uint32_t rate,
                                                                     Duration now) {
    const auto failed = [&](const std::string& why) {
        return std::unexpected("cannot record to " + path + ": " + why);
    };
    GError* raw = nullptr;
    const std::string description = "appsrc name=in format=time ! audioconvert ! audioresample ! " +
                                    format_of(path) +
                                    " ! filesink name=file async=false sync=false";
    auto pipeline = owned(
        gst_parse_launch_full(description.c_str(), nullptr, GST_PARSE_FLAG_FATAL_ERRORS, &raw));
    const Ref<GError> error{raw};
    if (!pipeline) return failed(error ? error->message : "GStreamer lacks an element");
    Ref<GstElement> source{gst_bin_get_by_name(GST_BIN(pipeline.get()), "in")};
    const Ref<GstElement> file{gst_bin_get_by_name(GST_BIN(pipeline.get()), "file")};
    const auto caps = raw_caps(rate);
    gst_caps_set_simple(caps.get(), "channels", G_TYPE_INT, 2, nullptr);
    g_object_set(source.get(), "caps", caps.get(), nullptr);
    g_object_set(file.get(), "location", path.c_str(), nullptr);
    if (gst_element_set_state(pipeline.get(), GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE) {
        const auto why = error_on(pipeline.get());
        gst_element_set_state(pipeline.get(), GST_STATE_NULL);
        return failed(why.value_or("the file cannot be written"));
    }
    return std::unique_ptr<Recorder>{
        new Recorder{path, rate, now, std::move(pipeline), std::move(source)}};
}

Recorder::Recorder(std::string path, std::uint32_t rate, Duration now, Ref<GstElement> pipeline,
                   Ref<GstElement> source)
    : path_(std::move(path)),
      rate_(rate),
      origin_(sample_at(now)),
      channels_(origin_, sample_at(slack)),
      pipeline_(std::move(pipeline)),
      source_(std::move(source)) {}

Recorder::~Recorder() {
    if (!stopped_) gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
}

std::int64_t Recorder::sample_at(Duration at) const { return at.count() * rate_ / 1'000'000; }

void Recorder::add(Side side, Duration at, std::span<const std::int16_t> samples) {
    const std::lock_guard lock{mutex_};
    channels_.add(side, sample_at(at), samples);
}

void Recorder::write(std::int64_t until) {
    std::vector<std::int16_t> samples;
    std::int64_t from = 0;
    {
        const std::lock_guard lock{mutex_};
        from = channels_.taken_until() - origin_;
        samples = channels_.take(until);
    }
    if (samples.empty()) return;
    const auto bytes = samples.size() * sizeof(std::int16_t);
    GstBuffer* buffer = gst_buffer_new_allocate(nullptr, bytes, nullptr);
    gst_buffer_fill(buffer, 0, samples.data(), bytes);
    GST_BUFFER_PTS(buffer) = static_cast<GstClockTime>(from) * GST_SECOND / rate_;
    GST_BUFFER_DURATION(buffer) = samples.size() / 2 * GST_SECOND / rate_;
    gst_app_src_push_buffer(GST_APP_SRC(source_.get()), buffer);
}

std::optional<std::string> Recorder::flush(Duration now) {
    write(sample_at(now - late_piece));
    auto wrong = error_on(pipeline_.get());
    if (wrong) *wrong = "recording to " + path_ + " ends: " + *wrong;
    return wrong;
}

std::expected<Duration, std::string> Recorder::stop(Duration now) {
    write(sample_at(now));
    stopped_ = true;
    gst_app_src_end_of_stream(GST_APP_SRC(source_.get()));
    const Ref<GstBus> bus{gst_element_get_bus(pipeline_.get())};
    const auto kinds = static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
    const Ref<GstMessage> end{gst_bus_timed_pop_filtered(bus.get(), patience_with_disk, kinds)};
    gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
    if (!end)
        return std::unexpected("the recording " + path_ +
                               " is not whole: the disk does not answer");
    if (GST_MESSAGE_TYPE(end.get()) == GST_MESSAGE_ERROR)
        return std::unexpected("the recording " + path_ + " is not whole: " + words_of(end.get()));
    return Duration{(channels_.taken_until() - origin_) * 1'000'000 / rate_};
}

}  // namespace holdfast::media::gst
