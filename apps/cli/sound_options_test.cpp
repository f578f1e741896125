#include "apps/cli/sound_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "apps/cli/call_settings.h"
#include "apps/cli/options.h"

namespace holdfast::cli {
namespace {

using media::AudioEnd;
using media::EndKind;
using ::testing::HasSubstr;

media::SessionOptions sound_with(const std::vector<std::pair<std::string, std::string>>& said) {
    std::vector<Setting> settings;
    for (const auto& [key, value] : said) settings.push_back({key, value, "--" + key});
    Options options;
    const auto applied = apply_settings(options, settings);
    EXPECT_TRUE(applied) << applied.error();
    return settings_of(options.call).sound;
}

std::string refusal_of(const std::string& key, const std::string& value) {
    Options options;
    const std::vector<Setting> settings{{key, value, "--" + key}};
    const auto applied = apply_settings(options, settings);
    return applied ? "" : applied.error();
}

TEST(SoundOptions, MicrophoneAndSpeakerAreOneDeviceUnlessOneIsNamed) {
    const AudioEnd headset{.kind = EndKind::alsa, .name = "hw:1"};
    const AudioEnd room{.kind = EndKind::pulse, .name = "room"};
    const auto both = sound_with({{"audio", "alsa:hw:1"}});
    EXPECT_EQ(both.source, headset);
    EXPECT_EQ(both.sink, headset);
    const auto speaker = sound_with({{"audio", "alsa:hw:1"}, {"speaker", "pulse:room"}});
    EXPECT_EQ(speaker.source, headset);
    EXPECT_EQ(speaker.sink, room);
    const auto microphone = sound_with({{"audio", "alsa:hw:1"}, {"microphone", "tone:440"}});
    EXPECT_EQ(microphone.source.kind, EndKind::tone);
    EXPECT_EQ(microphone.sink, headset);
    // What is played to the other side takes the microphone's place; the speaker stays.
    const auto played = sound_with(
        {{"microphone", "alsa:hw:1"}, {"speaker", "pulse:room"}, {"play", "prompt.wav"}});
    EXPECT_EQ(played.source, (AudioEnd{.kind = EndKind::file, .name = "prompt.wav"}));
    EXPECT_EQ(played.sink, room);
}

TEST(SoundOptions, EffectsSuitTheDeviceUnlessSaid) {
    EXPECT_EQ(sound_with({}).voice, media::Voice{});
    const auto voice =
        sound_with({{"echo-cancel", "off"}, {"noise-suppression", "on"}, {"auto-gain", "true"}})
            .voice;
    EXPECT_EQ(voice.echo, false);
    EXPECT_EQ(voice.noise, true);
    EXPECT_TRUE(voice.gain);
    EXPECT_EQ(sound_with({{"echo-cancel", "auto"}}).voice, media::Voice{});
}

TEST(SoundOptions, SilenceIsSavedIfThatIsSaid) {
    EXPECT_FALSE(sound_with({}).saves_silence);
    EXPECT_TRUE(sound_with({{"vad", "true"}}).saves_silence);
}

TEST(SoundOptions, NonsenseIsNamed) {
    EXPECT_THAT(refusal_of("microphone", "x"), HasSubstr("--microphone: \"x\" is no microphone"));
    for (const auto* speaker : {"x", "tone:440", "file:a.wav", "loop:a.wav"})
        EXPECT_THAT(refusal_of("speaker", speaker), HasSubstr("is no loudspeaker: default, null"));
    EXPECT_THAT(refusal_of("echo-cancel", "true"), HasSubstr("neither auto, on nor off"));
    EXPECT_THAT(refusal_of("noise-suppression", ""), HasSubstr("neither auto, on nor off"));
    EXPECT_THAT(refusal_of("vad", "yes"), HasSubstr("neither true nor false"));
    EXPECT_THAT(refusal_of("auto-gain", "on"), HasSubstr("neither true nor false"));
}

}  // namespace
}  // namespace holdfast::cli
