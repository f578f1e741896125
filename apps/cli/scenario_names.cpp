#include "apps/cli/scenario_names.h"

#include <vector>

#include "apps/cli/command_line.h"
#include "location/names.h"
#include "location/next_hop.h"
#include "sip/uri.h"

namespace holdfast::cli {

std::string unknown_name(std::string_view kind, std::string_view name, const Names& known) {
    const std::vector<std::string_view> names(known.begin(), known.end());
    std::string list;
    for (const auto one : names) list += (list.empty() ? "" : ", ") + std::string(one);
    const auto near = suggestion(name, names);
    return "there is no " + std::string(kind) + " " + in_quotes(name) +
           (near.empty() ? list.empty() ? " in this file" : " in this file, only " + list : near);
}

void take_name(TableReader& table, std::string_view key, std::string_view kind,
               const std::string& name, Names& taken) {
    if (name.empty())
        table.complain(key, "a " + std::string(kind) + " needs a name");
    else if (!taken.insert(name).second)
        table.complain(key, "there is another " + std::string(kind) + " named " + in_quotes(name) +
                                ": give each its own name");
}

std::expected<void, std::string> judge_domain(const std::string& text) {
    if (location::is_valid_name(text)) return {};
    return std::unexpected(in_quotes(text) +
                           " is no name that DNS can have: example.test, of letters, digits, "
                           "hyphens and underscores, without a dot at its end");
}

std::expected<void, std::string> judge_aor(const std::string& text) {
    const auto uri = sip::OwnedUri::parse(text);
    const bool is_one = uri && uri->get().is_sip() && !uri->get().user.empty();
    if (is_one && location::next_hop_of(text)) return {};
    return std::unexpected(in_quotes(text) + " is no AOR: \"sip:alice@example.test\"");
}

std::expected<void, std::string> judge_server_uri(const std::string& text) {
    if (const auto hop = location::next_hop_of(text); !hop)
        return std::unexpected(hop.error() + ": write \"sip:example.test\"");
    return {};
}

}  // namespace holdfast::cli
