// DTLS-SRTP (RFC 5763, 5764): our certificate, and one association with the peer, whose certificate
// must be the one that its SDP named.
#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <functional>
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

enum class AssociationEvent : std::uint8_t {
    refused,  // the peer's certificate is not the one that was agreed on
    failed,   // the handshake has come to an end without keys
    ended,    // by the peer, once there were keys: close_notify or a fatal alert (RFC 5246 §7.2)
    alert,    // somebody says without keys that the handshake fails: it goes on (dtls_gate.h)
    anew,     // another source wants the handshake
};

// One association, between one of our ports and one of the peer's.
class Association {
public:
    // `bin` owns the elements and outlives this; or why not, in words. `id` is its own in this
    // process. `tell` is called from GStreamer's threads.
    static std::expected<std::unique_ptr<Association>, std::string> make(
        GstBin* bin, const sdp::AgreedDtls& agreed, const std::string& id,
        std::function<void(AssociationEvent)> tell);
    Association(const Association&) = delete;
    Association& operator=(const Association&) = delete;
    ~Association();

    [[nodiscard]] GstElement* decoder() const { return decoder_.get(); }
    [[nodiscard]] GstElement* encoder() const { return encoder_.get(); }
    // There are keys, and the peer is who it shall be. From any thread.
    [[nodiscard]] bool is_open() const { return keyed_ && verified_ && !over_; }
    // It has failed, or the peer has ended it.
    [[nodiscard]] bool is_over() const { return over_; }
    // Lets pass on this pad of decoder or encoder only what comes when the association is open.
    void guard(GstPad* pad);

private:
    Association(sdp::AgreedDtls agreed, std::function<void(AssociationEvent)> tell);
    // From GStreamer's threads:
    void on_certificate();  // within the handshake
    void on_state();

    sdp::AgreedDtls agreed_;
    std::function<void(AssociationEvent)> tell_;
    Ref<GstElement> decoder_;
    Ref<GstElement> encoder_;
    std::atomic<bool> keyed_{false};
    std::atomic<bool> verified_{false};
    std::atomic<bool> over_{false};
};

}  // namespace holdfast::media::gst
