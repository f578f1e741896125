// What this side can do with one stream, and what both sides have agreed on: the values that calls
// and media hand to each other. RFC 3264; SDP text is made from and read into them by Negotiation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/redacted.h"
#include "base/time.h"

namespace holdfast::sdp {

enum class Direction : std::uint8_t { sendrecv, sendonly, recvonly, inactive };
constexpr bool sends(Direction d) { return d == Direction::sendrecv || d == Direction::sendonly; }
constexpr bool receives(Direction d) {
    return d == Direction::sendrecv || d == Direction::recvonly;
}
constexpr Direction direction_of(bool sends, bool receives) {
    if (sends) return receives ? Direction::sendrecv : Direction::sendonly;
    return receives ? Direction::recvonly : Direction::inactive;
}
constexpr Direction mirrored(Direction d) { return direction_of(receives(d), sends(d)); }
constexpr Direction both(Direction a, Direction b) {  // what neither forbids
    return direction_of(sends(a) && sends(b), receives(a) && receives(b));
}

enum class MediaKind : std::uint8_t { audio, video, other };

// One format of an RTP stream (RFC 3551 §6, RFC 8866 §6.6). telephone-event (RFC 4733) and CN (RFC
// 3389) are formats like others.
struct Codec {
    std::string name;                 // "opus"; compared without case
    std::uint32_t clock_rate = 8000;  // of the RTP timestamps, Hz; 8000 for G722 (RFC 3551 §4.5.2)
    std::uint8_t channels = 1;
    std::string fmtp{};                         // the value of a=fmtp, "" for none
    std::optional<std::uint8_t> payload_type{};  // of ours: nothing lets Negotiation choose
    friend bool operator==(const Codec&, const Codec&) = default;
};

enum class Srtp : std::uint8_t { off, optional, required };

struct CryptoKey {  // one a=crypto (RFC 4568 §9.1)
    std::uint32_t tag = 1;
    std::string suite;          // "AES_CM_128_HMAC_SHA1_80"
    Redacted<std::string> key;  // "inline:…", as in the attribute
    std::string session{};      // session parameters, "" for none
    friend bool operator==(const CryptoKey&, const CryptoKey&) = default;
};

enum class Setup : std::uint8_t { actpass, active, passive, holdconn };  // RFC 4145 §4

struct Fingerprint {     // RFC 8122 §5
    std::string hash;    // "sha-256"
    std::string digest;  // "4A:AD:…"
    friend bool operator==(const Fingerprint&, const Fingerprint&) = default;
};

struct Ice {  // RFC 8839 §5
    std::string ufrag;
    Redacted<std::string> password;
    std::vector<std::string> candidates{};  // the values of a=candidate
    bool lite = false;
    bool complete = true;  // a=end-of-candidates may be said
    friend bool operator==(const Ice&, const Ice&) = default;
};

struct LocalStream {
    MediaKind kind = MediaKind::audio;
    std::vector<Codec> codecs;  // in order of preference
    Endpoint rtp;               // where we receive
    std::optional<Endpoint> rtcp{};  // nothing: the port above (RFC 3550 §11)
    bool rtcp_mux = false;           // RFC 5761
    Direction direction = Direction::sendrecv;
    std::optional<unsigned> ptime{};      // ms, wished for what we receive
    std::optional<unsigned> bandwidth{};  // kbit/s (b=AS), of what we receive
    std::string cname{};                  // with ssrc: a=ssrc (RFC 5576)
    std::optional<std::uint32_t> ssrc{};
    std::vector<std::string> feedback{};  // values of a=rtcp-fb behind "* " (RFC 4585), video only
    Srtp srtp = Srtp::off;
    std::vector<CryptoKey> crypto{};           // SDES: what we offer, best first
    std::optional<Fingerprint> fingerprint{};  // DTLS-SRTP (RFC 5763): ours
    std::optional<Ice> ice{};
    friend bool operator==(const LocalStream&, const LocalStream&) = default;
};

struct AgreedStream {
    std::size_t index = 0;  // of the m-line; with more than one local stream, see `local`
    std::optional<std::size_t> local{};  // which of the local streams it is; nothing: none of ours
    bool rejected = false;               // port 0; all below is meaningless then
    Direction direction = Direction::sendrecv;  // ours: what we may do now
    bool held_by_peer = false;                  // the other side put us on hold (RFC 3264 §8.4)
    Endpoint rtp{};                             // the other side's
    Endpoint rtcp{};
    std::vector<Codec> send{};     // what we may send, the first is used; the peer's payload types
    std::vector<Codec> receive{};  // what may come; our payload types
    std::optional<std::uint8_t> dtmf_send{};  // telephone-event with the clock of send.front()
    std::optional<std::uint8_t> dtmf_receive{};
    std::optional<unsigned> ptime{};      // ms, of what we send
    std::optional<unsigned> bandwidth{};  // kbit/s, of what we send, at most
    bool rtcp_mux = false;
    // At most one of SDES (both keys) and DTLS (fingerprint); none: plain RTP.
    std::optional<CryptoKey> local_crypto{};
    std::optional<CryptoKey> remote_crypto{};
    std::optional<Fingerprint> remote_fingerprint{};
    bool dtls_active = false;  // we send the ClientHello (RFC 5763 §5)
    std::optional<Ice> remote_ice{};
    bool ice_mismatch = false;   // the peer says that somebody rewrote our address (RFC 8839 §4.2.5)
    bool ice_restarted = false;  // other credentials than before (RFC 8839 §4.4.1.1.1)
    std::vector<std::string> feedback{};
    friend bool operator==(const AgreedStream&, const AgreedStream&) = default;
};

struct Agreement {
    std::vector<AgreedStream> streams;  // one per m-line, in order
    friend bool operator==(const Agreement&, const Agreement&) = default;
};

}  // namespace holdfast::sdp
