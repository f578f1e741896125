// What `holdfast doctor` prints: findings in words, for a person, or as JSON, one object a line.
#pragma once

#include <cstddef>
#include <string>

#include "doctor/finding.h"

namespace holdfast::cli {

struct DoctorReport {
    std::string account;
    std::string when;  // "2026-11-27 17:30 UTC"
    doctor::Findings findings;
    std::string outlook;       // the last paragraph
    bool cut_short = false;    // not all steps were taken
    std::size_t requests = 0;  // SIP requests sent
};

std::string in_words(const DoctorReport& report);
std::string json_lines(const DoctorReport& report);

}  // namespace holdfast::cli
