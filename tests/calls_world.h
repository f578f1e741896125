// What the stories about calls have in common: a cluster whose proxies stay in the way, and phones
// of two people on it.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <ranges>
#include <string>
#include <vector>

#include "lab/world.h"
#include "tests/fault_life.h"

namespace holdfast::lab {

using namespace std::chrono_literals;

struct CallsOptions {
    Transport transport = Transport::udp;
    std::size_t nodes = 1;
    bool nat = false;          // both sides, each behind one of its own
    bool only_alice = false;   // is behind it
    bool record_route = true;  // false: requests of the dialog go straight from phone to phone
    bool challenges = false;   // the proxy asks who calls
    bool stands_in = false;    // each node follows the Routes of the others, too
    int refuses_dialogs = 0;   // those of the others, with this status
    std::optional<Duration> expires{};
    Duration one_way_delay = 10ms;
    std::uint64_t seed = 1;
};

// The call that rang last.
inline CallRef rung(const Phone& phone) {
    for (const auto& [at, event] : phone.events() | std::views::reverse)
        if (event.kind == EventKind::ring) return event.call;
    return {};
}
inline void answer(Phone& phone) { phone.give(in::Answer{rung(phone), phone.audio(50'000)}); }
// With a fault of the host there may have been none (tools/run-with-faults).
inline const Event* last(const Phone& phone, EventKind kind) {
    static const Event none{};
    const Event* found = wanted_host_fault() ? &none : nullptr;
    for (const auto& [at, event] : phone.events())
        if (event.kind == kind) found = &event;
    return found;
}
// What the phone may do with its sound now; nothing: there is no media. With a fault of the host
// there may be none where a story has some: then it is a stream of nothing.
inline std::optional<sdp::AgreedStream> sound(const Phone& phone) {
    if (phone.media().empty() || !phone.media().back().media.agreed)
        return wanted_host_fault() ? std::optional(sdp::AgreedStream{}) : std::nullopt;
    return phone.media().back().media.agreed->streams.at(0);
}
inline std::size_t requests(const Phone& phone, const std::string& method) {
    return static_cast<std::size_t>(std::ranges::count_if(
        phone.sent(), [&](const SentRequest& sent) { return sent.method == method; }));
}

class CallsWorld {
public:
    explicit CallsWorld(const CallsOptions& given = {})
        : options(given),
          world(seed_from_number(given.seed), {.one_way_delay = given.one_way_delay}),
          cluster(world.add_registrars(nodes(given.nodes), cluster_options(given))),
          alice(add("alice")),
          bob(add("bob")) {
        world.dns().a("example.test", cluster.addresses(), {.ttl = 60s, .rotate = false});
    }

    Phone& add(const std::string& user, const std::string& name = {}) {
        PhoneOptions phone{.aor = "sip:" + user + "@example.test",
                           .transport = options.transport,
                           .expires = options.expires,
                           .takes_calls = true,
                           .name = name.empty() ? user : name};
        if (options.nat && (!options.only_alice || user == "alice"))
            phone.behind = &world.add_nat({.mapping = Dependence::address_and_port_dependent,
                                           .filtering = Dependence::address_and_port_dependent});
        return world.add_phone(std::move(phone));
    }
    bool everyone_registers() {
        return world.run_until([this] { return world.everyone_registered(); }, 10s) == Stop::goal;
    }
    void dial(Phone& from, const std::string& user, const call::Options& how = {}) {
        from.give(in::Dial{.account = Phone::account,
                           .call = dialled,
                           .uri = "sip:" + user + "@example.test",
                           .streams = from.audio(),
                           .options = how});
    }
    bool until(const Phone& phone, EventKind kind, Duration limit, std::size_t times = 1) {
        return world.run_until([&] { return phone.count(kind) >= times; }, limit) == Stop::goal;
    }
    // Alice calls Bob, and he takes it.
    bool talk(const call::Options& how = {}) {
        if (!everyone_registers()) return false;
        dial(alice, "bob", how);
        if (!until(bob, EventKind::ring, 2s)) return false;
        answer(bob);
        const bool answered =
            until(alice, EventKind::answered, 2s) && until(bob, EventKind::answered, 2s);
        world.run_for(200ms);  // the ACK
        return answered;
    }
    [[nodiscard]] std::string story() const {
        std::string log = "\n";
        for (const auto& phone : world.phones()) log += phone->event_log();
        return log + world.ladder();
    }

    const CallRef dialled{1};
    CallsOptions options;
    World world;
    Cluster& cluster;
    Phone& alice;
    Phone& bob;
    FaultLife fault{world};  // last

private:
    static std::vector<std::string> nodes(std::size_t count) {
        std::vector<std::string> all;
        for (std::size_t i = 1; i <= count; ++i) all.push_back("203.0.113.1" + std::to_string(i));
        return all;
    }
    static ClusterOptions cluster_options(const CallsOptions& given) {
        ClusterOptions cluster;
        cluster.server.record_route = given.record_route;
        cluster.server.challenges_calls = given.challenges;
        cluster.server.stands_in = given.stands_in;
        cluster.server.refuses_dialogs = given.refuses_dialogs;
        return cluster;
    }
};

}  // namespace holdfast::lab
