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
#include "base/event.h"
#include "base/time.h"

namespace holdfast::fleet {

struct HookConfig {
    std::vector<EventKind> events;     // empty: all
    std::vector<std::string> command;  // program and arguments, or …
    std::string url;                   // … where the event is posted to
    Duration timeout = std::chrono::seconds{10};
    friend bool operator==(const HookConfig&, const HookConfig&) = default;
};

struct FleetConfig {
    cli::Options host;  // its account: what all have in common
    std::map<std::string, registration::AccountConfig> accounts;  // by AOR
    std::vector<HookConfig> hooks;
};

// command_line: --config FILE is one of them; the others count more than the file's.
std::expected<FleetConfig, std::string> read_fleet(const std::vector<cli::Setting>& command_line);
// What a running process takes over; the rest of the host's settings needs a restart.
bool same_host(const cli::Options& a, const cli::Options& b);
// Equal but for the password: then it alone is changed.
bool same_but_password(const registration::AccountConfig& a, const registration::AccountConfig& b);

}  // namespace holdfast::fleet
