// What must hold in every run, whatever was drawn (design: I4–I6, B1, B2). Each check returns
// sentences; none is good. What needs a world of its own (I1–I3, I7): lab/swarm.h; I8: fuzzing.
#pragma once

#include <string>
#include <vector>

#include "lab/world.h"

namespace holdfast::lab {

using Complaints = std::vector<std::string>;

// I4: the CSeq of REGISTERs rises within a Call-ID, over restarts too.
Complaints check_cseq_rises(const Phone& phone);
// I4: one REGISTER outstanding per flow; two of a reg-id only by F3: at different targets, and the
// older one was silent for the patience of a suspicion (K2) before the younger one left. To be told
// what the engine says after each step.
class OutstandingWatch {
public:
    explicit OutstandingWatch(std::string name) : name_(std::move(name)) {}
    void look(Instant now, const AccountStatus& status);
    [[nodiscard]] const Complaints& complaints() const { return complaints_; }  // the first few

private:
    void complain(Instant now, const std::string& what);
    std::string name_;
    Complaints complaints_;
};
// I5: with n targets, REGISTERs ≤ 2n + 8 in 10 s and, refreshes that are due (B4) not counted,
// ≤ 6n + 60 in 10 min; all requests ≤ 400 + 6n
// in 10 min, and ≤ 10 REGISTERs per target in 10 s. n is what the phone knew then: all addresses
// of all transports that it may use.
Complaints check_rates(const Phone& phone);
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
