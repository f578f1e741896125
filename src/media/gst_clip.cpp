#include "media/gst_clip.h"

#include <gst/app/gstappsink.h>

#include <bit>
#include <cstddef>
#include <cstring>

#include "media/gst_library.h"
#include "media/limits.h"

namespace holdfast::media::gst {

namespace {

constexpr GstClockTime slice = 100 * GST_MSECOND;
constexpr int slices = 100;  // with a disk that does not answer: 10 s

bool append(Clip& clip, GstSample* sample) {
    GstBuffer* buffer = gst_sample_get_buffer(sample);
    GstMapInfo map{};
    if (!buffer || !gst_buffer_map(buffer, &map, GST_MAP_READ)) return false;
    const auto before = clip.samples.size();
    clip.samples.resize(before + map.size / sizeof(std::int16_t));
    if (map.size > 0)
        std::memcpy(clip.samples.data() + before, map.data,
                    (clip.samples.size() - before) * sizeof(std::int16_t));
    gst_buffer_unmap(buffer, &map);
    return true;
}

// What the pipeline says went wrong, if it did.
std::string error_of(GstElement* pipeline) {
    const Ref<GstBus> bus{gst_element_get_bus(pipeline)};
    const Ref<GstMessage> message{gst_bus_pop_filtered(bus.get(), GST_MESSAGE_ERROR)};
    return message ? words_of(message.get()) : std::string{};
}

}  // namespace

std::expected<std::shared_ptr<const Clip>, std::string> load_clip(const std::string& path,
                                                                  std::uint32_t rate) {
    const auto failed = [&](const std::string& why) {
        return std::unexpected("cannot play " + path + ": " + why);
    };
    // A child of decodebin comes with its own pads: the description links them when they appear.
    GError* raw = nullptr;
    const auto pipeline =
        owned(gst_parse_launch("filesrc name=file ! decodebin ! audioconvert ! audioresample ! "
                               "appsink name=out sync=false max-buffers=64",
                               &raw));
    const Ref<GError> error{raw};
    if (!pipeline || error)
        return failed(error ? error->message : "GStreamer lacks its basic elements");
    const Ref<GstElement> file{gst_bin_get_by_name(GST_BIN(pipeline.get()), "file")};
    const Ref<GstElement> out{gst_bin_get_by_name(GST_BIN(pipeline.get()), "out")};
    g_object_set(file.get(), "location", path.c_str(), nullptr);
    g_object_set(out.get(), "caps", raw_caps(rate).get(), nullptr);
    gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);

    auto clip = std::make_shared<Clip>(Clip{.rate = rate, .samples = {}});
    const auto most = static_cast<std::size_t>(seconds_of(limits::clip) * rate);
    std::string wrong;
    for (int waited = 0; wrong.empty() && waited < slices;) {
        const Ref<GstSample> sample{gst_app_sink_try_pull_sample(GST_APP_SINK(out.get()), slice)};
        if (!sample) {
            if (gst_app_sink_is_eos(GST_APP_SINK(out.get()))) break;
            wrong = error_of(pipeline.get());
            ++waited;
            continue;
        }
        waited = 0;
        if (!append(*clip, sample.get())) wrong = "its sound cannot be read";
        if (clip->samples.size() > most)
            wrong = "it is longer than " + std::to_string(limits::clip / std::chrono::minutes{1}) +
                    " minutes";
    }
    if (wrong.empty() && clip->samples.empty()) wrong = "there is no sound in it";
    gst_element_set_state(pipeline.get(), GST_STATE_NULL);
    if (!wrong.empty()) return failed(wrong);
    return clip;
}

}  // namespace holdfast::media::gst
