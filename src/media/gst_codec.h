// Encoders, decoders and their (de)payloaders, set up for a call.
#pragma once

#include <cstdint>

#include "media/codecs.h"
#include "media/gst_library.h"
#include "sdp/stream.h"

namespace holdfast::media::gst {

struct EncoderOptions {
    std::uint8_t payload_type = 0;
    Duration ptime{};  // of one packet
    bool saves_silence = false;
};
// From mono sound to RTP packets of `ptime` with this payload type; chain.error() says what is
// missing.
void add_encoder(Chain& chain, const CodecFacts& codec, const EncoderOptions& options);
// From RTP packets to mono sound at `rate`.
void add_decoder(Chain& chain, const CodecFacts& codec, std::uint32_t rate);
// application/x-rtp for what the peer sends with this payload type.
Ref<GstCaps> rtp_caps(const sdp::Codec& codec, std::uint8_t payload_type);

}  // namespace holdfast::media::gst
