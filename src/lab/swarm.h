// A world drawn from a number: topology, NAT, DNS, transport, servers' habits, and ten minutes of
// faults; then it heals. What happened is a text, so that a failure can be told and not only
// replayed.
//
//     RandomWorld run(17);
//     run.suffer(10min);
//     const auto complaints = run.heal_and_check();        // empty is good
//     … << run.text()
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "lab/invariants.h"
#include "lab/world.h"

namespace holdfast::lab {

class RandomWorld {
public:
    explicit RandomWorld(std::uint64_t number);

    void suffer(Duration duration);
    // I1: everyone is registered within 35 s of quiet. I2: no stale binding when the next
    // keep-alive had its 10 s, where the location service is shared; where it is not, when the
    // longest binding could have lapsed; a flow whose mapping rests (K3) has not settled. I4, I5,
    // I6, B1, B2 over the whole run.
    Complaints heal_and_check();

    // I3: nothing happens but permuted DNS answers, on a link that loses nothing: zero moves.
    Complaints rotate_only(Duration duration);

    World& world() { return *world_; }
    Cluster& cluster() { return *cluster_; }
    [[nodiscard]] const std::string& text() const {
        return text_;
    }  // what was drawn, and when it happened

private:
    void draw_cluster();
    void draw_dns();
    void draw_phones();
    void one_fault();
    void node_fault(Registrar& node);
    void phone_fault(Phone& phone);
    void network_fault();
    void note(const std::string& what);
    bool chance(double share) { return random_.unit() < share; }
    template <class T>
    T one_of(std::initializer_list<T> choices) {
        return *(choices.begin() + static_cast<std::ptrdiff_t>(random_.below(choices.size())));
    }
    [[nodiscard]] bool knows_targets(const Phone& phone) const;
    [[nodiscard]] bool rests(const Phone& phone) const;
    void check_registered(Complaints& complaints);
    void check_stale(Complaints& complaints, std::string_view when);

    Random random_;
    LinkOptions link_;
    std::unique_ptr<World> world_;
    Cluster* cluster_ = nullptr;
    bool shared_location_ = true;
    std::vector<Phone*> phones_;
    std::vector<std::unique_ptr<OutstandingWatch>> watches_;
    std::vector<std::unique_ptr<OtherDevice>> others_;
    std::string text_;
};

}  // namespace holdfast::lab
