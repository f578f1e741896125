#include "apps/cli/exit_code.h"

#include <array>

namespace holdfast::cli {

namespace {

constexpr std::array table{
    ExitCodeText{ExitCode::ok,
                 "registered and unregistered again; or what was asked for was printed"},
    ExitCodeText{ExitCode::host,
                 "the host gave no descriptors or no memory, nobody reads the output any more, or "
                 "its end could not be written; lab: an expectation does not hold, an invariant "
                 "broke, or a replay differs"},
    ExitCodeText{
        ExitCode::usage,
        "an unknown command, option, preset or policy key, or a value that is not allowed"},
    ExitCodeText{ExitCode::config,
                 "the configuration file, a scenario file or a recording cannot be used"},
    ExitCodeText{ExitCode::no_password,
                 "no password was given, and there is no terminal to ask for it"},
    ExitCodeText{ExitCode::state_in_use, "another process uses the state directory"},
    ExitCodeText{ExitCode::state_unusable, "the state directory cannot be read or written"},
    ExitCodeText{
        ExitCode::port_in_use,
        "the port given with --local or --metrics, or where calls are waited for, is taken"},
    ExitCodeText{ExitCode::address_unusable,
                 "the address given with --local or --metrics is not one of this host"},
    ExitCodeText{ExitCode::tls_files, "a CA, certificate or key file, or a pin, cannot be used"},
    ExitCodeText{ExitCode::recording, "the recording, or the page of --html, cannot be written"},
    ExitCodeText{ExitCode::auth_failed,
                 "wrong password or user name, or a challenge that cannot be answered"},
    ExitCodeText{ExitCode::refused, "the registration was refused (403, 404, …)"},
    ExitCodeText{ExitCode::name_leads_nowhere,
                 "the name does not exist (NXDOMAIN), or leads to no server"},
    ExitCodeText{ExitCode::no_dns, "no DNS server gave an answer"},
    ExitCodeText{ExitCode::certificate,
                 "a server's certificate was not accepted, and no other server registered us"},
    ExitCodeText{ExitCode::no_server,
                 "no server registered us: silent, connection refused, or answers of 5xx"},
    ExitCodeText{ExitCode::not_unregistered,
                 "was registered, but the server did not answer the un-REGISTER in time"},
    ExitCodeText{ExitCode::undecided,
                 "interrupted before it was known whether the registration succeeds"},
    ExitCodeText{ExitCode::promise_broken,
                 "demo: Holdfast was without reachability for longer than it promises"},
    ExitCodeText{ExitCode::call_failed,
                 "the call was not answered: refused, busy, or nobody there in time"},
    ExitCodeText{ExitCode::no_sound,
                 "the call's sound cannot be had: not installed, no port, no codec, or no "
                 "encryption as it was asked for"},
    ExitCodeText{ExitCode::control_socket,
                 "phone: another phone listens on the control socket, or it cannot be made"},
    ExitCodeText{ExitCode::no_phone, "ctl: no phone listens on the control socket, or it is gone"},
    ExitCodeText{ExitCode::not_done,
                 "ctl: the phone did not do it, and says why: no such call, nobody rings"},
    ExitCodeText{ExitCode::doubtful, "doctor: nothing bad was found, but something doubtful was"},
    ExitCodeText{ExitCode::bad, "doctor: something bad was found"},
};

}  // namespace

std::span<const ExitCodeText> exit_codes() { return table; }

ExitCode exit_code_of(runtime::FailureKind kind) {
    using Kind = runtime::FailureKind;
    switch (kind) {
    case Kind::state_in_use: return ExitCode::state_in_use;
    case Kind::state_unusable: return ExitCode::state_unusable;
    case Kind::port_in_use: return ExitCode::port_in_use;
    case Kind::address_unusable: return ExitCode::address_unusable;
    case Kind::tls_files: return ExitCode::tls_files;
    case Kind::dns_servers: return ExitCode::usage;
    case Kind::recording: return ExitCode::recording;
    case Kind::system: return ExitCode::host;
    }
    return ExitCode::host;
}

}  // namespace holdfast::cli
