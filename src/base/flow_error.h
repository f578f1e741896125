// Why a flow could not be opened, or is gone.
#pragma once

#include <cstdint>
#include <string_view>

namespace holdfast {

enum class FlowError : std::uint8_t {
    refused,              // RST to our SYN
    reset,                // RST later
    closed_by_peer,       // orderly end
    timed_out,            // connect not done in 10 s, or TCP_USER_TIMEOUT
    port_unreachable,     // ICMP for a datagram
    prohibited,           // ICMP administratively prohibited
    network_unreachable,  // our own network: ENETUNREACH, host or net unreachable (F2: not the
                          // target's fault)
    tls,                  // handshake failed
    certificate,  // the certificate is not for the configured name, expired, self-signed, … (RFC
                  // 5922)
    local_address_gone,
    answer_past_limit,  // no fault of the flow: an answer that is longer than what is read (I8)
};

constexpr std::string_view name_of(FlowError error) {
    switch (error) {
    case FlowError::refused: return "connection refused";
    case FlowError::reset: return "connection reset";
    case FlowError::closed_by_peer: return "connection closed by the server";
    case FlowError::timed_out: return "connection timed out";
    case FlowError::port_unreachable: return "port unreachable (ICMP)";
    case FlowError::prohibited: return "administratively prohibited (ICMP)";
    case FlowError::network_unreachable: return "network unreachable";
    case FlowError::tls: return "TLS handshake failed";
    case FlowError::certificate: return "certificate not accepted";
    case FlowError::local_address_gone: return "local address gone";
    case FlowError::answer_past_limit: return "the answer is past a limit";
    }
    return "?";
}

}  // namespace holdfast
