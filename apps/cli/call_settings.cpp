#include "apps/cli/call_settings.h"

namespace holdfast::cli {

media::AudioEnd source_of(const CallOptions& options) {
    return options.play.empty()
               ? options.microphone.value_or(options.audio)
               : media::AudioEnd{.kind = media::EndKind::file, .name = options.play};
}

namespace {
// Of a file or tone only the source is meant: what is heard goes nowhere.
media::AudioEnd sink_of(const CallOptions& options) {
    const bool is_device =
        options.audio.kind != media::EndKind::file && options.audio.kind != media::EndKind::tone;
    return options.speaker.value_or(is_device ? options.audio : media::AudioEnd{});
}
}  // namespace

phone::SignalSettings signals_of(const CallOptions& options) {
    const auto usual = sink_of(options);
    return {.bell = options.ring_device.value_or(usual),
            .bell_file = options.ring_file,
            .ear = options.tones ? options.tone_device.value_or(usual) : media::AudioEnd{},
            .tones = options.tones.value_or(media::Tones::europe)};
}

phone::CallSettings settings_of(const CallOptions& options) {
    phone::CallSettings settings;
    auto& sound = settings.sound;
    sound.source = source_of(options);
    sound.sink = sink_of(options);
    sound.voice = options.voice;
    sound.saves_silence = options.saves_silence;
    sound.codecs = options.codecs;
    sound.ports = options.ports;
    sound.srtp = options.srtp;
    sound.sdes = options.sdes;
    sound.dtls = options.dtls;
    sound.dtmf = options.dtmf_by;
    settings.record = options.record;
    settings.dtmf = options.dtmf;
    settings.info = options.dtmf_info;
    if (options.withhold_number) settings.options.number = call::Number::withheld;
    return settings;
}

}  // namespace holdfast::cli
