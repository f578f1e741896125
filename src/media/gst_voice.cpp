#include "media/gst_voice.h"

#include <algorithm>
#include <array>

#include "media/gst_source.h"

namespace holdfast::media::gst {

namespace {

constexpr std::array<std::uint32_t, 4> known_rates{8000, 16000, 32000, 48000};

std::expected<Ref<GstElement>, std::string> make(const char* factory, const char* name,
                                                 std::uint32_t rate) {
    if (std::ranges::find(known_rates, rate) == known_rates.end())
        return std::unexpected("echo and noise stay in the microphone's sound: not at " +
                               std::to_string(rate) + " Hz");
    auto* made = gst_element_factory_make(factory, name);
    if (!made)
        return std::unexpected(
            "echo and noise stay in the microphone's sound: GStreamer lacks its element " +
            std::string{factory} + ": install gstreamer1.0-plugins-bad");
    return owned(made);
}

}  // namespace

VoiceEffects effects_of(const Voice& voice, EndKind source) {
    const bool is_microphone = is_device(source);
    return {.echo = voice.echo.value_or(is_microphone),
            .noise = voice.noise.value_or(is_microphone),
            .gain = voice.gain};
}

std::expected<Ref<GstElement>, std::string> make_echo_probe(const std::string& name,
                                                            std::uint32_t rate) {
    return make("webrtcechoprobe", name.c_str(), rate);
}

std::expected<Ref<GstElement>, std::string> make_voice_filter(const VoiceEffects& effects,
                                                              const std::string& probe,
                                                              std::uint32_t rate) {
    auto filter = make("webrtcdsp", nullptr, rate);
    if (!filter) return filter;
    // Devices say badly how late they play and hear.
    g_object_set(filter->get(), "echo-cancel", effects.echo, "probe", probe.c_str(),
                 "delay-agnostic", TRUE, "extended-filter", TRUE, "noise-suppression",
                 effects.noise, "gain-control", effects.gain, nullptr);
    return filter;
}

}  // namespace holdfast::media::gst
