// What an account costs in the engine alone: memory, instructions, CPU. Virtual time, a scripted
// registrar (bench/account_world.h). One line `name value` a figure.
//
//     engine_bench                   memory for 100,000 accounts, CPU of their registrations
//     engine_bench memory N          the same for N accounts
//     engine_bench register N        N accounts register and are proven; for callgrind, which
//                                    counts holdfast_engine_handle
//     engine_bench register-only N   the same without the proof (R1)
//     engine_bench refresh N         N accounts register and refresh once
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "bench/account_world.h"
#include "bench/cost.h"

namespace {

using namespace std::chrono_literals;
using holdfast::bench::AccountWorld;
using holdfast::bench::bytes_in_use;
using holdfast::bench::cpu_seconds;
using holdfast::bench::show;
using holdfast::registration::Policy;

constexpr std::uint32_t per_second = 30;

// 200 in each second (S3): all at once is nobody's fleet.
bool register_all(AccountWorld& world, std::uint32_t accounts, const Policy& policy) {
    for (std::uint32_t number = 1; number <= accounts; ++number) {
        world.add(number, policy);
        if (number % per_second == 0) world.run_for(1s);
    }
    world.run_for(10s);  // answered transactions are gone (Timer K)
    if (world.registered() == accounts) return true;
    std::fprintf(stderr, "engine_bench: %zu of %u accounts are registered\n", world.registered(),
                 accounts);
    return false;
}

// Registered, proven, and every one of them refreshed at least once.
bool memory(std::uint32_t accounts) {
    const auto before = bytes_in_use();
    const auto begin = cpu_seconds();
    AccountWorld world;
    if (!register_all(world, accounts, Policy{})) return false;
    const auto registered = cpu_seconds();
    const auto sent = world.registers();
    world.run_for(300s);
    const auto refreshed = cpu_seconds();
    const auto refreshes = world.registers() - sent;
    if (refreshes < accounts || world.proven() < accounts) {
        std::fprintf(stderr, "engine_bench: %zu refreshes and %zu proofs of %u accounts\n",
                     refreshes, world.proven(), accounts);
        return false;
    }
    show("account_bytes", static_cast<double>(bytes_in_use() - before) / accounts);
    show("registration_cpu_us", (registered - begin) * 1e6 / accounts);
    show("refresh_cpu_us", (refreshed - registered) * 1e6 / static_cast<double>(refreshes));
    return true;
}

bool register_for_callgrind(std::uint32_t accounts, bool proof, bool refresh) {
    AccountWorld world;
    Policy policy;
    policy.prove_reachable = proof;
    if (!register_all(world, accounts, policy)) return false;
    if (refresh) world.run_for(280s);
    return true;
}

}  // namespace

int main(int count, char** arguments) {
    const std::string_view what = count > 1 ? arguments[1] : "memory";
    const auto number =
        count > 2 ? static_cast<std::uint32_t>(std::strtoul(arguments[2], nullptr, 10)) : 100'000U;
    if (what == "memory") return memory(number) ? 0 : 1;
    if (what == "register") return register_for_callgrind(number, true, false) ? 0 : 1;
    if (what == "register-only") return register_for_callgrind(number, false, false) ? 0 : 1;
    if (what == "refresh") return register_for_callgrind(number, false, true) ? 0 : 1;
    std::fprintf(stderr, "engine_bench: what is \"%s\"?\n", arguments[1]);
    return 2;
}
