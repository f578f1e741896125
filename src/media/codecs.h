// The codecs we know: how SDP names them, which plug-ins make them, and in which order we prefer
// them. Facts only; whether a plug-in is installed, GStreamer says (gst_library.h).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "media/quality.h"

namespace holdfast::media {

struct CodecFacts {
    std::string_view name;            // SDP's encoding name
    std::uint32_t clock_rate = 8000;  // of RTP; G.722's is 8000 by an old mistake (RFC 3551 §4.5.2)
    std::uint8_t channels = 1;        // as SDP has them; Opus always says 2 (RFC 7587 §7)
    std::uint32_t sample_rate = 8000;            // of the sound itself
    std::optional<std::uint8_t> payload_type{};  // static (RFC 3551 §6), else dynamic
    std::string_view fmtp;                       // ours
    std::string_view encoder;                    // a GStreamer element
    std::string_view decoder;
    std::string_view payloader;
    std::string_view depayloader;
    std::string_view package;  // of Debian, with the encoder and decoder
    Impairment impairment;
};

// In our order of preference: wideband first, then what everybody has.
std::span<const CodecFacts> all_codecs();
// Any case; the clock rate tells apart those of one name. None: we do not know it.
const CodecFacts* find_codec(std::string_view name, std::uint32_t clock_rate);

}  // namespace holdfast::media
