// What a scenario cannot mean although each of its keys is right: two things of one name or
// address, and events that are about nobody.
#pragma once

#include "apps/cli/toml_tree.h"
#include "lab/scenario.h"

namespace holdfast::cli {

// The scenario is what the document says, in its order; problems name the document's lines.
void complain_of_nonsense(const TomlValue& document, const lab::scenario::Scenario& scenario,
                          Problems& problems);

}  // namespace holdfast::cli
