#include "media/gst_library.h"

#include <array>
#include <ranges>

#include "base/check.h"

namespace holdfast::media::gst {

namespace {

// rtpspeexdepay of 1.22 pushes Speex's headers before its segment, which is harmless, and GStreamer
// says so on the user's terminal. All else is said as ever.
void on_warning(const char* domain, GLogLevelFlags level, const char* message, gpointer data) {
    if (std::string_view{message}.find("Got data flow before segment event") !=
        std::string_view::npos)
        return;
    g_log_default_handler(domain, level, message, data);
}

}  // namespace

std::expected<void, std::string> start_library() {
    g_log_set_handler("GStreamer", G_LOG_LEVEL_WARNING, on_warning, nullptr);
    GError* raw = nullptr;
    // No signal handlers, no options of GStreamer's own, no helper that outlives us.
    if (gst_init_check(nullptr, nullptr, &raw)) return {};
    const Ref<GError> error{raw};
    return std::unexpected("GStreamer does not start: " +
                           std::string{error ? error->message : "it says no reason"});
}

bool has_element(std::string_view factory) {
    return Ref<GstElementFactory>{gst_element_factory_find(std::string{factory}.c_str())} !=
           nullptr;
}

std::string missing_for(const CodecFacts& codec) {
    for (const auto element : {codec.encoder, codec.decoder}) {
        if (!has_element(element))
            return "no " + std::string{element} + ": install " + std::string{codec.package};
    }
    for (const auto element : {codec.payloader, codec.depayloader}) {
        if (!has_element(element))
            return "no " + std::string{element} + ": install gstreamer1.0-plugins-good";
    }
    return {};
}

std::vector<CodecSupport> supported_codecs() {
    std::vector<CodecSupport> supported;
    for (const auto& codec : all_codecs()) {
        auto missing = missing_for(codec);
        supported.push_back({.name = std::string{codec.name},
                             .clock_rate = codec.clock_rate,
                             .installed = missing.empty(),
                             .missing = std::move(missing)});
    }
    return supported;
}

GstElement* Chain::add(const char* factory, const char* name) {
    if (!error_.empty()) return nullptr;
    GstElement* element = gst_element_factory_make(factory, name);
    if (!element) {
        error_ = "GStreamer has no element " + std::string{factory};
        return nullptr;
    }
    gst_bin_add(bin_, element);
    if (last() && !gst_element_link(last(), element)) {
        error_ = "GStreamer cannot link " +
                 text_of(Ref<char>{gst_object_get_name(GST_OBJECT(last()))}) + " to " + factory;
        return nullptr;
    }
    elements_.push_back(element);
    return element;
}

void Chain::sync() {
    for (auto* element : std::views::reverse(elements_))
        gst_element_sync_state_with_parent(element);
}

void Chain::add_conversion(std::uint32_t rate) {
    add("audioconvert");
    add("audioresample");
    if (GstElement* filter = add("capsfilter")) {
        g_object_set(filter, "caps", raw_caps(rate).get(), nullptr);
    }
}

Ref<GstCaps> raw_caps(std::uint32_t rate) {
    Ref<GstCaps> caps{gst_caps_new_simple("audio/x-raw", "format", G_TYPE_STRING, "S16LE", "layout",
                                          G_TYPE_STRING, "interleaved", "channels", G_TYPE_INT, 1,
                                          nullptr)};
    if (rate > 0)
        gst_caps_set_simple(caps.get(), "rate", G_TYPE_INT, static_cast<int>(rate), nullptr);
    return caps;
}

void add_ghost(GstElement* bin, const char* name, GstElement* element, const char* pad) {
    const Ref<GstPad> inner{gst_element_get_static_pad(element, pad)};
    CHECK(inner);
    CHECK(gst_element_add_pad(bin, gst_ghost_pad_new(name, inner.get())));
}

std::string words_of(GstMessage* message) {
    GError* raw = nullptr;
    char* details = nullptr;
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
        gst_message_parse_error(message, &raw, &details);
    } else {
        gst_message_parse_warning(message, &raw, &details);
    }
    const Ref<GError> error{raw};
    const Ref<char> freed{details};
    return std::string{error ? error->message : "no reason"} + " (" +
           text_of(Ref<char>{gst_object_get_name(GST_MESSAGE_SRC(message))}) + ")";
}

}  // namespace holdfast::media::gst
