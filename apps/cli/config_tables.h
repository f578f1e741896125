// What a configuration file says of many accounts: its [[account]] and [[hook]] tables, for
// `holdfast run` and `holdfast phone`. Errors name file, line and key.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "apps/cli/config_file.h"
#include "registration/account.h"
#include "runtime/hooks.h"

namespace holdfast::cli {

// What belongs to one account, or to `register` alone, does not stand above all.
std::expected<void, std::string> check_common(const std::vector<Setting>& settings);
// In the file's order, each AOR once. command_line: what counts more than the file, for each.
struct ConfiguredAccount {
    registration::AccountConfig account;
    phone::Dialling dialling;
};
std::expected<std::vector<ConfiguredAccount>, std::string> accounts_of(
    const Configuration& file, const std::vector<Setting>& command_line);
// A hook whose program is not there is an error, too.
std::expected<std::vector<runtime::Hook>, std::string> hooks_of(const Configuration& file);

}  // namespace holdfast::cli
