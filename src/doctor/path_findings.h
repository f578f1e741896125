// Whether large UDP requests get through (RFC 3261 §18.1.1; N8), and whose clock is wrong.
#pragma once

#include "doctor/finding.h"
#include "doctor/seen.h"

namespace holdfast::doctor {

Findings path_findings(const Seen& seen);
Findings clock_findings(const Seen& seen);

}  // namespace holdfast::doctor
