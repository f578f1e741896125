#include "media/gst_detector.h"

#include <gst/app/gstappsrc.h>

#include <optional>
#include <utility>

#include "media/dtmf.h"
#include "media/gst_library.h"

namespace holdfast::media::gst {

namespace {

// The digit that a message of dtmfdetect tells.
std::optional<char> digit_of(GstMessage* message) {
    const GstStructure* said = gst_message_get_structure(message);
    int number = 0;
    if (GST_MESSAGE_TYPE(message) != GST_MESSAGE_ELEMENT || !said ||
        !gst_structure_has_name(said, "dtmf-event") ||
        !gst_structure_get_int(said, "number", &number) || number < 0)
        return std::nullopt;
    return digit_of_event(static_cast<std::uint8_t>(number));
}

}  // namespace

std::expected<std::unique_ptr<Detector>, std::string> Detector::make(
    Thread& thread, std::uint32_t rate, std::function<void(char)> on_digit) {
    if (!has_element("dtmfdetect"))
        return std::unexpected(
            "digits in the sound are not heard: no dtmfdetect: install gstreamer1.0-plugins-bad");
    GError* raw = nullptr;
    auto pipeline = owned(gst_parse_launch(
        "appsrc name=in format=time is-live=true max-buffers=64 leaky-type=downstream ! "
        "audioconvert ! audioresample ! dtmfdetect ! fakesink sync=false async=false",
        &raw));
    const Ref<GError> error{raw};
    if (!pipeline || error)
        return std::unexpected("digits in the sound are not heard: " +
                               std::string{error ? error->message : "GStreamer lacks an element"});
    // The constructor is private.
    std::unique_ptr<Detector> detector{new Detector{std::move(pipeline)}};
    g_object_set(detector->source_.get(), "caps", raw_caps(rate).get(), nullptr);
    const Ref<GstBus> bus{gst_element_get_bus(detector->pipeline_.get())};
    detector->watch_ =
        thread.watch(bus.get(), [on_digit = std::move(on_digit)](GstMessage* message) {
            if (const auto digit = digit_of(message)) on_digit(*digit);
        });
    gst_element_set_state(detector->pipeline_.get(), GST_STATE_PLAYING);
    return detector;
}

Detector::Detector(Ref<GstElement> pipeline)
    : pipeline_(std::move(pipeline)),
      source_(gst_bin_get_by_name(GST_BIN(pipeline_.get()), "in")) {}

Detector::~Detector() {
    watch_.reset();
    gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
}

void Detector::add(GstBuffer* buffer) {
    gst_app_src_push_buffer(GST_APP_SRC(source_.get()), gst_buffer_ref(buffer));
}

}  // namespace holdfast::media::gst
