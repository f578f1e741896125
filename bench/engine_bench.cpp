// What an account costs in the engine alone: memory, CPU, instructions. Virtual time, a scripted
// registrar (bench/account_world.h). One line `name value` a figure.
//
//     engine_bench                          100,000 accounts, at one registrar, then at three
//     engine_bench memory N REGISTRARS      N accounts at "one" registrar or at "three"
//
// For callgrind, which counts holdfast_engine_handle; nothing is printed:
//
//     engine_bench register N REGISTRARS    N accounts register: two REGISTERs each
//     engine_bench prove N REGISTRARS       and are proven to be reachable (R1)
//     engine_bench refresh N REGISTRARS     and refresh once
#include <cstdio>
#include <cstdlib>
#include <string>
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

// All at once is nobody's fleet (S3).
constexpr std::uint32_t accounts_per_second = 200;

bool register_all(AccountWorld& world, std::uint32_t accounts, const Policy& policy) {
    for (std::uint32_t number = 1; number <= accounts; ++number) {
        world.add(number, policy);
        if (number % accounts_per_second == 0) world.run_for(1s);
    }
    world.run_for(10s);  // answered transactions are gone (Timer K)
    if (world.registered() == accounts) return true;
    std::fprintf(stderr, "engine_bench: %zu of %u accounts are registered\n", world.registered(),
                 accounts);
    return false;
}

// Registered, proven, and every one of them refreshed at least once.
bool memory(std::uint32_t accounts, AccountWorld::Registrars registrars, const std::string& name) {
    const auto before = bytes_in_use();
    const auto begin = cpu_seconds();
    AccountWorld world(registrars);
    if (!register_all(world, accounts, Policy{})) return false;
    world.run_for(300s);
    if (world.registers() < accounts * 3U || world.proven() < accounts) {
        std::fprintf(stderr, "engine_bench: %zu REGISTERs and %zu proofs of %u accounts\n",
                     world.registers(), world.proven(), accounts);
        return false;
    }
    show(("account_bytes_" + name).c_str(),
         static_cast<double>(bytes_in_use() - before) / accounts);
    show(("cpu_us_per_register_" + name).c_str(),
         (cpu_seconds() - begin) * 1e6 / static_cast<double>(world.registers()));
    return true;
}

bool for_callgrind(std::uint32_t accounts, AccountWorld::Registrars registrars, bool prove,
                   bool refresh) {
    AccountWorld world(registrars);
    Policy policy;
    policy.prove_reachable = prove;
    if (!register_all(world, accounts, policy)) return false;
    if (refresh) world.run_for(280s);
    return true;
}

}  // namespace

int main(int count, char** arguments) {
    using Registrars = AccountWorld::Registrars;
    if (count == 1)
        return memory(100'000, Registrars::one, "one") &&
                       memory(100'000, Registrars::three, "three")
                   ? 0
                   : 1;
    const std::string_view what = arguments[1];
    const auto number =
        count > 2 ? static_cast<std::uint32_t>(std::strtoul(arguments[2], nullptr, 10)) : 1'000U;
    const std::string name = count > 3 ? arguments[3] : "one";
    const auto registrars = name == "three" ? Registrars::three : Registrars::one;
    if (what == "memory") return memory(number, registrars, name) ? 0 : 1;
    if (what == "register") return for_callgrind(number, registrars, false, false) ? 0 : 1;
    if (what == "prove") return for_callgrind(number, registrars, true, false) ? 0 : 1;
    if (what == "refresh") return for_callgrind(number, registrars, false, true) ? 0 : 1;
    std::fprintf(stderr, "engine_bench: what is \"%s\"?\n", arguments[1]);
    return 2;
}
