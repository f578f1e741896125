// Whether a request for the AOR arrives, through each server (R1, R2).
#pragma once

#include "doctor/finding.h"
#include "doctor/seen.h"

namespace holdfast::doctor {

Findings reach_findings(const Seen& seen);

}  // namespace holdfast::doctor
