#include "lab/swarm.h"

#include <algorithm>

namespace holdfast::lab {

using namespace std::chrono_literals;

namespace {

constexpr Duration longest_expires = 300s;
constexpr Duration longest_keep_alive = 100s;  // of a stream (K1)

std::string number(double value) { return std::to_string(value).substr(0, 5); }

}  // namespace

RandomWorld::RandomWorld(std::uint64_t seed) : random_(seed_from_number(seed)) {
    link_.one_way_delay = random_.between(1ms, 60ms);
    if (chance(0.5)) link_.jitter = random_.between(0ms, 20ms);
    if (chance(0.4)) link_.loss = 0.03 * random_.unit();
    if (chance(0.2)) link_.duplication = 0.02;
    if (chance(0.2)) link_.reorder = 0.05;
    Seed seed_of_world{};
    random_.fill(seed_of_world);
    world_ = std::make_unique<World>(seed_of_world, link_);
    note("seed " + std::to_string(seed) + ", one way " + number(seconds_of(link_.one_way_delay)) +
         " s, loss " + number(link_.loss));
    draw_cluster();
    draw_dns();
    draw_phones();
}

void RandomWorld::note(const std::string& what) {
    text_.append(number(world_ ? seconds_of(world_->elapsed()) : 0)).append("  ").append(what);
    text_ += '\n';
    if (world_) world_->internet().ladder().note(world_->now(), what);
}

void RandomWorld::draw_cluster() {
    const auto count = 1 + random_.below(4);
    const auto families = random_.below(6);  // mostly IPv4
    std::vector<std::string> nodes;
    for (std::size_t i = 0; i < count; ++i) {
        const auto octet = std::to_string(11 + i);
        const auto v4 = "203.0.113." + octet;
        const auto v6 = "2001:db8:b::" + octet;
        const auto both = std::string(v4).append(" ").append(v6);
        nodes.push_back(families == 0 ? v6 : families == 1 ? both : v4);
    }
    ClusterOptions options;
    options.location =
        one_of({Location::shared, Location::shared, Location::separate, Location::replicated});
    shared_location_ = options.location != Location::separate;
    auto& server = options.server;
    server.rules.outbound = chance(0.3);
    if (server.rules.outbound && chance(0.5)) server.rules.flow_timer = 25;
    server.rules.min_expires = one_of({10U, 60U, 120U});
    server.rules.equal_cseq = one_of({EqualCseq::refuse, EqualCseq::accept_without_storing});
    if (chance(0.1)) server.rules.max_contacts = 2;
    server.digest.nonce_lifetime = one_of({30s, 300s});
    server.digest.algorithm = one_of({sip::DigestAlgorithm::md5, sip::DigestAlgorithm::sha256});
    server.use_received = chance(0.3);
    server.stun = chance(0.2);
    server.pong = chance(0.8);
    server.options_to_aor = chance(0.2) ? OptionsToAor::answer : OptionsToAor::forward;
    cluster_ = &world_->add_registrars(nodes, options);
    note(std::to_string(count) + " registrars, families " + std::to_string(families) +
         ", location service " + std::to_string(static_cast<int>(options.location)) +
         (server.rules.outbound ? ", outbound" : "") +
         (server.rules.max_contacts > 0 ? ", max_contacts" : "") + (server.stun ? ", stun" : ""));
}

void RandomWorld::draw_dns() {
    const RecordOptions records{.ttl = one_of({5s, 30s, 60s, 300s}), .rotate = chance(0.6)};
    auto& dns = world_->dns();
    if (chance(0.6)) {
        dns.a("example.test", cluster_->addresses(), records);
        dns.aaaa("example.test", cluster_->addresses(), records);
        note("A and AAAA, TTL " + number(seconds_of(records.ttl)));
        return;
    }
    const bool priorities = chance(0.5);
    for (const auto transport : {Transport::udp, Transport::tcp, Transport::tls}) {
        std::vector<dns::Srv> services;
        for (std::size_t i = 0; i < cluster_->size(); ++i) {
            const auto host = "node" + std::to_string(i + 1) + ".example.test";
            dns.a(host, cluster_->node(i).addresses(), {.ttl = records.ttl});
            dns.aaaa(host, cluster_->node(i).addresses(), {.ttl = records.ttl});
            services.push_back({static_cast<std::uint16_t>(priorities ? 10 * (i + 1) : 10),
                                static_cast<std::uint16_t>(10 * i), default_port(transport), host});
        }
        const auto* name = transport == Transport::udp   ? "_sip._udp.example.test"
                           : transport == Transport::tcp ? "_sip._tcp.example.test"
                                                         : "_sips._tcp.example.test";
        dns.srv(name, services, records);
    }
    note(std::string("SRV") + (priorities ? " with priorities" : " with weights"));
}

void RandomWorld::draw_phones() {
    const auto count = 1 + random_.below(3);
    Nat* nat = nullptr;
    if (chance(0.8)) {
        NatOptions options;
        options.mapping = one_of({Dependence::endpoint_independent, Dependence::address_dependent,
                                  Dependence::address_and_port_dependent});
        options.filtering =
            one_of({Dependence::endpoint_independent, Dependence::address_and_port_dependent});
        options.ports =
            one_of({PortChoice::preserving, PortChoice::sequential, PortChoice::random});
        options.udp_timeout = one_of({30s, 60s, 180s});
        nat = &world_->add_nat(options);
        note("NAT: mapping " + std::to_string(static_cast<int>(options.mapping)) +
             ", UDP timeout " + number(seconds_of(options.udp_timeout)));
    }
    for (std::size_t i = 0; i < count; ++i) {
        PhoneOptions options;
        options.name = "phone" + std::to_string(i + 1);
        options.aor = "sip:" + options.name + "@example.test";
        options.transport = one_of<std::optional<Transport>>(
            {Transport::udp, Transport::udp, Transport::tcp, Transport::tls, std::nullopt});
        options.expires = one_of({60s, 120s, 300s});
        options.behind = nat;
        const auto families = cluster_->addresses();
        options.ipv6 =
            std::ranges::any_of(families, [](const auto& a) { return a.family() == Family::ipv6; });
        options.resolver_cache = chance(0.3);
        note(options.name + " over " +
             (options.transport ? std::string(name_of(*options.transport)) : "auto"));
        if (chance(0.5))
            others_.push_back(
                std::make_unique<OtherDevice>(*cluster_, options.aor, world_->now() + 24h));
        watches_.push_back(std::make_unique<OutstandingWatch>(options.name));
        options.watch = [watch = watches_.back().get()](Instant now, const AccountStatus& status) {
            watch->look(now, status);
        };
        phones_.push_back(&world_->add_phone(std::move(options)));
    }
}

void RandomWorld::suffer(Duration duration) {
    const auto end = world_->now() + duration;
    world_->run_for(random_.between(0s, 20s));
    while (world_->now() < end) {
        one_fault();
        world_->run_for(
            std::min(random_.between(1s, 60s), std::max(end - world_->now(), Duration{1})));
    }
}

Complaints RandomWorld::rotate_only(Duration duration) {
    world_->internet().link().set({.one_way_delay = link_.one_way_delay});
    world_->run_for(duration);
    Complaints complaints;
    for (const auto* phone : phones_)
        if (const auto moves = moves_of(*phone); moves > 0)
            complaints.push_back("I3: " + phone->name() + " moved " + std::to_string(moves) +
                                 " times, and nothing had happened");
    check_registered(complaints);
    return complaints;
}

void RandomWorld::one_fault() {
    const auto kind = random_.below(10);
    if (kind < 5) return node_fault(cluster_->node(random_.below(cluster_->size())));
    if (kind < 8) return phone_fault(*phones_[random_.below(phones_.size())]);
    network_fault();
}

void RandomWorld::node_fault(Registrar& node) {
    switch (random_.below(12)) {
    case 0:
    case 1: note(node.name() + " goes silent"), node.silence(); break;
    case 2: note(node.name() + " goes mute"), node.mute(); break;
    case 3: note(node.name() + " refuses"), node.refuse(); break;
    case 4: note(node.name() + " is prohibited"), node.refuse(IcmpReason::prohibited); break;
    case 5: note(node.name() + " answers 503"), node.answer_with(one_of({500, 503})); break;
    case 6: note(node.name() + " answers 503, retry after 10"), node.answer_with(503, 10); break;
    case 7: note(node.name() + " is slow"), node.slow_down(random_.between(100ms, 3s)); break;
    case 8:
        note(node.name() + " loses answers"), node.lose_answers(static_cast<int>(random_.below(4)));
        break;
    case 9: note(node.name() + " restarts"), node.restart(false); break;
    default: note(node.name() + " heals"), node.heal(); break;
    }
}

void RandomWorld::phone_fault(Phone& phone) {
    switch (random_.below(6)) {
    case 0:
        note(phone.name() + " crashes and starts again");
        phone.crash();
        world_->run_for(random_.between(0s, 10s));
        phone.start();
        break;
    case 1:
        note(phone.name() + " loses power for a while");
        phone.lose_power();
        world_->run_for(random_.between(1s, 30s));
        phone.start();
        break;
    case 2:
        note(phone.name() + " sleeps for a while");
        phone.sleep();
        world_->run_for(random_.between(1s, 100s));
        phone.wake();
        break;
    case 3:
        note(phone.name() + " is unplugged for a while");
        phone.unplug();
        world_->run_for(random_.between(100ms, 20s));
        phone.plug_in();
        break;
    case 4:
        note(phone.name() + " is told to register now");
        phone.give(in::RegisterNow{});
        break;
    default:
        note(phone.name() + " has no DNS");
        phone.fail_dns({.status = one_of({dns::Status::servfail, dns::Status::timed_out,
                                          dns::Status::nxdomain})});
        break;
    }
}

void RandomWorld::network_fault() {
    switch (random_.below(6)) {
    case 0:
    case 1:
        if (world_->nats().empty()) break;
        note("the NAT forgets its mappings");
        world_->nats().front()->rebind();
        break;
    case 2: note("DNS fails"), world_->dns().fail({.status = dns::Status::servfail}); break;
    case 3: note("DNS is slow"), world_->dns().fail({.delay = random_.between(100ms, 12s)}); break;
    case 4: note("all registrars go silent"), cluster_->silence(); break;
    default: {
        auto worse = link_;
        worse.loss = 0.3 * random_.unit();
        note("loss " + number(worse.loss));
        world_->internet().link().set(worse);
        break;
    }
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

void RandomWorld::check_registered(Complaints& complaints) {
    const auto all = [&] {
        return std::ranges::all_of(phones_, [&](const Phone* phone) {
            return phone->is_registered() || !knows_targets(*phone);
        });
    };
    if (world_->run_until(all, 35s) == Stop::goal) return;
    for (const auto* phone : phones_)
        if (!phone->is_registered() && knows_targets(*phone))
            complaints.push_back(
                "I1: " + phone->name() +
                " is not registered after 35 s of quiet: " + phone->status().state);
}

// K3: a mapping that changed too often is left alone for 5 min. Until then nothing has settled.
bool RandomWorld::rests(const Phone& phone) const {
    constexpr Duration rest = 5min;
    return std::ranges::any_of(phone.events(), [&](const TimedEvent& e) {
        return e.event.kind == EventKind::mapping_changed && !e.event.reason.empty() &&
               e.at + rest > world_->now();
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
    check_registered(complaints);
    // What broke in the last bad second is found by the next keep-alive, and settled 10 s after
    // that.
    world_->run_for(longest_keep_alive + 22s);
    if (shared_location_) check_stale(complaints, "10 s after things settled");
    world_->run_for(longest_expires + 10s);
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

}  // namespace holdfast::lab
