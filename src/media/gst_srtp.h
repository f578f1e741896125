// SRTP with keys from SDP (RFC 4568): drawing our own, and the elements that use both sides'.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <string>
#include <vector>

#include "media/gst_ref.h"
#include "media/srtp.h"
#include "sdp/stream.h"

namespace holdfast::media::gst {

// A fresh key for each suite, tagged from 1 on.
std::vector<sdp::CryptoKey> draw_keys(const std::vector<const SrtpSuite*>& suites);

// How often each source's sequence number has begun again (RFC 3711 §3.3.1): what a new decoder
// must know of a stream that goes on.
using Rollovers = std::map<std::uint32_t, std::uint32_t>;

// Holds what a srtpdec asks for while it runs.
class SrtpDecoder {
public:
    // Adds a srtpdec to the bin; or why not, in words without the key.
    static std::expected<std::unique_ptr<SrtpDecoder>, std::string> make(GstBin* bin,
                                                                         const sdp::CryptoKey& key,
                                                                         Rollovers rollovers);
    SrtpDecoder(const SrtpDecoder&) = delete;
    SrtpDecoder& operator=(const SrtpDecoder&) = delete;
    ~SrtpDecoder();
    [[nodiscard]] GstElement* element() const { return element_.get(); }
    [[nodiscard]] Rollovers rollovers() const;

private:
    SrtpDecoder(Ref<GstElement> element, Ref<GstCaps> parameters, Rollovers rollovers);
    Ref<GstCaps> parameters_of(std::uint32_t ssrc);  // from GStreamer's threads, one at a time

    Ref<GstElement> element_;
    Ref<GstCaps> parameters_;
    Rollovers rollovers_;
    std::size_t sources_ = 0;
};

// Adds a srtpenc to the bin, which owns it.
std::expected<GstElement*, std::string> add_srtp_encoder(GstBin* bin, const sdp::CryptoKey& key);

}  // namespace holdfast::media::gst
