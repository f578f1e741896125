// The CANCEL of an INVITE (RFC 3261 §9.1): hop by hop, so it says what the INVITE said.
#pragma once

#include <string>
#include <string_view>

namespace holdfast::transaction {

// invite: the bytes we sent; they parse, for we wrote them. headers: further complete lines
// (Reason, RFC 3326), or "".
std::string cancel_for(std::string_view invite, std::string_view headers = {});

}  // namespace holdfast::transaction
