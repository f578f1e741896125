// The NAT between this host and the servers, as their words show it (RFC 4787, RFC 3581; N1, N5),
// and whether somebody on the way rewrites what we send (a SIP ALG).
#pragma once

#include "doctor/finding.h"
#include "doctor/seen.h"

namespace holdfast::doctor {

Findings nat_findings(const Seen& seen);

}  // namespace holdfast::doctor
