// The ACK for a final response of 300–699 (RFC 3261 §17.1.1.3). The one for a 2xx is the dialog's.
#pragma once

#include <string>
#include <string_view>

#include "sip/message.h"

namespace holdfast::transaction {

// invite: the bytes we sent; they parse, for we wrote them.
std::string ack_for(std::string_view invite, const sip::Message& response);

}  // namespace holdfast::transaction
