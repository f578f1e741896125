#include "media/gst_source.h"

#include <gst/app/gstappsrc.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "media/gst_clip.h"
#include "media/gst_library.h"

namespace holdfast::media::gst {

namespace {

// A thread that was held up for longer skips what it missed, instead of sending it in a burst.
constexpr GstClockTime furthest_behind = 200 * GST_MSECOND;

// The frames that wait on their way to the network while the next one is made: one in the appsrc,
// one in the clocksync. The end of a file is told when its last frame has gone, too.
constexpr int frames_ahead = 3;

// Of sound, by a device: what it may hold, and what it gives or takes at a time. The echo of a
// loudspeaker is found if it is heard within some 100 ms (gst_voice.h); both ends count.
constexpr std::chrono::duration<gint64, std::micro> held_by_device{30'000};
constexpr std::chrono::duration<gint64, std::micro> read_at_once{10'000};

struct DeviceElement {
    EndKind kind;
    const char* source;
    const char* sink;
    const char* property;  // of the device's name
    const char* package;
};
constexpr std::array device_elements{
    DeviceElement{.kind = EndKind::standard,
                  .source = "autoaudiosrc",
                  .sink = "autoaudiosink",
                  .property = nullptr,
                  .package = "gstreamer1.0-plugins-good"},
    DeviceElement{.kind = EndKind::pulse,
                  .source = "pulsesrc",
                  .sink = "pulsesink",
                  .property = "device",
                  .package = "gstreamer1.0-plugins-good"},
    DeviceElement{.kind = EndKind::pipewire,
                  .source = "pipewiresrc",
                  .sink = "pipewiresink",
                  .property = "target-object",
                  .package = "gstreamer1.0-pipewire"},
    DeviceElement{.kind = EndKind::alsa,
                  .source = "alsasrc",
                  .sink = "alsasink",
                  .property = "device",
                  .package = "gstreamer1.0-alsa"},
};

const DeviceElement* element_of(EndKind kind) {
    for (const auto& element : device_elements) {
        if (element.kind == kind) return &element;
    }
    return nullptr;
}

void set_times(GstElement* element) {
    // What is to be heard earlier or later than before (jitter_control.h) is, if by more than this.
    if (g_object_class_find_property(G_OBJECT_GET_CLASS(element), "alignment-threshold"))
        g_object_set(element, "alignment-threshold", guint64{8 * GST_MSECOND}, nullptr);
    // GStreamer's own 200 ms are for music. Not all elements have these.
    GObjectClass* known = G_OBJECT_GET_CLASS(element);
    if (g_object_class_find_property(known, "buffer-time"))
        g_object_set(element, "buffer-time", held_by_device.count(), "latency-time",
                     read_at_once.count(), nullptr);
}

// `element`: null where there is none. What chooses a device by itself has one within.
void set_up(GstElement* element, const DeviceElement& facts, const std::string& name) {
    if (!element) return;
    if (facts.property) g_object_set(element, facts.property, name.c_str(), nullptr);
    set_times(element);
    if (!GST_IS_BIN(element)) return;
    const auto added = +[](GstBin*, GstBin*, GstElement* within, gpointer) { set_times(within); };
    g_signal_connect(element, "deep-element-added", G_CALLBACK(added), nullptr);
}

// The running time of the element's pipeline; none before it runs.
GstClockTime running_time_of(GstElement* element) {
    const Ref<GstClock> clock{gst_element_get_clock(element)};
    if (!clock) return 0;
    const GstClockTime now = gst_clock_get_time(clock.get());
    const GstClockTime base = gst_element_get_base_time(element);
    return now > base ? now - base : 0;
}

void on_need_data(GstAppSrc* appsrc, guint /*length*/, gpointer generator) {
    auto& frames = **static_cast<std::shared_ptr<Generator>*>(generator);
    gst_app_src_push_buffer(appsrc,
                            frames.frame_at(running_time_of(GST_ELEMENT(appsrc))).release());
}

void forget(gpointer generator) {
    std::default_delete<std::shared_ptr<Generator>>{}(
        static_cast<std::shared_ptr<Generator>*>(generator));
}

}  // namespace

std::expected<void, std::string> set_waveform(Generator& generator, const AudioEnd& end,
                                              std::uint32_t rate) {
    if (end.kind == EndKind::null) generator.change([](Waveform& waveform) { waveform.silence(); });
    if (end.kind == EndKind::tone) {
        const auto hertz = parse_number<std::uint32_t>(end.name);
        if (!hertz || *hertz == 0 || *hertz > 20000)
            return std::unexpected("`tone:" + end.name + "` is no tone: say hertz, as in tone:440");
        generator.change([&](Waveform& waveform) {
            waveform.play(Tone{.hertz = {static_cast<double>(*hertz), 0}});
        });
    }
    if (end.kind == EndKind::file) {
        const auto clip = load_clip(end.name, rate);
        if (!clip) return std::unexpected(clip.error());
        generator.change([&](Waveform& waveform) { waveform.play(*clip, end.loop); });
    }
    return {};
}

bool is_device(EndKind kind) { return element_of(kind) != nullptr; }

Generator::Generator(std::uint32_t rate, Duration frame, SourceOwner owner)
    : waveform_(rate),
      samples_(static_cast<std::size_t>(seconds_of(frame) * rate)),
      owner_(std::move(owner)) {
    CHECK(samples_ > 0);
}

void Generator::change(const std::function<void(Waveform&)>& change) {
    const std::lock_guard lock{mutex_};
    change(waveform_);
    begun_ = false;
}

Ref<GstBuffer> Generator::frame_at(GstClockTime running_time) {
    Ref<GstBuffer> buffer{
        gst_buffer_new_allocate(nullptr, samples_ * sizeof(std::int16_t), nullptr)};
    GstMapInfo map{};
    CHECK(buffer && gst_buffer_map(buffer.get(), &map, GST_MAP_WRITE));
    bool ended = false;
    GstClockTime length = 0;
    {
        const std::lock_guard lock{mutex_};
        // GStreamer's buffers are aligned for every type.
        const std::span frame{reinterpret_cast<std::int16_t*>(map.data), samples_};
        begun_ = begun_ || owner_.is_heard();
        if (begun_)
            ended = waveform_.fill(frame);
        else
            std::ranges::fill(frame, std::int16_t{0});
        length = samples_ * GST_SECOND / waveform_.rate();
    }
    gst_buffer_unmap(buffer.get(), &map);
    if (next_ == GST_CLOCK_TIME_NONE || next_ + furthest_behind < running_time)
        next_ = running_time;
    GST_BUFFER_PTS(buffer.get()) = next_;
    GST_BUFFER_DURATION(buffer.get()) = length;
    next_ += length;
    if (ended) frames_to_end_ = frames_ahead;
    if (frames_to_end_ > 0) {
        --frames_to_end_;
        if (frames_to_end_ == 0) owner_.on_end();
    }
    return buffer;
}

std::expected<Source, std::string> make_source(const AudioEnd& end, std::uint32_t rate,
                                               Duration frame, SourceOwner owner) {
    auto bin = owned(gst_bin_new("source"));
    Chain chain{GST_BIN(bin.get())};
    if (const auto* device = element_of(end.kind)) {
        if (!has_element(device->source))
            return std::unexpected("no " + std::string{name_of(end.kind)} + " devices: install " +
                                   device->package);
        set_up(chain.add(device->source, device_name), *device, end.name);
        chain.add_conversion(rate);
        if (!chain.error().empty()) return std::unexpected(chain.error());
        add_ghost(bin.get(), "src", chain.last(), "src");
        return Source{.bin = std::move(bin), .generator = nullptr};
    }
    auto generator = std::make_shared<Generator>(rate, frame, std::move(owner));
    if (const auto set = set_waveform(*generator, end, rate); !set)
        return std::unexpected(set.error());
    GstElement* appsrc = chain.add("appsrc");
    chain.add("clocksync");  // real time: a frame goes when its moment has come
    if (!chain.error().empty()) return std::unexpected(chain.error());
    g_object_set(appsrc, "caps", raw_caps(rate).get(), "format", GST_FORMAT_TIME, "is-live", TRUE,
                 nullptr);
    GstAppSrcCallbacks callbacks{};
    callbacks.need_data = on_need_data;
    gst_app_src_set_callbacks(GST_APP_SRC(appsrc), &callbacks,
                              std::make_unique<std::shared_ptr<Generator>>(generator).release(),
                              forget);
    add_ghost(bin.get(), "src", chain.last(), "src");
    return Source{.bin = std::move(bin), .generator = std::move(generator)};
}

std::expected<Ref<GstElement>, std::string> make_sink(const AudioEnd& end) {
    auto bin = owned(gst_bin_new("sink"));
    Chain chain{GST_BIN(bin.get())};
    if (const auto* device = element_of(end.kind)) {
        if (!has_element(device->sink))
            return std::unexpected("no " + std::string{name_of(end.kind)} + " devices: install " +
                                   device->package);
        // A device that is gone must not stop the network's thread: the session puts another in its
        // place.
        if (GstElement* ignore = chain.add("errorignore"))
            gst_util_set_object_arg(G_OBJECT(ignore), "convert-to", "ok");
        chain.add("audioconvert");
        chain.add("audioresample");
        set_up(chain.add(device->sink, device_name), *device, end.name);
    } else if (end.kind == EndKind::null) {
        // Nothing waits for its time here: who records or measures it looks at the buffers
        // themselves.
        if (GstElement* sink = chain.add("fakesink")) {
            g_object_set(sink, "sync", FALSE, "async", FALSE, nullptr);
        }
    } else {
        return std::unexpected("`" + end.to_string() + "` plays nothing: give a device, or `null`");
    }
    if (!chain.error().empty()) return std::unexpected(chain.error());
    add_ghost(bin.get(), "sink", chain.first(), "sink");
    return bin;
}

}  // namespace holdfast::media::gst
