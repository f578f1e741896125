// What a request of the control socket was given, asked for by name.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "apps/phone/incoming_rules.h"
#include "base/ids.h"

namespace holdfast::phone {

// The first thing that is wrong is kept; a parameter that nobody asked for is wrong, too.
class Params {
public:
    explicit Params(const nlohmann::ordered_json& object) : object_(object) {}

    // Nothing if it is not there, null, or wrong.
    std::optional<std::string> text(const char* name);
    std::optional<bool> flag(const char* name);
    std::optional<std::int64_t> number(const char* name, std::int64_t least, std::int64_t most);
    std::optional<CallRef> call(const char* name = "call");
    std::optional<std::vector<std::string>> list(const char* name);
    std::optional<std::vector<CallRef>> calls(const char* name = "calls");
    std::nullopt_t wrong(const char* name, const std::string& why);
    // Once everything has been asked for: "" if nothing is wrong, else a sentence.
    std::string problem();

private:
    const nlohmann::ordered_json* find(const char* name);

    const nlohmann::ordered_json& object_;
    std::set<std::string> asked_;
    std::string problem_;
};

// The parameters of `rules`.
RulesChange rules_change_of(Params& params);

}  // namespace holdfast::phone
