// How many REGISTERs a second it takes to keep all accounts registered, and whether S3's rate
// allows as many: one that does not lets bindings lapse, for ever and by turns.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "registration/account.h"

namespace holdfast::fleet {

using Accounts = std::map<std::string, registration::AccountConfig>;  // by AOR

// On average, once all are registered: one REGISTER a refresh (B4) and flow, if the servers grant
// what is asked for and accept the nonce that they gave last, and one OPTIONS a proof (R1).
double registers_needed(const Accounts& accounts);
// A sentence if the rate (0: no limit) is less than that, else "".
std::string problem_of_rate(const Accounts& accounts, std::uint32_t registers_per_second);

}  // namespace holdfast::fleet
