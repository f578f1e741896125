#include "media/gst_conference.h"

#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>

#include <utility>

#include "media/gst_library.h"

namespace holdfast::media::gst {

namespace {

constexpr guint64 mixing_delay = 30 * GST_MSECOND;  // bears with packets that come unevenly
constexpr guint64 frame = 20 * GST_MSECOND;
constexpr guint64 waiting_buffers = 16;

}  // namespace

void Party::hear(GstBuffer* buffer) {
    const std::lock_guard lock{mutex_};
    if (!source_) return;
    // Its time is that of the call's pipeline; the conference has its own.
    GstBuffer* copy = gst_buffer_copy(buffer);
    GST_BUFFER_PTS(copy) = GST_CLOCK_TIME_NONE;
    GST_BUFFER_DTS(copy) = GST_CLOCK_TIME_NONE;
    gst_app_src_push_buffer(GST_APP_SRC(source_.get()), copy);
}

void Party::speak(std::span<std::int16_t> frame) {
    const std::lock_guard lock{mutex_};
    others_.add_to(frame);
}

void Party::put(std::span<const std::int16_t> samples) {
    const std::lock_guard lock{mutex_};
    others_.put(samples);
}

std::expected<std::unique_ptr<Conference>, std::string> Conference::make(
    std::vector<std::shared_ptr<Party>> parties) {
    // The constructor is private.
    std::unique_ptr<Conference> conference{new Conference{std::move(parties)}};
    if (auto error = conference->build(); !error.empty())
        return std::unexpected("no conference: " + error);
    return conference;
}

Conference::Conference(std::vector<std::shared_ptr<Party>> parties)
    : parties_(std::move(parties)), pipeline_(owned(gst_pipeline_new("conference"))) {}

Conference::~Conference() {
    for (const auto& party : parties_) {
        const std::lock_guard lock{party->mutex_};
        party->source_.reset();
    }
    gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
}

std::string Conference::build() {
    const Ref<GstClock> clock{gst_system_clock_obtain()};
    gst_pipeline_use_clock(GST_PIPELINE(pipeline_.get()), clock.get());
    GstBin* bin = GST_BIN(pipeline_.get());
    std::vector<GstElement*> tees;
    for (const auto& party : parties_) {
        Chain chain{bin};
        GstElement* source = chain.add("appsrc");
        tees.push_back(chain.add("tee"));
        if (!chain.error().empty()) return chain.error();
        g_object_set(source, "caps", raw_caps(party->rate_).get(), "format", GST_FORMAT_TIME,
                     "is-live", TRUE, "do-timestamp", TRUE, "max-buffers", waiting_buffers,
                     "max-bytes", guint64{0}, nullptr);
        gst_util_set_object_arg(G_OBJECT(source), "leaky-type", "downstream");
        g_object_set(tees.back(), "allow-not-linked", TRUE, nullptr);
        const std::lock_guard lock{party->mutex_};
        party->source_ = shared(source);
    }
    for (std::size_t listener = 0; listener < parties_.size(); ++listener) {
        Party& party = *parties_[listener];
        Chain chain{bin};
        GstElement* mixer = chain.add("audiomixer");
        chain.add_conversion(party.rate_);
        GstElement* sink = chain.add("appsink");
        if (!chain.error().empty()) return chain.error();
        g_object_set(mixer, "latency", mixing_delay, "output-buffer-duration", frame, nullptr);
        g_object_set(sink, "sync", FALSE, "async", FALSE, nullptr);
        GstAppSinkCallbacks callbacks{};
        callbacks.new_sample = [](GstAppSink* from, gpointer data) {
            const Ref<GstSample> sample{gst_app_sink_pull_sample(from)};
            GstBuffer* buffer = sample ? gst_sample_get_buffer(sample.get()) : nullptr;
            GstMapInfo map{};
            if (!buffer || !gst_buffer_map(buffer, &map, GST_MAP_READ)) return GST_FLOW_OK;
            // GStreamer's buffers are aligned for every type.
            static_cast<Party*>(data)->put(
                {reinterpret_cast<const std::int16_t*>(map.data), map.size / sizeof(std::int16_t)});
            gst_buffer_unmap(buffer, &map);
            return GST_FLOW_OK;
        };
        gst_app_sink_set_callbacks(GST_APP_SINK(sink), &callbacks, &party, nullptr);
        for (std::size_t speaker = 0; speaker < parties_.size(); ++speaker) {
            if (speaker == listener) continue;
            // A queue for each way: a mixer that waits for one party must not hold up another.
            Chain way{bin};
            way.add("queue");
            way.add_conversion(party.rate_);
            if (!way.error().empty()) return way.error();
            if (!gst_element_link_pads(tees[speaker], "src_%u", way.first(), "sink") ||
                !gst_element_link_pads(way.last(), "src", mixer, "sink_%u"))
                return "GStreamer cannot link its mixer";
        }
    }
    if (gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE)
        return "GStreamer cannot start its mixer";
    return {};
}

}  // namespace holdfast::media::gst
