#include "lab/swarm.h"

#include <algorithm>
#include <utility>

namespace holdfast::lab {

using namespace std::chrono_literals;

namespace {

constexpr Duration longest_expires = 300s;
constexpr Duration longest_keep_alive = 100s;  // of a stream (K1)
// What broke in the last bad second is found by the next keep-alive, and answered.
constexpr Duration longest_to_find_out = longest_keep_alive + 22s;
constexpr Duration longest_rest = 5min + longest_expires;

}  // namespace

RandomWorld::RandomWorld(WorldPlan plan)
    : plan_(std::move(plan)), world_(std::make_unique<World>(plan_.seed, plan_.link)) {
    note("seed " + std::to_string(plan_.number) + ", one way " +
         short_seconds(plan_.link.one_way_delay) + " s, loss " + short_number(plan_.link.loss));
    build_cluster();
    build_dns();
    build_nat();
    for (std::size_t i = 0; i < plan_.phones.size(); ++i) build_phone(i);
}

void RandomWorld::note(const std::string& what) {
    text_.append(short_seconds(world_->elapsed())).append("  ").append(what);
    text_ += '\n';
    world_->internet().ladder().note(world_->now(), what);
}

void RandomWorld::build_cluster() {
    std::vector<std::string> nodes;
    nodes.reserve(plan_.nodes.size());
    for (const auto& node : plan_.nodes) nodes.push_back(node.addresses);
    cluster_ = &world_->add_registrars(nodes, plan_.cluster);
    const auto& server = plan_.cluster.server;
    note(std::to_string(nodes.size()) + " registrars, families " + std::to_string(plan_.families) +
         ", location service " + std::to_string(static_cast<int>(plan_.cluster.location)) +
         (server.rules.outbound ? ", outbound" : "") +
         (server.rules.max_contacts > 0 ? ", max_contacts" : "") + (server.stun ? ", stun" : ""));
}

void RandomWorld::build_dns() {
    auto& dns = world_->dns();
    std::vector<IpAddress> listed;
    for (std::size_t i = 0; i < plan_.nodes.size(); ++i) {
        if (!plan_.nodes[i].is_listed)
            note("DNS does not list " + cluster_->node(i).name());
        else
            std::ranges::copy(cluster_->node(i).addresses(), std::back_inserter(listed));
    }
    if (!plan_.srv) {
        dns.a("example.test", listed, plan_.records);
        dns.aaaa("example.test", listed, plan_.records);
        note("A and AAAA, TTL " + short_seconds(plan_.records.ttl));
        return;
    }
    for (const auto transport : {Transport::udp, Transport::tcp, Transport::tls}) {
        std::vector<dns::Srv> services;
        for (std::size_t i = 0; i < plan_.nodes.size(); ++i) {
            if (!plan_.nodes[i].is_listed) continue;
            const auto host = "node" + std::to_string(i + 1) + ".example.test";
            dns.a(host, cluster_->node(i).addresses(), {.ttl = plan_.records.ttl});
            dns.aaaa(host, cluster_->node(i).addresses(), {.ttl = plan_.records.ttl});
            services.push_back({static_cast<std::uint16_t>(plan_.priorities ? 10 * (i + 1) : 10),
                                static_cast<std::uint16_t>(10 * i), default_port(transport), host});
        }
        const auto* name = transport == Transport::udp   ? "_sip._udp.example.test"
                           : transport == Transport::tcp ? "_sip._tcp.example.test"
                                                         : "_sips._tcp.example.test";
        dns.srv(name, services, plan_.records);
    }
    note(std::string("SRV") + (plan_.priorities ? " with priorities" : " with weights"));
}

void RandomWorld::build_nat() {
    if (!plan_.nat) return;
    nat_ = &world_->add_nat(
        *plan_.nat);  // also where nobody is behind it: what follows draws the same
    if (!plan_.has_nat) return;
    note("NAT: mapping " + std::to_string(static_cast<int>(plan_.nat->mapping)) + ", UDP timeout " +
         short_seconds(plan_.nat->udp_timeout));
}

void RandomWorld::build_phone(std::size_t index) {
    const auto& plan = plan_.phones[index];
    PhoneOptions options;
    options.name = plan_.name_of_phone(index);
    options.aor = "sip:" + options.name + "@example.test";
    options.transport = plan.transport;
    options.expires = plan.expires;
    options.behind = plan_.has_nat ? nat_ : nullptr;
    options.ipv6 = plan_.families < 2;
    options.resolver_cache = plan.resolver_cache;
    options.on = plan.takes_part;
    if (plan.takes_part)
        note(options.name + " over " +
             (plan.transport ? std::string(name_of(*plan.transport)) : "auto"));
    if (plan.has_other_device)
        others_.push_back(
            std::make_unique<OtherDevice>(*cluster_, options.aor, world_->now() + 24h));
    watches_.push_back(std::make_unique<OutstandingWatch>(options.name));
    options.watch = [watch = watches_.back().get()](Instant now, const AccountStatus& status) {
        watch->look(now, status);
    };
    auto& phone = world_->add_phone(std::move(options));
    all_phones_.push_back(&phone);
    if (plan.takes_part) phones_.push_back(&phone);
}

void RandomWorld::run_to(Duration since_start) {
    if (since_start > world_->elapsed()) world_->run_for(since_start - world_->elapsed());
}

void RandomWorld::suffer(Duration duration) {
    plan_.faults = draw_world(plan_.number, duration).faults;
    plan_.ends = duration;
    suffer();
}

void RandomWorld::suffer() {
    for (const auto& fault : plan_.faults) {
        if (fault.at >= plan_.ends) break;
        run_to(fault.at);
        note(words_of(plan_, fault));
        begin(fault);
        run_to(fault.at + fault.lasts);
        end(fault);
    }
    run_to(plan_.ends);
}

// A server may give a reason to leave it that is no answer of DNS: one that takes so many Contacts
// of an AOR, of which another device has one, refuses (N3, F5); one that agreed to outbound and
// sends no pong loses its connections (RFC 5626 §4.4.1). Only what this binding was told just
// before it moved.
bool RandomWorld::has_reason_to_move(std::size_t index, const TimedEvent& move) const {
    const auto& plan = plan_.phones[index];
    const auto& server = plan_.cluster.server;
    const bool is_full = server.rules.max_contacts > 0 && plan.has_other_device;
    const bool lacks_pong =
        server.rules.outbound && !server.pong && plan.transport != Transport::udp;
    // And once away, it comes back (L7).
    const bool comes_back = move.event.reason.contains("(L7)");
    return std::ranges::any_of(all_phones_[index]->events(), [&](const TimedEvent& e) {
        if (comes_back && e.event.kind == EventKind::moved && e.at < move.at &&
            e.event.reg_id == move.event.reg_id && has_reason_to_move(index, e))
            return true;
        if (e.event.reg_id != move.event.reg_id || e.at > move.at || e.at + 10s < move.at)
            return false;
        return (is_full && e.event.status == 503) ||
               (lacks_pong && e.event.kind == EventKind::flow_lost &&
                e.event.reason.contains("no pong"));
    });
}

Complaints RandomWorld::rotate_only(Duration duration) {
    world_->internet().link().set({.one_way_delay = plan_.link.one_way_delay});
    world_->run_for(duration);
    Complaints complaints;
    for (std::size_t i = 0; i < all_phones_.size(); ++i) {
        if (!plan_.phones[i].takes_part) continue;
        const auto moves =
            std::ranges::count_if(all_phones_[i]->events(), [&](const TimedEvent& e) {
                return e.event.kind == EventKind::moved && !has_reason_to_move(i, e);
            });
        if (moves > 0)
            complaints.push_back("I3: " + all_phones_[i]->name() + " moved " +
                                 std::to_string(moves) + " times, and nothing had happened");
    }
    check_registered(complaints, "I3");
    return complaints;
}

void RandomWorld::begin(const PlannedFault& fault) {
    const auto node = [&]() -> Registrar& { return cluster_->node(fault.whom); };
    const auto phone = [&]() -> Phone& { return *all_phones_[fault.whom]; };
    switch (fault.kind) {
    case FaultKind::node_silent: node().silence(); break;
    case FaultKind::node_mute: node().mute(); break;
    case FaultKind::node_refuses: node().refuse(); break;
    case FaultKind::node_prohibited: node().refuse(IcmpReason::prohibited); break;
    case FaultKind::node_fails:
        node().answer_with(fault.status,
                           fault.count > 0 ? std::optional(static_cast<std::uint32_t>(fault.count))
                                           : std::nullopt);
        break;
    case FaultKind::node_slow: node().slow_down(fault.delay); break;
    case FaultKind::node_loses_answers: node().lose_answers(fault.count); break;
    case FaultKind::node_restarts: node().restart(false); break;
    case FaultKind::node_heals: node().heal(); break;
    case FaultKind::phone_crashes: phone().crash(); break;
    case FaultKind::phone_loses_power: phone().lose_power(); break;
    case FaultKind::phone_sleeps: phone().sleep(); break;
    case FaultKind::phone_unplugged: phone().unplug(); break;
    case FaultKind::phone_registers_now: phone().give(in::RegisterNow{}); break;
    case FaultKind::phone_without_dns: phone().fail_dns({.status = fault.dns}); break;
    case FaultKind::nat_rebinds: nat_->rebind(); break;
    case FaultKind::dns_fails: world_->dns().fail({.status = fault.dns}); break;
    case FaultKind::dns_slow: world_->dns().fail({.delay = fault.delay}); break;
    case FaultKind::all_silent: cluster_->silence(); break;
    case FaultKind::link_loses: {
        auto worse = plan_.link;
        worse.loss = fault.loss;
        world_->internet().link().set(worse);
        break;
    }
    }
}

void RandomWorld::end(const PlannedFault& fault) {
    switch (fault.kind) {
    case FaultKind::phone_crashes:
    case FaultKind::phone_loses_power: all_phones_[fault.whom]->start(); break;
    case FaultKind::phone_sleeps: all_phones_[fault.whom]->wake(); break;
    case FaultKind::phone_unplugged: all_phones_[fault.whom]->plug_in(); break;
    case FaultKind::node_silent:
    case FaultKind::node_mute:
    case FaultKind::node_refuses:
    case FaultKind::node_prohibited:
    case FaultKind::node_fails:
    case FaultKind::node_slow:
    case FaultKind::node_loses_answers:
    case FaultKind::node_restarts:
    case FaultKind::node_heals:
    case FaultKind::phone_registers_now:
    case FaultKind::phone_without_dns:
    case FaultKind::nat_rebinds:
    case FaultKind::dns_fails:
    case FaultKind::dns_slow:
    case FaultKind::all_silent:
    case FaultKind::link_loses: break;  // until another fault, or the end
    }
}

// One DNS answer in this run of it, or one that has once registered it and is therefore on disk
// (L5).
bool RandomWorld::knows_targets(const Phone& phone) const {
    return std::ranges::any_of(phone.events(), [&](const TimedEvent& e) {
        if (e.event.kind == EventKind::registered) return true;
        return e.at >= phone.started_at() && e.event.kind == EventKind::resolved &&
               !e.event.targets.empty();
    });
}

void RandomWorld::check_registered(Complaints& complaints, std::string_view invariant) {
    const auto all = [&] {
        return std::ranges::all_of(phones_, [&](const Phone* phone) {
            return phone->is_registered() || !knows_targets(*phone);
        });
    };
    if (world_->run_until(all, 35s) == Stop::goal) return;
    for (const auto* phone : phones_)
        if (!phone->is_registered() && knows_targets(*phone))
            complaints.push_back(
                std::string(invariant) + ": " + phone->name() +
                " is not registered after 35 s of quiet: " + phone->status().state);
}

// K3: a mapping that changed too often is left alone until the next refresh after 5 min. Until then
// nothing has settled. Only by what the bad minutes did to it: since the world healed no mapping is
// forgotten any more, and one that changes later is kept badly.
bool RandomWorld::rests(const Phone& phone) const {
    return std::ranges::any_of(phone.events(), [&](const TimedEvent& e) {
        return e.event.kind == EventKind::mapping_changed && !e.event.reason.empty() &&
               e.at <= healed_ + longest_to_find_out && e.at + longest_rest > world_->now();
    });
}

void RandomWorld::check_stale(Complaints& complaints, std::string_view when) {
    for (const auto* phone : phones_) {
        if (rests(*phone)) continue;
        for (const auto& binding : world_->stale_bindings(*phone)) {
            if (std::ranges::any_of(others_,
                                    [&](const auto& other) { return other->is_mine(binding); }))
                continue;
            complaints.push_back("I2: stale binding of " + phone->name() + ' ' + std::string(when) +
                                 ": " + binding.contact);
        }
    }
}

Complaints RandomWorld::heal_and_check() {
    Complaints complaints;
    note("everything heals");
    world_->heal();
    healed_ = world_->now();
    check_registered(complaints, "I1");
    world_->run_for(longest_to_find_out);
    if (plan_.cluster.location != Location::separate)
        check_stale(complaints, "10 s after things settled");
    world_->run_for(longest_expires + 10s);
    if (std::ranges::any_of(phones_, [&](const Phone* phone) { return rests(*phone); }))
        world_->run_for(longest_rest);
    check_stale(complaints, "when every old one should have lapsed");
    for (const auto* phone : phones_) {
        if (knows_targets(*phone) && !world_->is_reachable(*phone))
            complaints.push_back("I1: " + phone->name() + " cannot be reached");
        std::ranges::copy(check_flows_differ(*phone), std::back_inserter(complaints));
        std::ranges::copy(check_cseq_rises(*phone), std::back_inserter(complaints));
        std::ranges::copy(check_rates(*phone), std::back_inserter(complaints));
    }
    for (const auto& watch : watches_)
        std::ranges::copy(watch->complaints(), std::back_inserter(complaints));
    for (const auto& other : others_)
        std::ranges::copy(other->check(), std::back_inserter(complaints));
    std::ranges::copy(check_no_star(*cluster_), std::back_inserter(complaints));
    return complaints;
}

SwarmResult live(const WorldPlan& plan) {
    RandomWorld run(plan);
    run.suffer();
    auto complaints = run.heal_and_check();
    return {
        .complaints = std::move(complaints), .text = run.text(), .trace = run.world().trace_hash()};
}

SwarmResult live_and_repeat(const WorldPlan& plan) {
    auto result = live(plan);
    if (live(plan).trace != result.trace)
        result.complaints.emplace_back("I7: the same number gave other packets the second time");
    std::ranges::move(RandomWorld(plan).rotate_only(plan.ends),
                      std::back_inserter(result.complaints));
    return result;
}

}  // namespace holdfast::lab
