// A random world lives: ten minutes of faults, as planned (lab/swarm_plan.h); then it heals. What
// happened is a text, so that a failure can be told and not only replayed.
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
#include "lab/swarm_plan.h"
#include "lab/world.h"

namespace holdfast::lab {

class RandomWorld {
public:
    explicit RandomWorld(WorldPlan plan);
    explicit RandomWorld(std::uint64_t number) : RandomWorld(draw_world(number, {})) {}

    // All that is planned.
    void suffer();
    // What the number draws for so long.
    void suffer(Duration duration);
    // I1: everyone is registered within 35 s of quiet. I2: no stale binding when the next
    // keep-alive had its 10 s, where the location service is shared; where it is not, when the
    // longest binding could have lapsed; a flow whose mapping rests (K3) by what the bad minutes
    // did has not settled before that rest is over, 10 min at most. I4, I5, I6, B1, B2 over the
    // whole run.
    Complaints heal_and_check();

    // I3: nothing happens but permuted DNS answers, on a link that loses nothing: zero moves, but
    // where the server itself sends a phone away, and everyone is registered.
    Complaints rotate_only(Duration duration);

    World& world() { return *world_; }
    Cluster& cluster() { return *cluster_; }
    [[nodiscard]] const std::string& text() const {
        return text_;
    }  // what was drawn, and when it happened

private:
    void build_cluster();
    void build_dns();
    void build_nat();
    void build_phone(std::size_t index);
    void begin(const PlannedFault& fault);
    void end(const PlannedFault& fault);
    void run_to(Duration since_start);
    void note(const std::string& what);
    [[nodiscard]] bool has_reason_to_move(std::size_t index, const TimedEvent& move) const;
    [[nodiscard]] bool knows_targets(const Phone& phone) const;
    [[nodiscard]] bool rests(const Phone& phone) const;
    void check_registered(Complaints& complaints, std::string_view invariant);
    void check_stale(Complaints& complaints, std::string_view when);

    WorldPlan plan_;
    std::unique_ptr<World> world_;
    Cluster* cluster_ = nullptr;
    Nat* nat_ = nullptr;
    std::vector<Phone*> phones_;  // that take part
    std::vector<Phone*> all_phones_;
    std::vector<std::unique_ptr<OutstandingWatch>> watches_;
    std::vector<std::unique_ptr<OtherDevice>> others_;
    std::string text_;
    Instant healed_{};
};

// A whole life: it suffers as planned, heals, and is looked at.
struct SwarmResult {
    Complaints complaints;  // empty is good
    std::string text;
    std::uint64_t trace = 0;  // of all its packets, to the end
};
SwarmResult live(const WorldPlan& plan);
// The same, and beside it what needs a world of its own: permuted answers alone (I3), and that the
// same number gives the same bytes (I7).
SwarmResult live_and_repeat(const WorldPlan& plan);

}  // namespace holdfast::lab
