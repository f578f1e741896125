// The host fails once, at the n-th send, connect or DNS answer of a phone's life, for every n until
// nothing of that kind is left: the phone is registered again within I1's limits, with one binding
// a flow, and I2, I4, I5, B1 and B2 hold over the whole run. Not tested here: a host that fails
// again and again (swarm_test.cpp), a disk that fails (tests/faults).
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <tuple>
#include <vector>

#include "lab/invariants.h"
#include "lab/world.h"
#include "tests/host_fault_names.h"

namespace holdfast::lab {
namespace {

using namespace std::chrono_literals;

// Three registrars, an endpoint-dependent NAT, one phone.
struct Life {
    explicit Life(ClusterOptions cluster_options, PhoneOptions options)
        : cluster(world.add_registrars({"203.0.113.11", "203.0.113.12", "203.0.113.13"},
                                       cluster_options)),
          nat(world.add_nat({.mapping = Dependence::address_and_port_dependent})) {
        options.behind = &nat;
        world.dns().a("example.test", cluster.addresses(), {.ttl = 60s, .rotate = true});
        phone = &world.add_phone(std::move(options));
    }
    void until_registered() {
        world.run_until([this] { return phone->is_registered(); }, 60s);
    }
    void silence_current() {
        if (const auto target = phone->current_target()) world.silence(*target);
    }
    [[nodiscard]] std::string story() const { return "\n" + phone->event_log() + world.ladder(); }

    World world{seed_from_number(3), {.one_way_delay = 10ms}};
    Cluster& cluster;
    Nat& nat;
    Phone* phone = nullptr;
};

struct Scene {
    const char* name;
    Transport transport = Transport::udp;
    std::uint32_t flows = 1;
    bool outbound = false;
    void (*happens)(Life&) = nullptr;
    bool ends = false;  // the phone is shut down, and stays so
};

void cold_start(Life& life) { life.until_registered(); }
// S1, S4: the first choice is silent from the start.
void first_choice_silent(Life& life) {
    life.world.silence(life.phone->first_choice());
    life.until_registered();
}
void first_choice_refuses(Life& life) {
    life.world.node_at(life.phone->first_choice()).refuse();
    life.until_registered();
}
// S5
void server_dies(Life& life) {
    life.until_registered();
    life.world.run_for(6s);
    life.silence_current();
    life.world.run_for(60s);
}
void connections_are_reset(Life& life) {
    life.until_registered();
    life.world.run_for(6s);
    if (const auto target = life.phone->current_target())
        life.world.node_at(*target).restart(false);
    life.world.run_for(30s);
}
// S7
void nat_rebinds(Life& life) {
    life.until_registered();
    life.world.run_for(6s);
    life.nat.rebind();
    life.world.run_for(60s);
}
void killed_and_started_again(Life& life) {
    life.until_registered();
    life.world.run_for(2s);
    life.phone->crash();
    life.nat.rebind();
    life.phone->start();
    life.until_registered();
}
void address_changes(Life& life) {
    life.until_registered();
    life.world.run_for(2s);
    life.phone->change_address({*IpAddress::parse("192.168.1.77")});
    life.world.run_for(30s);
}
void shut_down(Life& life) {
    life.until_registered();
    life.world.run_for(2s);
    life.phone->shut_down();
}

const std::vector<Scene>& scenes() {
    static const std::vector<Scene> all{
        {"ColdStart", Transport::udp, 1, false, cold_start},
        {"ColdStartTcp", Transport::tcp, 1, false, cold_start},
        {"ColdStartTls", Transport::tls, 1, false, cold_start},
        {"FirstChoiceSilent", Transport::udp, 1, false, first_choice_silent},
        {"FirstChoiceSilentTcp", Transport::tcp, 1, false, first_choice_silent},
        {"FirstChoiceRefusesTcp", Transport::tcp, 1, false, first_choice_refuses},
        {"ServerDies", Transport::udp, 1, false, server_dies},
        {"ServerDiesTcp", Transport::tcp, 1, false, server_dies},
        {"ConnectionsAreResetTls", Transport::tls, 1, false, connections_are_reset},
        {"NatRebinds", Transport::udp, 1, false, nat_rebinds},
        {"TwoFlows", Transport::udp, 2, true, server_dies},
        {"TwoFlowsTcp", Transport::tcp, 2, true, server_dies},
        {"KilledAndStartedAgain", Transport::udp, 1, false, killed_and_started_again},
        {"KilledAndStartedAgainTcp", Transport::tcp, 1, false, killed_and_started_again},
        {"AddressChanges", Transport::udp, 1, false, address_changes},
        {"AddressChangesTcp", Transport::tcp, 1, false, address_changes},
        {"ShutDown", Transport::udp, 1, false, shut_down, true},
        {"ShutDownTcp", Transport::tcp, 1, false, shut_down, true},
    };
    return all;
}

using Case = std::tuple<Scene, HostFault>;

class NthFault : public testing::TestWithParam<Case> {
protected:
    static const Scene& scene() { return std::get<0>(GetParam()); }
    static HostFault fault() { return std::get<1>(GetParam()); }

    // Whether the fault came.
    static bool live(std::size_t nth) {
        ClusterOptions cluster;
        cluster.server.rules.outbound = scene().outbound;
        Life life(cluster, {.transport = scene().transport, .flows = scene().flows});
        life.phone->fail_nth(fault(), nth);
        scene().happens(life);
        if (scene().ends)
            check_end(life);
        else
            check_life(life);
        for (const auto& complaints :
             {check_cseq_rises(*life.phone), check_rates(*life.phone),
              check_flows_differ(*life.phone), check_no_star(life.cluster)})
            for (const auto& complaint : complaints) ADD_FAILURE() << complaint << life.story();
        return life.phone->has_failed();
    }
    // I1: one that has just failed is registered after 10 s of quiet; I2 when the next keep-alive
    // has had its answer and things have settled.
    static void check_life(Life& life) {
        EXPECT_EQ(life.world.run_until([&] { return life.phone->is_registered(); }, 10s),
                  Stop::goal)
            << life.story();
        life.world.run_for(120s + 22s);
        EXPECT_TRUE(life.phone->is_registered()) << life.story();
        EXPECT_EQ(life.cluster.bindings(life.phone->aor()).size(), scene().flows) << life.story();
        EXPECT_TRUE(life.world.stale_bindings(*life.phone).empty()) << life.story();
        EXPECT_TRUE(life.world.is_reachable(*life.phone)) << life.story();
    }
    // B4: it ends within 2 s, whatever fails.
    static void check_end(Life& life) {
        EXPECT_EQ(life.world.run_until([&] { return life.phone->is_stopped(); }, 2s), Stop::goal)
            << life.story();
    }
};

TEST_P(NthFault, IsOvercome) {
    std::size_t nth = 1;
    for (; nth < 1'000 && !HasFailure(); ++nth) {
        SCOPED_TRACE(std::to_string(nth) + ". of " + name_of(fault()));
        if (!live(nth)) break;
    }
    const bool is_stream = is_reliable(scene().transport);
    if (is_stream || fault() != HostFault::open_times_out) {
        EXPECT_GT(nth, 1U) << "it never came";
    }
    RecordProperty("faults", static_cast<int>(nth) - 1);
}

INSTANTIATE_TEST_SUITE_P(AtEachPoint, NthFault,
                         testing::Combine(testing::ValuesIn(scenes()),
                                          testing::ValuesIn(host_faults)),
                         [](const auto& test) {
                             return std::string(std::get<0>(test.param).name) + "_" +
                                    name_of(std::get<1>(test.param));
                         });

}  // namespace
}  // namespace holdfast::lab
