#include "tests/preset_rows.h"

#include <algorithm>
#include <functional>

#include "tests/scenario.h"

namespace holdfast::lab::rows {

namespace {

constexpr Duration start_limit = 150s;
constexpr Duration bound_limit = 240s;
constexpr Duration outage_limit = 600s;
constexpr Duration fault_after = 6s;  // the first 200, as it was in the reference measurements

using Break = std::function<void(Scenario&)>;

ScenarioOptions options_of(const PresetRun& run) {
    return {.seed = run.seed,
            .preset = std::string(run.preset),
            .one_way_delay = run.one_way_delay,
            .watch = run.watch};
}

struct RowScenario : Scenario {
    RowScenario(const PresetRun& run, const ScenarioOptions& options) : Scenario(options) {
        if (run.begins) run.begins(phone);
    }
};

// The row has its figure.
template <class Life>
Figure figure_of(const PresetRun& run, Life& life, double value) {
    if (run.ends) run.ends(life.world, life.cluster, life.phone);
    return {value, life.story()};
}

// A server that sends a call where the REGISTER came from: else a private Contact (rewrite off) is
// never reachable, and no time without reachability can be measured.
ScenarioOptions bound_options_of(const PresetRun& run) {
    auto options = options_of(run);
    options.cluster.server.use_received = true;
    options.expires = 60s;
    return options;
}

// ip1: what the phone asks first. A client that takes the first listed address asks that one.
Target first_of(const Scenario& s) { return s.phone.first_choice(); }

Figure until_registered(const PresetRun& run, const ScenarioOptions& options, const Break& fault) {
    RowScenario s(run, options);
    fault(s);
    const bool registered = s.registers_within(start_limit);
    return figure_of(run, s, registered ? seconds_of(s.world.elapsed()) : Figure::never);
}

void silence_first(Scenario& s) { s.world.silence(first_of(s)); }

// From the fault until it can be reached again; 0 if it always could.
Figure unreachable_after(const PresetRun& run, const ScenarioOptions& options, Duration after,
                         const Break& fault, Duration limit) {
    RowScenario s(run, options);
    if (!s.registers_within(60s)) return figure_of(run, s, Figure::never);
    s.world.run_for(after);
    fault(s);
    const auto broken = s.world.now();
    const auto stop = s.world.run_until([&] { return s.world.is_reachable(s.phone); }, limit);
    const auto gap = seconds_of(s.world.now() - broken);
    return figure_of(run, s, stop == Stop::goal ? gap : Figure::never);
}

void silence_its_node(Scenario& s) { s.world.silence(s.phone.current_target().value()); }

Figure after_outage(const PresetRun& run, Duration outage) {
    auto options = bound_options_of(run);
    options.expires = 30s;
    const auto fault = [&](Scenario& s) {
        s.cluster.silence();
        s.world.run_for(outage);
        s.cluster.heal();
    };
    return unreachable_after(run, options, fault_after, fault, outage_limit);
}

ScenarioOptions rotating_options(const PresetRun& run) {
    auto options = options_of(run);
    options.rotate = true;
    options.ttl = 5s;
    options.expires = 30s;
    return options;
}

// Some binding names the public endpoint that its own server sees.
bool contact_is_mapping(const Scenario& s) {
    return std::ranges::any_of(s.cluster.bindings(s.phone.aor()), [](const Binding& binding) {
        return binding.contact.find("@" + binding.flow.remote.to_string()) != std::string::npos;
    });
}

// What the phone tells; if it tells of none, what any server has seen (a server that wants another
// nonce sees each twice).
double unregisters(const Scenario& s) {
    const auto told = s.phone.count(EventKind::unregistered);
    return static_cast<double>(told != 0 ? told : s.cluster.removals());
}

struct FiveMinutes {
    double refreshes = 0;
    double moves = 0;
    double unregisters = 0;
    double contact_is_mapping = 0;
    double stale = 0;
    std::string story{};
};

FiveMinutes five_minutes_of_rotation(const PresetRun& run) {
    RowScenario s(run, rotating_options(run));
    if (!s.registers_within(60s)) {
        const auto never = figure_of(run, s, Figure::never);
        return {.refreshes = never.value, .story = never.story};
    }
    std::size_t most = 0;
    const auto share = s.world.share_of_time(300s - s.world.elapsed(), 20ms, [&] {
        most = std::max(most, s.cluster.bindings(s.phone.aor()).size());
        return contact_is_mapping(s);
    });
    FiveMinutes seen{.refreshes = static_cast<double>(s.phone.count(EventKind::refreshed)),
                     .moves = static_cast<double>(s.phone.count(EventKind::moved)),
                     .unregisters = unregisters(s),
                     .contact_is_mapping = 100 * share,
                     .stale = most > 1 ? static_cast<double>(most - 1) : 0};
    seen.story = figure_of(run, s, 0).story;
    return seen;
}

// Best on 10, backup on 20; and no address of the domain itself.
struct TwoPriorities {
    explicit TwoPriorities(const PresetRun& run)
        : world(seed_from_number(run.seed), {.one_way_delay = run.one_way_delay}),
          cluster(world.add_registrars({"203.0.113.11", "203.0.113.12"})),
          nat(world.add_nat({.mapping = Dependence::address_and_port_dependent})),
          phone(world.add_phone(
              {.preset = std::string(run.preset), .behind = &nat, .watch = run.watch})) {
        if (run.begins) run.begins(phone);
        world.dns().srv("_sip._udp.example.test",
                        {{10, 0, 5060, "best.example.test"}, {20, 0, 5060, "backup.example.test"}});
        world.dns().a("best.example.test", {cluster.node(0).addresses()[0]});
        world.dns().a("backup.example.test", {cluster.node(1).addresses()[0]});
        cluster.node(0).silence();
    }
    [[nodiscard]] bool is_at(std::size_t node) const {
        const auto target = phone.current_target();
        return target && cluster.node(node).has(target->endpoint.address);
    }
    [[nodiscard]] std::string story() const { return "\n" + phone.event_log() + world.ladder(); }

