#include "media/codecs.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace holdfast::media {

namespace {

// Impairments: ITU-T G.113 Appendix I (G.711 with concealment, GSM full rate). Wideband codecs have
// none in the narrowband model: 0, and the robustness of concealment.
constexpr Impairment plain{.equipment = 0, .robustness = 25.1};
constexpr Impairment gsm{.equipment = 20, .robustness = 43};
constexpr Impairment speex{.equipment = 11, .robustness = 19};
constexpr std::string_view good = "gstreamer1.0-plugins-good";

constexpr std::array codecs{
    CodecFacts{.name = "opus",
               .clock_rate = 48000,
               .channels = 2,
               .sample_rate = 48000,
               .fmtp = "useinbandfec=1",
               .encoder = "opusenc",
               .decoder = "opusdec",
               .payloader = "rtpopuspay",
               .depayloader = "rtpopusdepay",
               .package = "gstreamer1.0-plugins-base",
               .impairment = plain},
    CodecFacts{.name = "G722",
               .sample_rate = 16000,
               .payload_type = 9,
               .fmtp = "",
               .encoder = "avenc_g722",
               .decoder = "avdec_g722",
               .payloader = "rtpg722pay",
               .depayloader = "rtpg722depay",
               .package = "gstreamer1.0-libav",
               .impairment = plain},
    CodecFacts{.name = "PCMA",
               .payload_type = 8,
               .fmtp = "",
               .encoder = "alawenc",
               .decoder = "alawdec",
               .payloader = "rtppcmapay",
               .depayloader = "rtppcmadepay",
               .package = good,
               .impairment = plain},
    CodecFacts{.name = "PCMU",
               .payload_type = 0,
               .fmtp = "",
               .encoder = "mulawenc",
               .decoder = "mulawdec",
               .payloader = "rtppcmupay",
               .depayloader = "rtppcmudepay",
               .package = good,
               .impairment = plain},
    CodecFacts{.name = "speex",
               .clock_rate = 16000,
               .sample_rate = 16000,
               .fmtp = "",
               .encoder = "speexenc",
               .decoder = "speexdec",
               .payloader = "rtpspeexpay",
               .depayloader = "rtpspeexdepay",
               .package = good,
               .impairment = speex},
    CodecFacts{.name = "speex",
               .fmtp = "",
               .encoder = "speexenc",
               .decoder = "speexdec",
               .payloader = "rtpspeexpay",
               .depayloader = "rtpspeexdepay",
               .package = good,
               .impairment = speex},
    CodecFacts{.name = "GSM",
               .payload_type = 3,
               .fmtp = "",
               .encoder = "gsmenc",
               .decoder = "gsmdec",
               .payloader = "rtpgsmpay",
               .depayloader = "rtpgsmdepay",
               .package = "gstreamer1.0-plugins-bad",
               .impairment = gsm},
    CodecFacts{.name = "L16",
               .clock_rate = 16000,
               .sample_rate = 16000,
               .fmtp = "",
               .encoder = "audioconvert",
               .decoder = "audioconvert",
               .payloader = "rtpL16pay",
               .depayloader = "rtpL16depay",
               .package = "gstreamer1.0-plugins-base",
               .impairment = plain},
    CodecFacts{.name = "L16",
               .fmtp = "",
               .encoder = "audioconvert",
               .decoder = "audioconvert",
               .payloader = "rtpL16pay",
               .depayloader = "rtpL16depay",
               .package = "gstreamer1.0-plugins-base",
               .impairment = plain},
};

}  // namespace

std::span<const CodecFacts> all_codecs() { return codecs; }

const CodecFacts* find_codec(std::string_view name, std::uint32_t clock_rate) {
    const auto* found = std::ranges::find_if(codecs, [&](const CodecFacts& codec) {
        return codec.clock_rate == clock_rate && equals_ignoring_case(codec.name, name);
    });
    return found == codecs.end() ? nullptr : found;
}

}  // namespace holdfast::media
