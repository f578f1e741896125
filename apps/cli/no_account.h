// Calls without an account: who calls then, and what waits to be called.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "apps/cli/exit_code.h"
#include "apps/cli/options.h"
#include "apps/cli/session.h"
#include "call/options.h"

namespace holdfast::cli {

// Whoever runs the command, at this host: "sip:alice@0.0.0.0"; withheld: "sip:anonymous@0.0.0.0".
std::string own_address(call::Number number);

// What is an account's says nothing without one: the option that was given all the same, in a
// sentence.
std::expected<void, Refusal> check_without_account(const Options& options);

// No account is named: whoever calls this host reaches it, at --local's port or SIP's own (UDP
// 5060).
std::expected<void, Refusal> wait_for_calls(Options& options);

}  // namespace holdfast::cli
