// What a peer's message says to a person, and what we say to a peer.
#pragma once

#include <string>
#include <string_view>

#include "sdp/negotiation.h"
#include "sip/message.h"

namespace holdfast::call {

// "Busy Here", with the text of a Warning (RFC 3261 §20.43) or Reason (RFC 3326 §2) behind it.
std::string words_of(const sip::Message& response);

// "Bob B. <sip:bob@example.test>"
std::string party_in_words(const sip::NameAddr& address);

// RFC 3326 §2: "Reason: SIP;cause=200;text=\"Call completed elsewhere\"\r\n"
std::string reason_line(int cause, std::string_view text);

// RFC 3261 §9.2 with RFC 3326: why a proxy cancels.
std::string why_cancelled(const sip::Message& cancel);
// Why the other side ended the call: its Reason, or that it hung up.
std::string why_hung_up(const sip::Message& bye);

// Why a dialog is gone (RFC 3261 §12.2.1.2).
std::string not_known(std::string_view words);

constexpr std::string_view bye_lost = "the other side could not be told that the call has ended";

// RFC 3261 §20.43: "Warning: 305 …\r\n", why an offer was not taken.
std::string warning_line(const sdp::Problem& problem);

// A session description is there, and nothing else.
bool has_sdp(const sip::Message& message);
// With a 415 (RFC 3261 §21.4.13).
constexpr std::string_view accept_line = "Accept: application/sdp\r\n";
constexpr std::string_view accept_digits_line =
    "Accept: application/dtmf-relay, application/dtmf\r\n";

}  // namespace holdfast::call
