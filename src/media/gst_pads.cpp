#include "media/gst_pads.h"

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <utility>

namespace holdfast::media::gst {

namespace {

using namespace std::chrono_literals;

constexpr auto patience_with_streams =
    2s;  // a sink that plays holds a buffer for its latency at most

}  // namespace

Ref<GstPad> pad_of(GstElement* element, const char* name) {
    return Ref<GstPad>{gst_element_get_static_pad(element, name)};
}

void on_buffers(GstPad* pad, GstPadProbeCallback probe, gpointer data) {
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, probe, data, nullptr);
}

void change_samples(GstPadProbeInfo* info,
                    const std::function<void(std::span<std::int16_t>)>& change) {
    GstBuffer* buffer = gst_buffer_make_writable(GST_PAD_PROBE_INFO_BUFFER(info));
    GST_PAD_PROBE_INFO_DATA(info) = buffer;
    gst_buffer_unset_flags(buffer, GST_BUFFER_FLAG_GAP);  // of a microphone that is muted
    GstMapInfo map{};
    if (!gst_buffer_map(buffer, &map, GST_MAP_READWRITE)) return;
    // GStreamer's buffers are aligned for every type.
    change({reinterpret_cast<std::int16_t*>(map.data), map.size / sizeof(std::int16_t)});
    gst_buffer_unmap(buffer, &map);
}

bool between_buffers(GstPad* pad, std::function<void()> work) {
    // Whoever comes first decides: who waits may give up, and then `work` is not begun any more.
    struct Turn {
        std::function<void()> work;
        std::promise<void> done{};
        std::atomic<bool> is_taken = false;
    };
    const auto turn = std::make_shared<Turn>();
    turn->work = std::move(work);
    auto done = turn->done.get_future();
    const auto idle = +[](GstPad*, GstPadProbeInfo*, gpointer data) {
        auto& due = **static_cast<std::shared_ptr<Turn>*>(data);
        if (due.is_taken.exchange(true)) return GST_PAD_PROBE_REMOVE;
        due.work();
        due.done.set_value();
        return GST_PAD_PROBE_REMOVE;
    };
    const auto forget = +[](gpointer data) {
        std::default_delete<std::shared_ptr<Turn>>{}(static_cast<std::shared_ptr<Turn>*>(data));
    };
    const gulong probe =
        gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_IDLE, idle,
                          std::make_unique<std::shared_ptr<Turn>>(turn).release(), forget);
    if (done.wait_for(patience_with_streams) == std::future_status::ready) return true;
    if (turn->is_taken.exchange(true)) {  // it has just begun
        done.wait();
        return true;
    }
    gst_pad_remove_probe(pad, probe);
    return false;
}

void take_out(GstElement* pipeline, GstElement* element) {
    gst_element_set_locked_state(element, TRUE);
    gst_element_set_state(element, GST_STATE_NULL);
    gst_bin_remove(GST_BIN(pipeline), element);
}

}  // namespace holdfast::media::gst
