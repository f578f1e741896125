// What must hold in every run, whatever was drawn (design: I1–I7). Each check returns sentences;
// none is good.
//
// Not here: I3 (a scenario of its own), I8 (fuzzing), and of I4 "one outstanding per flow", which
// only the engine sees.
#pragma once

#include <string>
#include <vector>

#include "lab/world.h"

namespace holdfast::lab {

using Complaints = std::vector<std::string>;

// I4: the CSeq of REGISTERs rises within a Call-ID, over restarts too.
Complaints check_cseq_rises(const Phone& phone);
// I5: with n targets, REGISTERs ≤ 2n + 8 in 10 s and ≤ 6n + 60 in 10 min, all requests ≤ 400 + 6n
// in 10 min, and ≤ 10 REGISTERs per target in 10 s.
Complaints check_rates(const Phone& phone, std::size_t targets);
// B1: two flows go to different addresses.
Complaints check_flows_differ(const Phone& phone);
// B2: Contact: * is never sent.
Complaints check_no_star(const Cluster& cluster);

// I6: a binding of somebody else's device, put into every location service, is still there as it
// was.
class OtherDevice {
public:
    OtherDevice(Cluster& cluster, const std::string& aor, Instant expires);
    [[nodiscard]] Complaints check() const;
    [[nodiscard]] bool is_mine(const Binding& binding) const { return binding == binding_; }

private:
    Cluster& cluster_;
    std::string aor_;
    Binding binding_;
};

}  // namespace holdfast::lab
