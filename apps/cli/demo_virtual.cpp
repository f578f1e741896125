#include "apps/cli/demo_case.h"
#include "base/check.h"
#include "lab/world.h"

namespace holdfast::cli {

using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t seed = 1;
constexpr Duration one_way_delay = 10ms;

void schedule_fault(const DemoCase& demo_case, lab::World& world, lab::Cluster& cluster,
                    lab::Nat& nat, lab::Phone& phone) {
    switch (demo_case.fault) {
    case DemoFault::none: break;
    case DemoFault::first_choice_dead: world.silence(phone.first_choice()); break;
    case DemoFault::server_dies:
        world.at(fault_time, [&cluster] {
            for (const auto& binding : cluster.bindings(demo_aor))
                if (auto* node = cluster.node_at(binding.flow.local.address)) node->silence();
        });
        break;
    case DemoFault::nat_rebinds: world.at(fault_time, [&nat] { nat.rebind(); }); break;
    }
}

}  // namespace

Unreachable in_virtual_time(const DemoCase& demo_case, std::string_view preset) {
    lab::World world(seed_from_number(seed), {.one_way_delay = one_way_delay});
    auto& cluster = world.add_registrars({"203.0.113.11", "203.0.113.12", "203.0.113.13"},
                                         cluster_options(demo_case));
    auto& nat = world.add_nat(nat_options());
    world.dns().a("example.test", cluster.addresses(), record_options(demo_case));
    auto& phone = world.add_phone({.aor = std::string(demo_aor),
                                   .transport = Transport::udp,
                                   .preset = std::string(preset),
                                   .behind = &nat});
    schedule_fault(demo_case, world, cluster, nat, phone);
    auto& caller = world.add_caller(caller_options(lab_call_interval));
    world.run_for(lab_length);
    return unreachable_of(caller, lab::Internet::start, world.now());
}

}  // namespace holdfast::cli
