// The one thread on which sessions are built, changed and taken down; GStreamer's own threads carry
// the sound. It runs a GLib main loop of its own, which no other code of the program sees.
#pragma once

#include <chrono>
#include <functional>
#include <thread>

#include "media/gst_ref.h"

namespace holdfast::media::gst {

class Thread {
public:
    Thread();
    Thread(const Thread&) = delete;
    Thread& operator=(const Thread&) = delete;
    ~Thread();  // runs what was posted before, then ends

    void post(std::function<void()> work);  // from any thread; in order
    // Until the result goes.
    [[nodiscard]] Ref<GSource> every(std::chrono::milliseconds interval,
                                     std::function<void()> work);
    // Messages of a pipeline, on this thread, until the result goes.
    [[nodiscard]] Ref<GSource> watch(GstBus* bus, std::function<void(GstMessage*)> work);

private:
    Ref<GMainContext> context_;
    Ref<GMainLoop> loop_;
    std::thread thread_;
};

}  // namespace holdfast::media::gst
