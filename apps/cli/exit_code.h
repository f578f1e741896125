// What the command ends with. The numbers are a promise to scripts (docs/exit-codes.md): new ones
// are added, none is ever given another meaning.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "runtime/failure.h"

namespace holdfast::cli {

enum class ExitCode : std::uint8_t {
    ok = 0,
    host = 1,
    expectation_broken = 1,  // lab: the one number that two things share
    usage = 2,
    config = 3,
    no_password = 4,
    state_in_use = 5,
    state_unusable = 6,
    port_in_use = 7,
    address_unusable = 8,
    tls_files = 9,
    recording = 10,
    auth_failed = 11,
    refused = 12,
    name_leads_nowhere = 13,
    no_dns = 14,
    certificate = 15,
    no_server = 16,
    not_unregistered = 17,
    undecided = 18,
    promise_broken = 19,
    call_failed = 20,
    no_sound = 21,
    control_socket = 22,
    no_phone = 23,
    not_done = 24,
    doubtful = 25,
    bad = 26,
};

struct ExitCodeText {
    ExitCode code;
    std::string_view meaning;
};
std::span<const ExitCodeText> exit_codes();  // all of them, in order

ExitCode exit_code_of(runtime::FailureKind kind);
constexpr int number_of(ExitCode code) { return static_cast<int>(code); }

}  // namespace holdfast::cli
