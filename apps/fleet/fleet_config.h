// What `holdfast run --config FILE` is told: the host's settings, the accounts with what they have
// in common, the hooks. Errors name file, line and key.
//
//   state = "/var/lib/holdfast"
//   transport = "udp"                     # of every account that says nothing else
//   [policy]
//   preset = "fleet"
//   [[account]]
//   aor = "sip:1001@example.test"
//   password = "…"
//   [[hook]]
//   events = ["moved", "unreachable"]
//   command = ["/usr/local/bin/tell-operator"]
#pragma once

#include <expected>
#include <map>
#include <string>
#include <vector>

#include "apps/cli/options.h"
#include "apps/cli/session.h"
#include "runtime/hooks.h"

namespace holdfast::fleet {

struct FleetConfig {
    cli::Options host;  // its account: what all have in common
    std::map<std::string, registration::AccountConfig> accounts;  // by AOR
    std::vector<runtime::Hook> hooks;
};

// command_line: --config FILE is one of them; the others count more than the file's. A hook whose
// program is not there is an error too.
std::expected<FleetConfig, cli::Refusal> read_fleet(const std::vector<cli::Setting>& command_line);
// What a running process takes over; the rest of the host's settings needs a restart.
bool same_host(const cli::Options& a, const cli::Options& b);
// Equal but for the password: then it alone is changed.
bool same_but_password(const registration::AccountConfig& a, const registration::AccountConfig& b);

}  // namespace holdfast::fleet
