// Runs random worlds by number, more than CI has time for, and prints what does not hold.
//
//   swarm FIRST [LAST]
//       each world from FIRST to LAST, and one line of result at the end
//   swarm FIRST LAST shrink
//       the same, ended by the first that breaks an invariant, which is made small
//   swarm NUMBER ladder SECONDS
//       one world, the last packets before that second, and its events
//
// The exit code is 0 when every invariant held, 1 when one did not, 2 when the words were wrong.
#include <charconv>
#include <cstdint>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>

#include "lab/swarm.h"
#include "lab/swarm_shrink.h"
#include "tests/break_by_name.h"

namespace {

using namespace std::chrono_literals;

std::optional<std::uint64_t> number_of(std::string_view text) {
    std::uint64_t value = 0;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
    if (result.ec != std::errc{} || result.ptr != text.data() + text.size()) return std::nullopt;
    return value;
}

// Whether every invariant held in it.
bool run_world(std::uint64_t number, std::optional<std::uint64_t> ladder_at) {
    holdfast::lab::RandomWorld run(number);
    auto& world = run.world();
    if (ladder_at) world.at(std::chrono::seconds{*ladder_at}, [&] { std::cout << world.ladder(); });
    run.suffer(10min);
    const auto complaints = run.heal_and_check();
    if (ladder_at) {
        std::cout << run.text();
        for (const auto& phone : world.phones()) std::cout << phone->event_log();
    }
    for (const auto& complaint : complaints)
        std::cout << "world " << number << ": " << complaint << '\n';
    return complaints.empty();
}

// The first world that breaks an invariant, as small as it goes.
bool shrink_first(std::uint64_t first, std::uint64_t last) {
    namespace lab = holdfast::lab;
    for (auto number = first; number <= last; ++number) {
        const auto plan = lab::draw_world(number, 10min);
        const auto complaints = lab::live_and_repeat(plan).complaints;
        if (complaints.empty()) continue;
        std::cout << "world " << number << ": " << complaints.front() << '\n';
        const auto small = lab::shrink(plan, lab::kind_of(complaints.front()), [](const auto& p) {
            return lab::live_and_repeat(p).complaints;
        });
        std::cout << "minimised:";
        for (const auto& part : lab::parts_of(small.plan)) std::cout << ' ' << part;
        std::cout << "; " << lab::short_seconds(small.plan.ends) << " s\n"
                  << lab::live_and_repeat(small.plan).text;
        return true;
    }
    return false;
}

}  // namespace

int main(int argc, char** argv) {
    const auto word = [&](int i) { return i < argc ? argv[i] : ""; };
    const bool ladder = std::string_view(word(2)) == "ladder";
    const bool shrinks = !ladder && std::string_view(word(3)) == "shrink";
    const auto first = number_of(word(1));
    const auto last = argc > 2 && !ladder ? number_of(word(2)) : first;
    const auto ladder_at = ladder ? number_of(word(3)) : std::nullopt;
    if (!first || !last || *last < *first || ladder != ladder_at.has_value() ||
        argc > (ladder || shrinks ? 4 : 3)) {
        std::cerr << "usage: swarm FIRST [LAST [shrink]]   or   swarm NUMBER ladder SECONDS\n";
        return 2;
    }
    if (shrinks) return shrink_first(*first, *last) ? 1 : 0;
    std::uint64_t broken = 0;
    for (auto number = *first; number <= *last; ++number)
        if (!run_world(number, ladder_at)) ++broken;
    std::cout << "worlds " << *first << " to " << *last << ": " << broken
              << " broke an invariant\n";
    return broken == 0 ? 0 : 1;
}
