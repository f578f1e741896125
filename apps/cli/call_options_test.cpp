// What a user says about a call, and what is answered to nonsense: what, where, what to do.
#include "apps/cli/call_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/cli/call_settings.h"
#include "apps/cli/options.h"

namespace holdfast::cli {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

std::expected<Options, std::string> with(
    const std::vector<std::pair<std::string, std::string>>& said) {
    std::vector<Setting> settings;
    for (const auto& [key, value] : said) settings.push_back({key, value, "--" + key});
    Options options;
    if (const auto applied = apply_settings(options, settings); !applied)
        return std::unexpected(applied.error());
    return options;
}

std::string error_of(const std::string& key, const std::string& value) {
    const auto options = with({{key, value}});
    return options ? "" : options.error();
}

TEST(CallOptions, AreTakenAsTheyAreSaid) {
    const auto options = with({{"account", "Alice@Example.TEST"},
                               {"audio", "pulse:headset"},
                               {"play", "prompt.wav"},
                               {"dtmf", "1,2#"},
                               {"duration", "1.5s"},
                               {"transfer", "1002"},
                               {"prefix", "0"},
                               {"dial-plan", "[1-9]xx"},
                               {"dial-plan", "0900x. ! dear"},
                               {"voicemail", " *97,,1234# "},
                               {"pickup", "**"},
                               {"refuse-transfers", "true"},
                               {"withhold-number", "true"},
                               {"dnd", "true"},
                               {"one-call", "true"},
                               {"auto-answer", "2s"},
                               {"forward", "carol"},
                               {"forward-no-answer", "97"},
                               {"forward-after", "5s"},
                               {"deny", "Bob"},
                               {"deny", "+49*"},
                               {"codec", "opus"},
                               {"codec", "pcma"},
                               {"dtmf-by", "tones"},
                               {"srtp", "required"},
                               {"srtp-keys", "dtls"},
                               {"rtp-ports", "20000-20100"}});
    ASSERT_TRUE(options) << options.error();
    EXPECT_EQ(options->account.aor, "sip:Alice@example.test");
    EXPECT_EQ(options->call.audio.kind, media::EndKind::pulse);
    EXPECT_EQ(options->call.audio.name, "headset");
    EXPECT_EQ(options->call.play, "prompt.wav");
    EXPECT_EQ(options->call.dtmf, "1,2#");
    EXPECT_EQ(options->call.dtmf_by, media::DtmfMethod::in_band);
    EXPECT_EQ(options->call.srtp, sdp::Srtp::required);
    EXPECT_FALSE(options->call.sdes);
    EXPECT_TRUE(options->call.dtls);
    EXPECT_EQ(options->call.duration, 1500ms);
    EXPECT_EQ(options->call.transfer, "1002");
    EXPECT_EQ(options->dialling.prefix, "0");
    ASSERT_EQ(options->dialling.plan.size(), 2U);
    EXPECT_EQ(options->dialling.plan[0].pattern(), "[1-9]xx");
    EXPECT_EQ(options->dialling.plan[1].reason(), "dear");
    EXPECT_EQ(options->dialling.voicemail, "*97,,1234#");
    EXPECT_EQ(options->dialling.pickup, "**");
    EXPECT_FALSE(options->account.follows_transfers);
    EXPECT_TRUE(options->call.withhold_number);
    EXPECT_TRUE(options->incoming.do_not_disturb);
    EXPECT_TRUE(options->incoming.one_call);
    EXPECT_EQ(options->incoming.auto_answer.text(), "2s");
    EXPECT_EQ(options->incoming.forward, (phone::Forwarding{"carol", "", "97", 5s}));
    EXPECT_THAT(options->incoming.deny, ElementsAre("bob", "+49*"));
    EXPECT_THAT(options->call.codecs, ElementsAre("opus", "PCMA"));
    EXPECT_EQ(options->call.ports, (media::PortRange{.first = 20'000, .last = 20'100}));
}

TEST(CallOptions, ADialPlanIsBounded) {
    std::vector<std::pair<std::string, std::string>> rules(phone::plan_rules_most,
                                                           {"dial-plan", "x."});
    EXPECT_TRUE(with(rules));
    rules.emplace_back("dial-plan", "x.");
    const auto past = with(rules);
    ASSERT_FALSE(past);
    EXPECT_EQ(past.error(), "--dial-plan: a dial plan has at most 100 rules");
}

TEST(CallOptions, EmergencyNumbersAreBounded) {
    std::vector<std::pair<std::string, std::string>> numbers(phone::emergency_numbers_most,
                                                             {"emergency", "112"});
    const auto most = with(numbers);
    ASSERT_TRUE(most) << most.error();
    EXPECT_EQ(most->dialling.emergency.size(), phone::emergency_numbers_most);
    numbers.emplace_back("emergency", "112");
    const auto past = with(numbers);
    ASSERT_FALSE(past);
    EXPECT_EQ(past.error(), "--emergency: there are at most 50 emergency numbers");
}

phone::SignalSettings signals_with(const std::vector<std::pair<std::string, std::string>>& said) {
    const auto options = with(said);
    EXPECT_TRUE(options) << options.error();
    return options ? signals_of(options->call) : phone::SignalSettings{};
}

// What nobody has said anything of is as the calls' own sound.
TEST(CallOptions, ItRingsWhereTheCallsAreHeard) {
    using media::AudioEnd;
    const AudioEnd headset{.kind = media::EndKind::pulse, .name = "headset"};
    EXPECT_EQ(signals_with({}).bell, AudioEnd{.kind = media::EndKind::standard});
    auto signals = signals_with({{"audio", "pulse:headset"}});
    EXPECT_EQ(signals.bell, headset);
    EXPECT_EQ(signals.ear, headset);
    EXPECT_EQ(signals.tones, media::Tones::europe);
    for (const auto* audio : {"null", "file:prompt.wav", "tone:440"}) {
        EXPECT_EQ(signals_with({{"audio", audio}}).bell, AudioEnd{}) << audio;
        EXPECT_EQ(signals_with({{"audio", audio}}).ear, AudioEnd{}) << audio;
    }
    signals = signals_with({{"audio", "pulse:headset"},
                            {"ring-device", "file:bell.wav"},
                            {"ring-file", "ring ring.ogg"},
                            {"tone-device", "null"},
                            {"tones", "north-america"}});
    EXPECT_EQ(signals.bell, (AudioEnd{.kind = media::EndKind::file, .name = "bell.wav"}));
    EXPECT_EQ(signals.bell_file, "ring ring.ogg");
    EXPECT_EQ(signals.ear, AudioEnd{});
    EXPECT_EQ(signals.tones, media::Tones::north_america);
    signals = signals_with({{"audio", "pulse:headset"}, {"tones", "off"}});
    EXPECT_EQ(signals.ear, AudioEnd{});
    EXPECT_EQ(signals.bell, headset) << "the bell is none of them";
}

TEST(CallOptions, NonsenseIsNamed) {
    for (const auto* key : {"ring-device", "tone-device"})
        for (const auto* device : {"tone:440", "loop:x.wav", "soundcard", ""})
            EXPECT_THAT(error_of(key, device), HasSubstr("is no device to hear with: default, "))
                << device;
    EXPECT_THAT(error_of("tones", "fr"), HasSubstr("neither europe, north-america nor off"));
    EXPECT_THAT(error_of("audio", "soundcard"), HasSubstr("--audio: \"soundcard\" is no device"));
    EXPECT_THAT(error_of("codec", "G729"),
                HasSubstr("known here: opus, G722, PCMA, PCMU, speex, GSM, L16"));
    EXPECT_THAT(error_of("dtmf", "12x"), HasSubstr("are no digits"));
    EXPECT_THAT(error_of("dtmf", ""), HasSubstr("are no digits"));
    EXPECT_THAT(error_of("srtp", "yes"), HasSubstr("neither off, optional nor required"));
    EXPECT_THAT(error_of("srtp-keys", "zrtp"), HasSubstr("neither any, sdes nor dtls"));
    EXPECT_THAT(error_of("dtmf-by", "x"),
                HasSubstr("neither auto, events, tones, info nor info-plain"));
    EXPECT_THAT(error_of("duration", "0s"), HasSubstr("100ms"));
    EXPECT_THAT(error_of("auto-answer", "yes"), HasSubstr("neither off, asked nor a time"));
    EXPECT_THAT(error_of("deny", " "), HasSubstr("Whom to deny"));
    EXPECT_THAT(error_of("prefix", "0x"), HasSubstr("--prefix: \"0x\" is no prefix"));
    EXPECT_THAT(error_of("prefix", std::string(17, '1')), HasSubstr("1 to 16 of 0-9"));
    EXPECT_THAT(error_of("dial-plan", "[1-"),
                HasSubstr("--dial-plan: \"[1-\" is no rule of a dial plan: this [ has no ]"));
    EXPECT_THAT(error_of("voicemail", "9:7"), HasSubstr("--voicemail: \"9:7\" cannot be called"));
    for (const auto* code : {"pick", "+", "+49"})
        EXPECT_THAT(error_of("pickup", code), HasSubstr("--pickup: \"" + std::string(code) +
                                                        "\" is no pickup code: 1 to 16 of"));
    for (const auto* key : {"prefix", "pickup", "emergency"})
        EXPECT_THAT(error_of(key, "97,4711"), HasSubstr("\"97…\" is no ")) << key;
    for (const auto* number : {"+112", "help", "1 1 2"})
        EXPECT_THAT(error_of("emergency", number), HasSubstr("is no emergency number: 1 to 16 of"));
    for (const auto* ports : {"20000", "20100-20000", "80-90", "1-2-3", "20000-70000"})
        EXPECT_THAT(error_of("rtp-ports", ports), HasSubstr("FIRST-LAST")) << ports;
}

}  // namespace
}  // namespace holdfast::cli
