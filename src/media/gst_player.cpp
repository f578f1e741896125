#include "media/gst_player.h"

#include <gst/app/gstappsink.h>

#include <chrono>
#include <span>
#include <utility>

#include "media/gst_library.h"

namespace holdfast::media::gst {

namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t signal_rate = 16000;  // of a signal's sound, Hz
constexpr Duration signal_frame = 20ms;

// On the pipeline's thread.
GstFlowReturn write_sample(GstAppSink* sink, gpointer file) {
    const Ref<GstSample> sample{gst_app_sink_pull_sample(sink)};
    GstBuffer* buffer = sample ? gst_sample_get_buffer(sample.get()) : nullptr;
    GstMapInfo map{};
    if (!buffer || !gst_buffer_map(buffer, &map, GST_MAP_READ)) return GST_FLOW_ERROR;
    // GStreamer's buffers are aligned for every type.
    const std::span samples{reinterpret_cast<const std::int16_t*>(map.data),
                            map.size / sizeof(std::int16_t)};
    const bool written = (*static_cast<std::shared_ptr<WavFile>*>(file))->append(samples);
    gst_buffer_unmap(buffer, &map);
    if (written) return GST_FLOW_OK;
    GST_ELEMENT_ERROR(sink, RESOURCE, WRITE, ("the file is full"), (nullptr));
    return GST_FLOW_ERROR;
}

void forget_file(gpointer file) {
    std::default_delete<std::shared_ptr<WavFile>>{}(static_cast<std::shared_ptr<WavFile>*>(file));
}

}  // namespace

Player::~Player() { stop(); }

void Player::play(const in::Play& wanted) {
    stop();
    if (wanted.signal == Signal::none || wanted.sink.kind == EndKind::null) return;
    playing_ = wanted;
    failed_ = false;
    if (auto begun = begin(wanted); !begun) {
        stop();
        events_.push(out::NotPlayed{.signal = wanted.signal, .sentence = std::move(begun.error())});
    }
}

std::expected<void, std::string> Player::begin(const in::Play& wanted) {
    auto source = make_source({}, signal_rate, signal_frame,
                              {.is_heard = [] { return true; }, .on_end = [] {}});
    if (!source) return std::unexpected(std::move(source.error()));
    set_sound(*source->generator, wanted);
    auto sink = sink_for(wanted.sink);
    if (!sink) return std::unexpected(std::move(sink.error()));
    pipeline_ = owned(gst_pipeline_new("signal"));
    GstElement* from = source->bin.get();
    GstElement* to = sink->get();
    gst_bin_add(GST_BIN(pipeline_.get()), from);
    gst_bin_add(GST_BIN(pipeline_.get()), to);
    if (!gst_element_link(from, to))
        return std::unexpected(wanted.sink.to_string() + ": GStreamer cannot link it");
    if (gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE)
        return std::unexpected(wanted.sink.to_string() + ": " + failure_on_bus());
    const Ref<GstBus> bus{gst_element_get_bus(pipeline_.get())};
    watch_ = thread_.watch(bus.get(), [this](GstMessage* message) { on_message(message); });
    return {};
}

// Somebody who calls is heard of though the file be gone.
void Player::set_sound(Generator& generator, const in::Play& wanted) {
    if (!wanted.file.empty()) {
        auto set = set_waveform(
            generator, {.kind = EndKind::file, .name = wanted.file, .loop = true}, signal_rate);
        if (set) return;
        events_.push(out::NotPlayed{
            .signal = wanted.signal, .sentence = std::move(set.error()), .has_tone = true});
    }
    generator.change(
        [&](Waveform& waveform) { waveform.play(tone_of(wanted.signal, wanted.tones)); });
}

std::expected<Ref<GstElement>, std::string> Player::sink_for(const AudioEnd& end) {
    return end.kind == EndKind::file ? file_sink(end.name) : make_sink(end);
}

std::expected<Ref<GstElement>, std::string> Player::file_sink(const std::string& path) {
    auto& file = files_[path];
    if (!file) {
        auto created = WavFile::create(path, signal_rate);
        if (!created) return std::unexpected(std::move(created.error()));
        file = *std::move(created);
    }
    auto sink = owned(gst_element_factory_make("appsink", nullptr));
    if (!sink) return std::unexpected("no appsink: install gstreamer1.0-plugins-base");
    g_object_set(sink.get(), "caps", raw_caps(signal_rate).get(), "sync", FALSE, "async", FALSE,
                 nullptr);
    GstAppSinkCallbacks callbacks{};
    callbacks.new_sample = write_sample;
    gst_app_sink_set_callbacks(GST_APP_SINK(sink.get()), &callbacks,
                               std::make_unique<std::shared_ptr<WavFile>>(file).release(),
                               forget_file);
    return sink;
}

std::string Player::failure_on_bus() const {
    const Ref<GstBus> bus{gst_element_get_bus(pipeline_.get())};
    const Ref<GstMessage> error{gst_bus_pop_filtered(bus.get(), GST_MESSAGE_ERROR)};
    return error ? words_of(error.get()) : "it cannot be opened";
}

// An element that fails may say so several times.
void Player::on_message(GstMessage* message) {
    if (GST_MESSAGE_TYPE(message) != GST_MESSAGE_ERROR || std::exchange(failed_, true)) return;
    events_.push(out::NotPlayed{.signal = playing_.signal,
                                .sentence = playing_.sink.to_string() + ": " + words_of(message)});
    gst_element_set_state(pipeline_.get(), GST_STATE_NULL);  // its watch runs just now: no stop()
}

void Player::stop() {
    watch_.reset();
    if (pipeline_) gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
    pipeline_.reset();
}

}  // namespace holdfast::media::gst
