// What the stories about direct calls have in common: phones that call addresses, and a domain that
// a stranger calls.
#pragma once

#include <string>

#include "tests/calls_world.h"

namespace holdfast::lab {

constexpr CallRef direct_call{1};

inline void dial_direct(Phone& from, const std::string& uri, AccountId account = Phone::account,
                        CallRef call = direct_call) {
    from.give(in::Dial{
        .account = account, .call = call, .uri = uri, .streams = from.audio(), .options = {}});
}

// A phone that takes calls from anybody, and an engine that calls it.
class AddressWorld {
public:
    explicit AddressWorld(Duration one_way_delay = 10ms)
        : world(seed_from_number(1), {.one_way_delay = one_way_delay}), bob(add_bob("bob")) {
        world.run_for(1s);
    }
    Phone& add_bob(const std::string& user) {
        return world.add_phone({.aor = "sip:" + user + "@nowhere.test",
                                .transport = Transport::udp,
                                .tune = [](auto& policy) { policy.accept_direct_calls = true; },
                                .takes_calls = true,
                                .name = user});
    }
    Phone& add_alice(const std::string& to, const std::string& name = "alice", Nat* behind = {}) {
        return world.add_phone({.aor = "sip:" + name + "@0.0.0.0",
                                .behind = behind,
                                .direct_to = to,
                                .takes_calls = true,
                                .name = name});
    }
    static std::string uri_of(const Phone& phone) {
        return "sip:" + phone.name() + "@" + phone.udp_endpoint(Family::ipv4)->to_string();
    }
    bool until(const Phone& phone, EventKind kind, Duration limit = 1s) {
        return world.run_until([&] { return phone.count(kind) > 0; }, limit) == Stop::goal;
    }
    bool talk(Phone& alice) {
        if (!until(alice, EventKind::connected)) return false;
        dial_direct(alice, uri_of(bob));
        if (!until(bob, EventKind::ring)) return false;
        answer(bob);
        const bool both = until(alice, EventKind::answered) && until(bob, EventKind::answered);
        world.run_for(1s);
        return both;
    }
    [[nodiscard]] std::string story() const {
        std::string log = "\n";
        for (const auto& phone : world.phones()) log += phone->event_log();
        return log + world.ladder();
    }

    World world;
    Phone& bob;
    FaultLife fault{world};  // last
};

// A domain with servers, three unless told otherwise, bob registered with them; alice is a stranger
// to it.
class DomainWorld : public CallsWorld {
public:
    explicit DomainWorld(Transport transport = Transport::udp, std::uint64_t seed = 1)
        : DomainWorld({.transport = transport, .nodes = 3, .seed = seed}, transport) {}
    // transport: carol's.
    DomainWorld(const CallsOptions& given, Transport transport)
        : CallsWorld(given),
          carol(world.add_phone({.aor = "sip:carol@0.0.0.0",
                                 .transport = transport,
                                 .on = false,
                                 .direct_to = to,
                                 .takes_calls = true,
                                 .name = "carol"})) {}
    // The cluster's nodes in the order in which she will try them.
    Registrar& node(std::size_t place) { return world.node_at(carol.ranking().at(place)); }
    bool begins() {
        if (!everyone_but_her()) return false;
        carol.start();
        if (!until(carol, EventKind::connected, 2s)) return false;
        dial_direct(carol, to);
        return true;
    }
    bool everyone_but_her() {
        return world.run_until([&] { return alice.is_registered() && bob.is_registered(); }, 10s) ==
               Stop::goal;
    }
    bool talks() {
        if (!begins() || !until(bob, EventKind::ring, 2s)) return false;
        answer(bob);
        const bool both = until(carol, EventKind::answered, 2s);
        world.run_for(1s);
        return both;
    }
    static constexpr const char* to = "sip:bob@example.test";
    Phone& carol;
};

}  // namespace holdfast::lab
