// RTP payload formats: the static numbers, and which two descriptions name the same one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sdp/description.h"
#include "sdp/stream.h"

namespace holdfast::sdp {

constexpr std::uint8_t first_dynamic = 96;  // RFC 3551 §6
constexpr std::uint8_t last_dynamic = 127;

// What a payload type below 96 means without a=rtpmap (RFC 3551 §6, Tables 4 and 5).
std::optional<Codec> static_codec(std::uint8_t payload_type);
std::optional<std::uint8_t> static_payload_type(const Codec& codec);

// The format of an m-line, from its a=rtpmap or else RFC 3551; with a=fmtp. Nothing: not RTP, or
// malformed.
std::optional<Codec> codec_of(const Media& media, std::string_view format);
std::string rtpmap(const Codec& codec);  // "opus/48000/2"

bool is_telephone_event(const Codec& codec);  // RFC 4733
bool is_comfort_noise(const Codec& codec);    // RFC 3389
inline bool is_sound(const Codec& codec) {
    return !is_telephone_event(codec) && !is_comfort_noise(codec);
}

// A parameter of an fmtp value such as "mode=20;useinbandfec=1" (any case); nothing if absent.
std::optional<std::string> fmtp_parameter(const Codec& codec, std::string_view name);

// Whether the peer's format is one that ours can be sent to and decoded from: same encoding, clock
// and channels, and no fmtp that makes two formats of one name.
bool is_same_format(const Codec& ours, const Codec& theirs);

}  // namespace holdfast::sdp