    World world;
    Cluster& cluster;
    Nat& nat;
    Phone& phone;
};

}  // namespace

Figure s1_silent_first(const PresetRun& run) {
    return until_registered(run, options_of(run), silence_first);
}

Figure s1r_silent_first_rotating(const PresetRun& run) {
    auto options = options_of(run);
    options.rotate = true;
    return until_registered(run, options, silence_first);
}

Figure s2_two_silent(const PresetRun& run) {
    return until_registered(run, options_of(run), [](Scenario& s) {
        const auto ranking = s.phone.ranking();
        s.world.silence(ranking.at(0));
        s.world.silence(ranking.at(1));
    });
}

Figure s3_refused_by_icmp(const PresetRun& run) {
    return until_registered(run, options_of(run),
                            [](Scenario& s) { s.world.node_at(first_of(s)).refuse(); });
}

Figure s4_syn_dropped(const PresetRun& run) {
    auto options = options_of(run);
    options.transport = Transport::tcp;
    return until_registered(run, options, silence_first);
}

Figure s4b_tcp_refused(const PresetRun& run) {
    auto options = options_of(run);
    options.transport = Transport::tcp;
    return until_registered(run, options,
                            [](Scenario& s) { s.world.node_at(first_of(s)).refuse(); });
}

Figure s8a_unavailable(const PresetRun& run) {
    return until_registered(run, options_of(run),
                            [](Scenario& s) { s.world.node_at(first_of(s)).answer_with(503); });
}

Figure s8b_unavailable_with_retry_after(const PresetRun& run) {
    return until_registered(run, options_of(run),
                            [](Scenario& s) { s.world.node_at(first_of(s)).answer_with(503, 20); });
}

Figure s5_node_silent(const PresetRun& run) {
    return unreachable_after(run, bound_options_of(run), fault_after, silence_its_node,
                             bound_limit);
}

Figure s5r_node_silent_rotating(const PresetRun& run) {
    auto options = bound_options_of(run);
    options.rotate = true;
    options.ttl = 5s;
    return unreachable_after(run, options, fault_after, silence_its_node, bound_limit);
}

Figure s5t_tcp_node_silent(const PresetRun& run) {
    auto options = bound_options_of(run);
    options.transport = Transport::tcp;
    return unreachable_after(run, options, fault_after, silence_its_node, bound_limit);
}

Figure s5c_tcp_node_restarts(const PresetRun& run) {
    auto options = bound_options_of(run);
    options.transport = Transport::tcp;
    const auto restart = [](Scenario& s) {
        s.world.node_at(s.phone.current_target().value()).refuse();
    };
    return unreachable_after(run, options, fault_after, restart, bound_limit);
}

Figure s7_nat_rebinding(const PresetRun& run) {
    auto options = bound_options_of(run);
    options.expires = 120s;
    return unreachable_after(run, options, 7s, [](Scenario& s) { s.nat.rebind(); }, bound_limit);
}

Figure s10_all_silent_60_s(const PresetRun& run) { return after_outage(run, 60s); }
Figure s10l_all_silent_150_s(const PresetRun& run) { return after_outage(run, 150s); }

Figure s6_refreshes(const PresetRun& run) {
    const auto seen = five_minutes_of_rotation(run);
    return {seen.refreshes, seen.story};
}
Figure s6_moves(const PresetRun& run) {
    const auto seen = five_minutes_of_rotation(run);
    return {seen.moves, seen.story};
}
Figure s6_unregisters(const PresetRun& run) {
    const auto seen = five_minutes_of_rotation(run);
    return {seen.unregisters, seen.story};
}
Figure s6_contact_is_mapping(const PresetRun& run) {
    const auto seen = five_minutes_of_rotation(run);
    return {seen.contact_is_mapping, seen.story};
}
Figure s6_stale(const PresetRun& run) {
    const auto seen = five_minutes_of_rotation(run);
    return {seen.stale, seen.story};
}

// A location service of its own on every node, and a NAT that forgets after 30 s.
Figure s12n_all_bindings_answer(const PresetRun& run) {
    auto options = bound_options_of(run);
    options.rotate = true;
    options.ttl = 5s;
    options.expires = 120s;
    options.cluster.location = Location::separate;
    options.nat_options.udp_timeout = 30s;
    RowScenario s(run, options);
    if (!s.registers_within(60s)) return figure_of(run, s, Figure::never);
    const auto all_answer =
        [&] {  // and there is one: no binding at all would be no stale one either
            return s.world.stale_bindings(s.phone).empty() && s.world.is_reachable(s.phone);
        };
    const auto share = s.world.share_of_time(10min, 100ms, all_answer);
    return figure_of(run, s, 100 * share);
}

Figure s9_to_second_priority(const PresetRun& run) {
    TwoPriorities s(run);
    const auto stop = s.world.run_until([&] { return s.is_at(1); }, start_limit);
    return figure_of(run, s, stop == Stop::goal ? seconds_of(s.world.elapsed()) : Figure::never);
}

Figure s9_back(const PresetRun& run) {
    TwoPriorities s(run);
    if (s.world.run_until([&] { return s.is_at(1); }, start_limit) != Stop::goal)
        return figure_of(run, s, Figure::never);
    s.world.run_for(60s);
    s.cluster.node(0).heal();
    const auto healed = s.world.now();
    const auto stop = s.world.run_until([&] { return s.is_at(0); }, outage_limit);
    const auto back = seconds_of(s.world.now() - healed);
    return figure_of(run, s, stop == Stop::goal ? back : Figure::never);
}

Figure s9_requests(const PresetRun& run) {
    TwoPriorities s(run);
    s.world.run_for(start_limit);
    return figure_of(run, s, static_cast<double>(s.phone.sent().size()));
}

Figure s11_unregisters(const PresetRun& run) {
    RowScenario s(run, rotating_options(run));
    if (!s.registers_within(60s)) return figure_of(run, s, Figure::never);
    s.world.run_for(10s);
    return figure_of(run, s, unregisters(s));
}

Figure s11_unbound(const PresetRun& run) {
    constexpr auto every = 20us;
    RowScenario s(run, rotating_options(run));
    if (!s.registers_within(60s)) return figure_of(run, s, Figure::never);
    std::size_t unbound = 0;
    s.world.share_of_time(1s, every, [&] {
        const bool none = s.cluster.bindings(s.phone.aor()).empty();
        if (none) ++unbound;
        return none;
    });
    const auto gap = 1000 * seconds_of(every) * static_cast<double>(unbound);
    return figure_of(run, s, gap);
}

Figure s11_stale_for(const PresetRun& run) {
    RowScenario s(run, rotating_options(run));
    if (!s.registers_within(60s)) return figure_of(run, s, Figure::never);
    const auto share = s.world.share_of_time(
        40s, 10ms, [&] { return s.cluster.bindings(s.phone.aor()).size() > 1; });
    return figure_of(run, s, 40 * share);
}

}  // namespace holdfast::lab::rows
