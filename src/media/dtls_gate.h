// Which datagrams of DTLS reach an association: before it has keys, whoever knows the port can
// write what looks like the other side's. A pure machine; each datagram is one input.
//
//   1. Only whole records (RFC 6347 §4.1). An alert that is not encrypted counts for nothing,
//   though
//      it is told when it comes from the other side's address.
//   2. The handshake is with one source: the SDP's address, or, behind a NAT, the first that
//   speaks.
//      All others are strangers, and the SDP's address has precedence.
//   3. Handshake messages are whole, and the first is the one that begins a handshake. A
//   ClientHello
//      with another random is another handshake, for which the association begins again.
//   4. Without keys after two seconds another source gets its turn, with an association of its own.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/address.h"
#include "base/time.h"

namespace holdfast::media {

class DtlsGate {
public:
    enum class Verdict : std::uint8_t {
        pass,
        drop,
        alert,  // drop; whoever has the other side's address says that the handshake fails
        anew,   // drop; the association must begin again, for another handshake than before
    };
    struct Rules {
        Endpoint described{};
        bool follow = true;   // false: nobody but the SDP's address
        bool active = false;  // we send ClientHello, and whoever gets it is at the SDP's address
        std::vector<Endpoint> strangers{};  // not heard at all
    };
    explicit DtlsGate(Rules rules) : rules_(std::move(rules)) {}

    // `open`: the association has keys, and what it takes is authentic.
    Verdict on_datagram(Instant now, const Endpoint& from, std::span<const std::uint8_t> datagram,
                        bool open);
    void describe(Endpoint described) { rules_.described = described; }
    // With whom the handshake is; none: with nobody yet.
    [[nodiscard]] const std::optional<Endpoint>& peer() const { return peer_; }
    [[nodiscard]] bool is_with_stranger() const { return peer_ && peer_ != rules_.described; }
    // Those who are not heard when the association begins again, as its present one is no use.
    [[nodiscard]] std::vector<Endpoint> strangers() const;

private:
    [[nodiscard]] bool may_begin(const Endpoint& from) const;
    [[nodiscard]] Verdict of_another_source(Instant now, const Endpoint& from) const;

    Rules rules_;
    std::optional<Endpoint> peer_{};
    std::vector<std::uint8_t> client_random_{};  // of the ClientHello that began it
    Instant since_{};
};

}  // namespace holdfast::media
