// What the DNS answers known so far amount to, as a pure function of them: a lookup asks what is
// missing and evaluates again. So the order in which answers come cannot matter.
#pragma once

#include <vector>

#include "location/answers.h"
#include "location/lookup.h"

namespace holdfast::location {

struct Evaluated {
    Outcome outcome;
    std::vector<dns::Question> needed;  // not answered yet; empty: the outcome is final
};

struct LookupInputs {
    const NextHop& next_hop;
    const Constraints& constraints;
    const HostsFileNames& hosts_file;
    const KnownAnswers& known;
};

Evaluated evaluate(const LookupInputs& inputs);

}  // namespace holdfast::location
