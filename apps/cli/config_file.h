// --config FILE: options in TOML, under the names they have on the command line; the policy as a
// table.
//
//   aor = "sip:alice@example.test"
//   password = "…"                      # only in a file of mode 0600, or stricter
//   backup = ["sip:backup.example.net"]
//   [policy]
//   patience = "1.5s"
//
// toml++ is behind it, in config_file.cpp alone.
#pragma once

#include <expected>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "apps/cli/options.h"

namespace holdfast::cli {

struct ConfigTable {
    std::string where;  // "fleet.toml:12: account"
    std::vector<Setting> settings;
};
struct Configuration {
    std::vector<Setting> settings;      // of the file as a whole
    std::vector<ConfigTable> accounts;  // [[account]]: `holdfast run`
    std::vector<ConfigTable> hooks;     // [[hook]]: the same; keys events, command, url, timeout
};

// Errors name file, line and key. A file that holds a password, or a voicemail's PIN, must be the
// user's own, and nobody else's to read.
std::expected<Configuration, std::string> read_config_file(const std::filesystem::path& file);
// The text alone; `name` is what errors call it.
std::expected<Configuration, std::string> parse_config(std::string_view text,
                                                       const std::string& name);

}  // namespace holdfast::cli
