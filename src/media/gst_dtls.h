// DTLS-SRTP (RFC 5763, 5764): our certificate, and one association with the peer, whose certificate
// must be the one that its SDP named.
#pragma once

#include <atomic>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "media/gst_ref.h"
#include "sdp/stream.h"

namespace holdfast::media::gst {

// Of the certificate that this process uses for all its calls, made with the first question, which
// takes the time of an RSA key. Or why there is none, in words.
std::expected<sdp::Fingerprint, std::string> own_fingerprint();

// Of a certificate in PEM, with this hash ("sha-256"); none: a hash that is not known or too weak
// to be trusted (RFC 8122 §5), or no certificate.
std::optional<std::string> fingerprint_of(std::string_view pem, std::string_view hash);

// The message that a bin posts when the peer has another certificate: its field "sentence".
constexpr const char* refusal = "holdfast-refusal";

// One association, between one of our ports and one of the peer's.
class Association {
public:
    // `bin` owns the elements and outlives this; or why not, in words. `id` is its own in this
    // process.
    static std::expected<std::unique_ptr<Association>, std::string> make(
        GstBin* bin, const sdp::AgreedDtls& agreed, const std::string& id);
    Association(const Association&) = delete;
    Association& operator=(const Association&) = delete;
    ~Association();

    [[nodiscard]] GstElement* decoder() const { return decoder_.get(); }
    [[nodiscard]] GstElement* encoder() const { return encoder_.get(); }
    // There are keys, and the peer is who it shall be. From any thread.
    [[nodiscard]] bool is_open() const { return keyed_ && verified_; }
    // Lets pass on this pad of decoder or encoder only what comes when the association is open.
    void guard(GstPad* pad);

private:
    Association(GstBin* bin, sdp::AgreedDtls agreed);
    void on_certificate();  // from GStreamer's threads, within the handshake

    GstBin* bin_;
    sdp::AgreedDtls agreed_;
    Ref<GstElement> decoder_;
    Ref<GstElement> encoder_;
    std::atomic<bool> keyed_{false};
    std::atomic<bool> verified_{false};
};

}  // namespace holdfast::media::gst
