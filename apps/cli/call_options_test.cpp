// What a user says about a call, and what is answered to nonsense: what, where, what to do.
#include "apps/cli/call_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
                               {"refuse-transfers", "true"},
                               {"withhold-number", "true"},
                               {"dnd", "true"},
                               {"one-call", "true"},
                               {"auto-answer", "2s"},
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
    EXPECT_FALSE(options->account.follows_transfers);
    EXPECT_TRUE(options->call.withhold_number);
    EXPECT_TRUE(options->incoming.do_not_disturb);
    EXPECT_TRUE(options->incoming.one_call);
    EXPECT_EQ(options->incoming.auto_answer.text(), "2s");
    EXPECT_THAT(options->incoming.deny, ElementsAre("bob", "+49*"));
    EXPECT_THAT(options->call.codecs, ElementsAre("opus", "PCMA"));
    EXPECT_EQ(options->call.ports, (media::PortRange{.first = 20'000, .last = 20'100}));
}

TEST(CallOptions, NonsenseIsNamed) {
    EXPECT_THAT(error_of("audio", "soundcard"), HasSubstr("--audio: \"soundcard\" is no device"));
    EXPECT_THAT(error_of("codec", "G729"),
                HasSubstr("known here: opus, G722, PCMA, PCMU, speex, GSM, L16"));
    EXPECT_THAT(error_of("dtmf", "12x"), HasSubstr("are no digits"));
    EXPECT_THAT(error_of("dtmf", ""), HasSubstr("are no digits"));
    EXPECT_THAT(error_of("srtp", "yes"), HasSubstr("neither off, optional nor required"));
    EXPECT_THAT(error_of("srtp-keys", "zrtp"), HasSubstr("neither any, sdes nor dtls"));
    EXPECT_THAT(error_of("dtmf-by", "info"), HasSubstr("neither auto, events nor tones"));
    EXPECT_THAT(error_of("duration", "0s"), HasSubstr("100ms"));
    EXPECT_THAT(error_of("auto-answer", "yes"), HasSubstr("neither off, asked nor a time"));
    EXPECT_THAT(error_of("deny", " "), HasSubstr("Whom to deny"));
    for (const auto* ports : {"20000", "20100-20000", "80-90", "1-2-3", "20000-70000"})
        EXPECT_THAT(error_of("rtp-ports", ports), HasSubstr("FIRST-LAST")) << ports;
}

// RFC 3966 §5.1.1 for the separators of numbers, RFC 3261 §25.1 for what a user part may hold.
TEST(CalledUri, IsWhatAPersonMeans) {
    constexpr const char* aor = "sip:alice@example.test";
    const auto called = [&](std::string_view text) {
        return called_uri_of(text, aor).value_or("(none)");
    };
    EXPECT_EQ(called("bob"), "sip:bob@example.test");
    EXPECT_EQ(called(" 1001 "), "sip:1001@example.test");
    EXPECT_EQ(called("+49 (30) 12-34"), "sip:+49301234@example.test");
    EXPECT_EQ(called("*21#"), "sip:*21%23@example.test");
    EXPECT_EQ(called("bob@Other.Test"), "sip:bob@other.test");
    EXPECT_EQ(called("SIPS:bob@other.test"), "sips:bob@other.test");
    EXPECT_EQ(called("<sip:bob@other.test>"), "sip:bob@other.test");
    EXPECT_EQ(called("tel:+49-30-1234"), "tel:+49-30-1234");
    EXPECT_EQ(called_uri_of("bob", "sips:alice@example.test").value_or(""),
              "sips:bob@example.test");
}

TEST(CalledUri, NobodyIsSaid) {
    for (const auto* text : {"", "  ", "tel:", "sip:", "bob@", "sip:bob@exa mple.test"}) {
        const auto uri = called_uri_of(text, "sip:alice@example.test");
        EXPECT_FALSE(uri) << text;
        EXPECT_NE(uri ? "" : uri.error(), "") << text;
    }
}

}  // namespace
}  // namespace holdfast::cli
