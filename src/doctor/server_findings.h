// Each server by each transport, judged: does it answer, how fast, with what certificate (F2, F9;
// RFC 5922), and is one address family dead while the other lives (RFC 8305).
#pragma once

#include <cstdint>

#include "doctor/finding.h"
#include "doctor/seen.h"

namespace holdfast::doctor {

// unixtime: now, in seconds since 1970.
Findings server_findings(const Seen& seen, std::int64_t unixtime);

// Whether it has answered anything at all: an OPTIONS or a REGISTER.
bool is_alive(const ServerSeen& server);

}  // namespace holdfast::doctor
