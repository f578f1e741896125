// Whether and how a stream is encrypted: SDES (RFC 4568) or DTLS-SRTP (RFC 5763), off, optional or
// required. "Optional" is said as RTP/AVP with keys beside, which a peer that knows none of it
// takes as plain RTP (Deviates: RFC 4568 §7.1.1, as most phones do).
#pragma once

#include <expected>
#include <string>

#include "sdp/description.h"
#include "sdp/stream.h"

namespace holdfast::sdp {

// "RTP/AVP", "RTP/SAVP", "UDP/TLS/RTP/SAVP", each with F if there is feedback (RFC 4585).
std::string protocol_of(const LocalStream& stream);
bool is_rtp(const Media& media);  // a protocol we know

void write_offered_security(const LocalStream& stream, Media& media);

// Decides, fills `agreed`, and writes our part into the answer; `before`: what DTLS there is
// already, or null. Words if the stream must be refused.
std::expected<void, std::string> answer_security(const Description& offer, const Media& offered,
                                                 const LocalStream& stream,
                                                 const AgreedDtls* before, AgreedStream& agreed,
                                                 Media& answer);
std::expected<void, std::string> read_security(const LocalStream& offered,
                                               const Description& answer, const Media& answered,
                                               AgreedStream& agreed);

}  // namespace holdfast::sdp
