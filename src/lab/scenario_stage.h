// The world that a scenario describes, built for one preset and one seed, and what its events do to
// it. Every name in the scenario is one of its own: whoever read it has seen to that.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lab/scenario.h"
#include "lab/world.h"

namespace holdfast::lab::scenario {

struct RunOptions {
    std::string preset = "holdfast";  // of phones that name none
    std::uint64_t seed = 1;
    PolicyValues policy{};            // for every phone that runs that preset, after its own
    std::size_t chronicle_lines = 0;  // of signalling, kept for a page; 0: nothing is kept
};

class Stage {
public:
    struct Actor {
        Phone* phone = nullptr;
        std::string plan;    // its name in the scenario; phone->name() has a number behind
        std::string preset;  // that it runs
        Duration on_at{};
        bool on = false;
        bool awake = true;
        bool plugged_in = true;
        std::vector<Caller*> callers;

        // Somebody could expect it to ring.
        [[nodiscard]] bool is_there() const { return on && awake && plugged_in; }
    };

    Stage(const Scenario& scenario, const RunOptions& options);

    void switch_on(Actor& actor);  // it is awake then
    // Does what an event says. False: nobody is such a node or phone now, and nothing happened.
    bool perform(const EventPlan& event);

    World& world() { return world_; }
    std::vector<Actor>& actors() { return actors_; }
    [[nodiscard]] const std::vector<Actor>& actors() const { return actors_; }
    [[nodiscard]] std::string node_name(const Target& target);
    [[nodiscard]] std::size_t bans();

private:
    void build_clusters();
    void build_nats();
    void build_phones(const RunOptions& options);
    void build_callers();
    void set_records(const RecordsPlan& records);
    void perform_at_node(const EventPlan& event, Registrar& node);
    void perform_in_dns(const EventPlan& event);
    void perform_at_nat(const EventPlan& event, Nat& nat);
    void perform_at_phone(const EventPlan& event, Actor& actor);
    struct Place {  // an address, and where ways from it are cut
        IpAddress address{};
        Cuts* cuts = nullptr;
    };
    struct CutWay {
        Cuts* cuts = nullptr;
        IpAddress from{};
        IpAddress to{};
    };
    bool perform_cut(const EventPlan& event);
    [[nodiscard]] std::vector<Place> places_of(const std::string& name);
    void bring_back(const std::string& name);
    void heal_all();
    void move(const EventPlan& event, Phone& phone);
    [[nodiscard]] std::vector<Registrar*> nodes_of(const EventPlan& event);
    [[nodiscard]] Registrar* chosen_node(const EventPlan& event, const Phone& phone);
    [[nodiscard]] Registrar* node_at(const IpAddress& address);
    Actor& first_of(std::string_view plan);  // "": the first there is

    const Scenario& scenario_;
    World world_;
    std::map<std::string, Registrar*> nodes_;
    std::map<std::string, Nat*> nats_;
    std::set<std::string> vanished_;  // names in DNS, in small letters
    std::vector<Actor> actors_;
    // By the names of both ends: it may have moved when its way heals.
    std::map<std::pair<std::string, std::string>, std::vector<CutWay>> cut_ways_;
    std::uint32_t new_addresses_ = 0;
};

}  // namespace holdfast::lab::scenario
