// What virtual time costs: a week of one phone, three servers and one NAT; worlds of the swarm. CPU
// time of one core. One line `name value` a figure.
//
//     world_bench            all of it
//     world_bench brief      a day, and ten worlds: whether it works
//
// lab_weeks_per_second_NAME    weeks of that phone's life in a second; 1 at least is the aim
// swarm_worlds_per_minute      of ten bad minutes each, as `holdfast lab swarm` runs them, on one
// core
#include <cstdio>
#include <string_view>

#include "bench/cost.h"
#include "lab/swarm.h"
#include "lab/world.h"

namespace {

using namespace std::chrono_literals;
using holdfast::Duration;
using holdfast::Transport;
using holdfast::bench::cpu_seconds;
using holdfast::bench::show;
namespace lab = holdfast::lab;

constexpr Duration week = 7 * 24h;

// As in docs/measured.md's rows, with nothing broken: addresses rotate, the TTL is a minute, the
// NAT gives each server its own port.
bool live_for(Duration time, Transport transport, const char* name) {
    const auto began = cpu_seconds();
    lab::World world(holdfast::seed_from_number(7), {.one_way_delay = 10ms});
    auto& cluster = world.add_registrars({"203.0.113.11", "203.0.113.12", "203.0.113.13"});
    auto& nat = world.add_nat({.mapping = lab::Dependence::address_and_port_dependent});
    world.dns().a("example.test", cluster.addresses(), {.ttl = 60s, .rotate = true});
    auto& phone = world.add_phone({.transport = transport, .behind = &nat});
    world.run_for(time);
    const double took = cpu_seconds() - began;
    if (!phone.is_registered() || !world.is_reachable(phone)) {
        std::fprintf(stderr, "world_bench: the phone is not registered:\n%s\n",
                     phone.event_log().c_str());
        return false;
    }
    show(name, holdfast::seconds_of(time) / holdfast::seconds_of(week) / took);
    return true;
}

bool live_worlds(std::uint64_t count) {
    const auto began = cpu_seconds();
    for (std::uint64_t number = 0; number < count; ++number)
        if (const auto result = lab::live_and_repeat(lab::draw_world(number, 10min));
            !result.complaints.empty()) {
            std::fprintf(stderr, "world_bench: %s\n%s\n", result.complaints.front().c_str(),
                         result.text.c_str());
            return false;
        }
    show("swarm_worlds_per_minute", 60 * static_cast<double>(count) / (cpu_seconds() - began));
    return true;
}

}  // namespace

int main(int count, char** arguments) {
    const bool brief = count == 2 && std::string_view(arguments[1]) == "brief";
    const Duration time = brief ? Duration{24h} : week;
    const bool good = live_for(time, Transport::udp, "lab_weeks_per_second_udp") &&
                      live_for(time, Transport::tcp, "lab_weeks_per_second_tcp") &&
                      live_worlds(brief ? 10 : 500);
    return good ? 0 : 1;
}
