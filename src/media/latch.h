// Symmetric RTP (RFC 4961): where to send when RTP does not come from where the SDP said, which is
// the rule behind a NAT. A pure machine; each packet of the peer is one input.
//
//   1. We send to the address of the SDP until RTP tells more.
//   2. While nothing has come from there, three packets in a row (one SSRC, one sequence, one
//   source)
//      from elsewhere move us there: one forged packet does not.
//   3. The SDP's address wins: three packets from it bring us back.
//   4. A stream that runs is followed to another source only as itself: the same SSRC, its sequence
//      going on, and silence at the old source for a second (a NAT that has bound anew). Other
//      packets from elsewhere are dropped.
//   5. Another address in an answer or offer begins anew.
#pragma once

#include <cstdint>
#include <optional>

#include "base/address.h"
#include "base/time.h"
#include "media/rtp_header.h"

namespace holdfast::media {

enum class Arrival : std::uint8_t {
    expected,   // from where we send to
    elsewhere,  // not from there, and let in: nothing else comes
    followed,   // from elsewhere, and from now on we send there
    dropped,    // from elsewhere while the stream runs
};

class Latch {
public:
    // `follow` false: rules 2 and 4 only tell, we keep to the SDP's address.
    Latch(Endpoint described, bool follow)
        : described_(described), target_(described), follow_(follow) {}

    void describe(Endpoint described);  // rule 5; the same address again changes nothing
    Arrival on_packet(Instant now, const Endpoint& from, const RtpHeader& header);
    // Before it is known to be authentic: could on_packet() let it in? It changes nothing.
    [[nodiscard]] bool admits(Instant now, const Endpoint& from, const RtpHeader& header) const;
    [[nodiscard]] const Endpoint& target() const { return target_; }
    [[nodiscard]] const Endpoint& described() const { return described_; }

private:
    struct Candidate {
        Endpoint from;
        std::uint32_t ssrc = 0;
        std::uint16_t sequence = 0;
        int packets = 0;
    };

    bool is_proven(const Endpoint& from, const RtpHeader& header);
    [[nodiscard]] bool continues(const RtpHeader& header) const;

    Endpoint described_;
    Endpoint target_;
    bool follow_;
    bool running_ = false;  // RTP has come from `target_`
    Instant last_{};        // and when, with which header
    RtpHeader stream_{};
    std::optional<Candidate> candidate_{};
};

}  // namespace holdfast::media
