// What the transaction machines tell their user (the TU of RFC 3261 §17), and what they are given
// to send.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/ids.h"

namespace holdfast::transaction {

struct Outgoing {
    FlowId flow;
    bool reliable = false;  // the flow's transport: nothing is sent twice
    std::string bytes;
};

enum class ClientResult : std::uint8_t {
    pending,      // nothing for the user
    provisional,  // a 1xx: each is reported
    success,  // INVITE only: a 2xx; each is reported, copies too, and wants its ACK (RFC 6026 §7.2)
    final_response,   // the first final response (INVITE: 300–699; its ACK is sent)
    absorbed,         // a further response that means nothing any more
    timed_out,        // Timer B or F: no final response; the transaction is over
    transport_error,  // the transaction is over
    done,             // Timer D, K or M: it can be forgotten
};
std::string_view name_of(ClientResult result);

enum class ServerResult : std::uint8_t {
    pending,          // nothing for the user
    acknowledged,     // INVITE: ACK for 300–699 came
    ack_for_success,  // INVITE: an ACK in state accepted, for the dialog (RFC 6026 §7.1)
    timed_out,        // INVITE: Timer H, no ACK came for 300–699; the transaction is over
    transport_error,  // a response could not be sent
    done,             // Timer I, J or L: it can be forgotten
};
std::string_view name_of(ServerResult result);

}  // namespace holdfast::transaction
