// What DNS says of the account's servers, judged (RFC 3263, RFC 2782; design: L1, L2, L4).
#pragma once

#include "doctor/finding.h"
#include "doctor/seen.h"

namespace holdfast::doctor {

Findings dns_findings(const Seen& seen);

}  // namespace holdfast::doctor
