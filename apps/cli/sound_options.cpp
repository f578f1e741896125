#include "apps/cli/sound_options.h"

#include "apps/cli/call_options.h"
#include "apps/cli/options.h"

namespace holdfast::cli {

namespace {

using Applied = std::expected<void, std::string>;

// auto: what suits the device.
Applied apply_effect(std::optional<bool>& effect, std::string_view value) {
    if (value == "auto")
        effect.reset();
    else if (value == "on" || value == "off")
        effect = value == "on";
    else
        return wrong(value, "is neither auto, on nor off");
    return {};
}

// A loudspeaker, or a file in its place; of a relative one the directory is the present one.
Applied apply_sink(std::optional<media::AudioEnd>& place, std::string_view value) {
    auto end = media::AudioEnd::parse(value);
    if (!end || end->kind == media::EndKind::tone || end->loop)
        return wrong(value,
                     "is no device to hear with: default, null, file:PATH, pulse:NAME, "
                     "pipewire:NAME or alsa:NAME");
    place = *std::move(end);
    return {};
}

}  // namespace

Applied apply_audio(Options& options, std::string_view value, bool) {
    const auto end = media::AudioEnd::parse(value);
    if (!end)
        return wrong(value,
                     "is no device: default, null, tone:HERTZ, file:PATH, loop:PATH, pulse:NAME, "
                     "pipewire:NAME or alsa:NAME");
    options.call.audio = *end;
    return {};
}

Applied apply_microphone(Options& options, std::string_view value, bool) {
    const auto end = media::AudioEnd::parse(value);
    if (!end)
        return wrong(value,
                     "is no microphone: default, null, tone:HERTZ, file:PATH, loop:PATH, "
                     "pulse:NAME, pipewire:NAME or alsa:NAME");
    options.call.microphone = *end;
    return {};
}

Applied apply_speaker(Options& options, std::string_view value, bool) {
    const auto end = media::AudioEnd::parse(value);
    if (!end || end->kind == media::EndKind::tone || end->kind == media::EndKind::file)
        return wrong(value,
                     "is no loudspeaker: default, null, pulse:NAME, pipewire:NAME or alsa:NAME");
    options.call.speaker = *end;
    return {};
}

Applied apply_echo_cancel(Options& options, std::string_view value, bool) {
    return apply_effect(options.call.voice.echo, value);
}

Applied apply_noise_suppression(Options& options, std::string_view value, bool) {
    return apply_effect(options.call.voice.noise, value);
}

Applied apply_auto_gain(Options& options, std::string_view value, bool) {
    return flag(options.call.voice.gain, value);
}

Applied apply_vad(Options& options, std::string_view value, bool) {
    return flag(options.call.saves_silence, value);
}

Applied apply_ring_device(Options& options, std::string_view value, bool) {
    return apply_sink(options.call.ring_device, value);
}

Applied apply_tone_device(Options& options, std::string_view value, bool) {
    return apply_sink(options.call.tone_device, value);
}

// Whether it is there is asked when a phone starts: the same file serves other commands.
Applied apply_ring_file(Options& options, std::string_view value, bool) {
    options.call.ring_file = value;
    return {};
}

Applied apply_tones(Options& options, std::string_view value, bool) {
    auto& tones = options.call.tones;
    if (value == "europe")
        tones = media::Tones::europe;
    else if (value == "north-america")
        tones = media::Tones::north_america;
    else if (value == "off")
        tones = std::nullopt;
    else
        return wrong(value, "is neither europe, north-america nor off");
    return {};
}

}  // namespace holdfast::cli
