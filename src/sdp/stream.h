// What calls and media say to each other about sound: values, no SDP text. An application describes
// what it has with LocalStream; what was agreed with the other side comes back as AgreedStream.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/redacted.h"

namespace holdfast::sdp {

// Seen from whoever's description it stands in (RFC 8866 §6.7).
enum class Direction : std::uint8_t { inactive, recvonly, sendonly, sendrecv };

constexpr bool sends(Direction d) { return d == Direction::sendonly || d == Direction::sendrecv; }
constexpr bool receives(Direction d) {
    return d == Direction::recvonly || d == Direction::sendrecv;
}
constexpr Direction make_direction(bool send, bool receive) {
    if (send) return receive ? Direction::sendrecv : Direction::sendonly;
    return receive ? Direction::recvonly : Direction::inactive;
}
// The same from the other side: sendonly and recvonly change places.
constexpr Direction reversed(Direction d) { return make_direction(receives(d), sends(d)); }
// What both allow, seen from the same side.
constexpr Direction common(Direction a, Direction b) {
    return make_direction(sends(a) && sends(b), receives(a) && receives(b));
}

enum class MediaKind : std::uint8_t { audio, video, other };

// One RTP payload format. telephone-event (RFC 4733) and CN (RFC 3389) are codecs as well.
struct Codec {
    std::string name{};            // encoding name, compared ignoring case: "opus", "PCMU", "G722"
    std::uint32_t clock_rate = 0;  // Hz, as in a=rtpmap: G722 says 8000 and samples 16000
    std::uint8_t channels = 1;     // as in a=rtpmap: opus says 2 always (RFC 7587 §7)
    std::string fmtp{};            // parameters of a=fmtp, without the payload type; may be empty
    // 0–127. Of ours to offer: without one a static type (RFC 3551 §6) or a free dynamic one is
    // given. In an AgreedStream it is always set.
    std::optional<std::uint8_t> payload_type{};
    friend bool operator==(const Codec&, const Codec&) = default;
};

// How much we want SRTP. off: RTP/AVP only. optional: an offer has RTP/AVP with a=crypto lines
// ("best effort"), an answer takes what the offer has, secured if it can be. required: RTP/SAVP or
// UDP/TLS/RTP/SAVP, and a stream without is rejected.
enum class Srtp : std::uint8_t { off, optional, required };

// One a=crypto line (RFC 4568 §4).
struct CryptoKey {
    std::uint32_t tag = 1;             // 1–999,999,999; of ours: given by the negotiation
    std::string suite{};               // "AES_CM_128_HMAC_SHA1_80"
    Redacted<std::string> key{};       // key and salt as base64, without "inline:"
    std::string lifetime_and_mki{};    // what follows the key: "2^20|1:4", or empty
    std::string session_parameters{};  // "UNENCRYPTED_SRTCP …", or empty
    friend bool operator==(const CryptoKey&, const CryptoKey&) = default;
};

// Of a certificate for DTLS-SRTP (RFC 8122 §5).
struct Fingerprint {
    std::string hash{};  // "sha-256", lower case
    std::string hex{};   // "4A:AD:…", upper case pairs
    friend bool operator==(const Fingerprint&, const Fingerprint&) = default;
};

// Who opens the DTLS association (RFC 4145 §4, RFC 5763 §5).
enum class Setup : std::uint8_t { active, passive, actpass, holdconn };

struct IceCredentials {
    std::string ufrag{};          // 4–256 characters (RFC 8839 §5.4)
    Redacted<std::string> pwd{};  // 22–256 characters
    friend bool operator==(const IceCredentials&, const IceCredentials&) = default;
};

// a=ssrc with cname (RFC 5576).
struct Source {
    std::uint32_t ssrc = 0;
    std::string cname{};
    friend bool operator==(const Source&, const Source&) = default;
};

// What the application has for one stream: sockets bound, keys made, ICE gathered.
struct LocalStream {
    MediaKind kind = MediaKind::audio;
    std::vector<Codec> codecs{};                    // in order of preference, at least one
    Endpoint rtp{};                                 // where we receive; port not 0
    std::optional<Endpoint> rtcp{};                 // absent: port + 1 (RFC 3550 §11)
    bool rtcp_mux = false;                          // offered and accepted (RFC 5761)
    Direction direction = Direction::sendrecv;      // what we want
    std::optional<std::uint16_t> ptime{};           // ms wanted to receive
    std::optional<std::uint16_t> maxptime{};        // ms at most
    std::optional<std::uint32_t> bandwidth_kbps{};  // b=AS, to receive
    Srtp srtp = Srtp::off;
    std::vector<CryptoKey> crypto{};  // one per suite, in order of preference; empty: no SDES
    std::optional<Fingerprint> fingerprint{};  // set: DTLS is offered and accepted
    Setup setup = Setup::actpass;              // in offers; an answer says active if it may
    std::optional<IceCredentials> ice{};       // set: ICE is offered and accepted
    std::vector<std::string> candidates{};     // values of a=candidate, without "candidate:"
    bool ice_lite = false;
    std::vector<std::string> feedback{};  // values of a=rtcp-fb with "*" ("* nack pli"), RFC 4585
    std::optional<Source> source{};
    friend bool operator==(const LocalStream&, const LocalStream&) = default;
};

// SRTP keyed in SDP: what we send is encrypted with `local`, what we receive with `remote`.
struct AgreedCrypto {
    CryptoKey local{};
    CryptoKey remote{};
    friend bool operator==(const AgreedCrypto&, const AgreedCrypto&) = default;
};

struct AgreedDtls {
    std::vector<Fingerprint> fingerprints{};  // of the peer; one must match its certificate
    bool we_are_active = false;               // we send ClientHello
    friend bool operator==(const AgreedDtls&, const AgreedDtls&) = default;
};

struct AgreedIce {
    IceCredentials remote{};
    std::vector<std::string> candidates{};  // values of a=candidate
    bool remote_lite = false;               // then we are controlling (RFC 8445 §6.1.1)
    bool end_of_candidates = false;
    bool restarted =
        false;  // ufrag or pwd changed against what was agreed before (RFC 8839 §4.4.1)
    bool controlling = false;  // we offered first, or the peer is lite
    friend bool operator==(const AgreedIce&, const AgreedIce&) = default;
};

// What was agreed for one m-line. A rejected one keeps its index and has no codecs.
struct AgreedStream {
    std::size_t index = 0;               // of the m-line
    std::optional<std::size_t> local{};  // of the LocalStream that it is; nothing: none of ours
    MediaKind kind = MediaKind::audio;
    bool rejected = false;
    Direction direction = Direction::inactive;  // what we may do now
    bool held_by_peer = false;  // the peer will not hear us: its sendonly, inactive or c=0.0.0.0
    Endpoint remote_rtp{};      // 0.0.0.0 or :: when an old peer holds: send nothing
    std::optional<Endpoint> remote_rtcp{};       // absent with rtcp_mux
    std::vector<Codec> send{};                   // with the peer's payload types, best first
    std::vector<Codec> receive{};                // with our payload types
    std::optional<std::uint8_t> dtmf_send{};     // telephone-event of the clock rate of send[0]
    std::optional<std::uint8_t> dtmf_receive{};  // the same of what we receive
    std::optional<std::uint16_t> ptime{};        // ms to send
    std::optional<std::uint16_t> maxptime{};     // ms at most to send
    bool rtcp_mux = false;
    std::optional<AgreedCrypto> crypto{};
    std::optional<AgreedDtls> dtls{};
    std::optional<AgreedIce> ice{};
    bool ice_mismatch = false;                      // the peer saw other addresses than we wrote
    std::vector<std::string> feedback{};            // both have: values of a=rtcp-fb with "*"
    std::optional<std::uint32_t> bandwidth_kbps{};  // to respect when sending: AS, else TIAS or CT
    std::optional<Source> source{};                 // of the peer
    friend bool operator==(const AgreedStream&, const AgreedStream&) = default;
};

}  // namespace holdfast::sdp
