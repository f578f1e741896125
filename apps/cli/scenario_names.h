// Names in a scenario file: what is one, which are there, and whose a text can be.
#pragma once

#include <expected>
#include <set>
#include <string>
#include <string_view>

#include "apps/cli/toml_tree.h"

namespace holdfast::cli {

using Names = std::set<std::string, std::less<>>;

// What others may name. "" is never in it.
struct ScenarioNames {
    Names clusters;
    Names nodes;
    Names nats;
    Names phones;
};

// "there is no NAT \"hme\"; did you mean home?"
std::string unknown_name(std::string_view kind, std::string_view name, const Names& known);
// One name for one thing: complains of one that is empty or taken.
void take_name(TableReader& table, std::string_view key, std::string_view kind,
               const std::string& name, Names& taken);

// Errors are the ends of sentences that begin with the key.
std::expected<void, std::string> judge_domain(const std::string& text);
// "sip:alice@example.test", with a host that DNS can be asked for.
std::expected<void, std::string> judge_aor(const std::string& text);
std::expected<void, std::string> judge_server_uri(const std::string& text);

}  // namespace holdfast::cli
