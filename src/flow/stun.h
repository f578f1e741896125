// STUN Binding (RFC 8489, RFC 5389), as far as a keep-alive on the SIP port needs it (RFC 5626
// §4.4.2): does the server answer, and from where does it see us (K1, N4). Text in, values out; no
// retransmission here.
//
//   const auto transaction = new_stun_transaction(random);
//   send(encode_binding_request(transaction));
//   …
//   if (is_stun(datagram))
//       if (const auto message = decode_stun(datagram); message && message->answers(transaction))
//           mapping = message->mapping();
//
// Assumed: UDP, one message a datagram. Left out on purpose: MESSAGE-INTEGRITY (known, not checked:
// a keep-alive has no credentials, so what guards it are 96 random bits), ALTERNATE-SERVER,
// indications' meaning, TCP framing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/random.h"

namespace holdfast::flow {

using StunTransaction = std::array<std::uint8_t, 12>;

// RFC 8489 §6: uniformly random, from a cryptographic source.
StunTransaction new_stun_transaction(Random& random);

// Whether a datagram is STUN and not SIP: first two bits 0, the magic cookie, and a length that is
// a multiple of 4 and ends with the datagram (RFC 8489 §6.3). No SIP text passes: the cookie's
// third byte stands where UTF-8 cannot have it, and a CRLF keep-alive is too short.
bool is_stun(std::string_view datagram);

enum class StunClass : std::uint8_t { request, indication, success, error };

constexpr std::uint16_t stun_binding = 0x001;  // the method
constexpr std::size_t max_unknown_stun_attributes =
    16;                                             // remembered of one message, and sent in one
constexpr std::size_t max_stun_reason_bytes = 763;  // RFC 8489 §14.8

struct StunError {
    int code = 0;        // 300 … 699
    std::string reason;  // UTF-8, not checked
    friend bool operator==(const StunError&, const StunError&) = default;
};

struct StunMessage {
    StunClass kind = StunClass::request;
    std::uint16_t method = stun_binding;
    StunTransaction transaction{};
    std::optional<Endpoint> mapped;      // XOR-MAPPED-ADDRESS, else MAPPED-ADDRESS
    std::optional<StunError> error;      // ERROR-CODE
    std::vector<std::uint16_t> unknown;  // comprehension-required and unknown to us: the first 16
    std::vector<std::uint16_t>
        unknown_there;             // UNKNOWN-ATTRIBUTES of a 420: what of ours they did not know
    bool has_fingerprint = false;  // and it was right; a wrong one is malformed

    // A Binding response to this transaction: the server lives, whatever it says.
    [[nodiscard]] bool answers(const StunTransaction& asked) const;
    // The mapping, if this is a success that we understand in full (RFC 8489 §6.3.3).
    [[nodiscard]] std::optional<Endpoint> mapping() const;
};

enum class StunMalformed : std::uint8_t {
    not_stun,     // is_stun() is false
    attribute,    // one reaches past the end, or its value cannot be what its type says
    fingerprint,  // FINGERPRINT is wrong or not the last attribute (RFC 8489 §14.7)
};

std::expected<StunMessage, StunMalformed> decode_stun(std::string_view datagram);

// All with FINGERPRINT as the last attribute, and without SOFTWARE.
std::string encode_binding_request(const StunTransaction& transaction);
// For a server (the lab's): what the request's source looked like from here.
std::string encode_binding_success(const StunTransaction& transaction, const Endpoint& mapped);
// code 300 … 699; the reason is cut at 763 bytes; `unknown` (at most 16) only with 420.
std::string encode_binding_error(const StunTransaction& transaction, const StunError& error,
                                 const std::vector<std::uint16_t>& unknown = {});

}  // namespace holdfast::flow
