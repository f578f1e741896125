#include "lab/swarm_plan.h"

#include <algorithm>
#include <initializer_list>
#include <utility>

namespace holdfast::lab {

using namespace std::chrono_literals;

namespace {

// Draws a plan in one order, always: what is drawn later never changes what was drawn before.
class Drawing {
public:
    explicit Drawing(std::uint64_t seed) : random_(seed_from_number(seed)) { plan_.number = seed; }

    WorldPlan draw(Duration suffering) {
        draw_link();
        draw_cluster();
        draw_dns();
        draw_phones();
        draw_faults(suffering);
        return std::move(plan_);
    }

private:
    void draw_link();
    void draw_cluster();
    void draw_dns();
    void draw_phones();
    void draw_faults(Duration suffering);
    void draw_node_fault();
    void draw_phone_fault();
    void draw_network_fault();
    void add(PlannedFault fault);

    bool chance(double share) { return random_.unit() < share; }
    template <class T>
    T one_of(std::initializer_list<T> choices) {
        return *(choices.begin() + static_cast<std::ptrdiff_t>(random_.below(choices.size())));
    }

    Random random_;
    WorldPlan plan_;
    Duration now_{};
};

void Drawing::draw_link() {
    auto& link = plan_.link;
    link.one_way_delay = random_.between(1ms, 60ms);
    if (chance(0.5)) link.jitter = random_.between(0ms, 20ms);
    if (chance(0.4)) link.loss = 0.03 * random_.unit();
    if (chance(0.2)) link.duplication = 0.02;
    if (chance(0.2)) link.reorder = 0.05;
    random_.fill(plan_.seed);
}

void Drawing::draw_cluster() {
    const auto count = 1 + random_.below(4);
    plan_.families = random_.below(6);  // mostly IPv4
    for (std::size_t i = 0; i < count; ++i) {
        const auto octet = std::to_string(11 + i);
        const auto v4 = "203.0.113." + octet;
        const auto v6 = "2001:db8:b::" + octet;
        const auto both = std::string(v4).append(" ").append(v6);
        plan_.nodes.push_back({.addresses = plan_.families == 0   ? v6
                                            : plan_.families == 1 ? both
                                                                  : v4});
    }
    auto& options = plan_.cluster;
    options.location =
        one_of({Location::shared, Location::shared, Location::separate, Location::replicated});
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
}

void Drawing::draw_dns() {
    plan_.records.ttl = one_of({5s, 30s, 60s, 300s});
    plan_.records.rotate = chance(0.6);
    plan_.srv = !chance(0.6);
    if (plan_.srv) plan_.priorities = chance(0.5);
}

void Drawing::draw_phones() {
    const auto count = 1 + random_.below(3);
    plan_.has_nat = chance(0.8);
    if (plan_.has_nat) {
        auto& options = plan_.nat.emplace();
        options.mapping = one_of({Dependence::endpoint_independent, Dependence::address_dependent,
                                  Dependence::address_and_port_dependent});
        options.filtering =
            one_of({Dependence::endpoint_independent, Dependence::address_and_port_dependent});
        options.ports =
            one_of({PortChoice::preserving, PortChoice::sequential, PortChoice::random});
        options.udp_timeout = one_of({30s, 60s, 180s});
    }
    for (std::size_t i = 0; i < count; ++i) {
        PlannedPhone phone;
        phone.transport = one_of<std::optional<Transport>>(
            {Transport::udp, Transport::udp, Transport::tcp, Transport::tls, std::nullopt});
        phone.expires = one_of({60s, 120s, 300s});
        phone.resolver_cache = chance(0.3);
        phone.has_other_device = chance(0.5);
        plan_.phones.push_back(phone);
    }
}

void Drawing::draw_faults(Duration suffering) {
    now_ = random_.between(0s, 20s);
    while (now_ < suffering) {
        const auto kind = random_.below(10);
        if (kind < 5)
            draw_node_fault();
        else if (kind < 8)
            draw_phone_fault();
        else
            draw_network_fault();
        now_ += std::min(random_.between(1s, 60s), std::max(suffering - now_, Duration{1}));
    }
    plan_.ends = suffering;
}

void Drawing::add(PlannedFault fault) {
    fault.number = plan_.faults.size() + 1;
    fault.at = now_;
    now_ += fault.lasts;
    plan_.faults.push_back(fault);
}

void Drawing::draw_node_fault() {
    PlannedFault fault{.whom = random_.below(plan_.nodes.size())};
    switch (random_.below(12)) {
    case 0:
    case 1: fault.kind = FaultKind::node_silent; break;
    case 2: fault.kind = FaultKind::node_mute; break;
    case 3: fault.kind = FaultKind::node_refuses; break;
    case 4: fault.kind = FaultKind::node_prohibited; break;
    case 5:
        fault.kind = FaultKind::node_fails;
        fault.status = one_of({500, 503});
        break;
    case 6:
        fault.kind = FaultKind::node_fails;
        fault.status = 503;
        fault.count = 10;
        break;
    case 7:
        fault.kind = FaultKind::node_slow;
        fault.delay = random_.between(100ms, 3s);
        break;
    case 8:
        fault.kind = FaultKind::node_loses_answers;
        fault.count = static_cast<int>(random_.below(4));
        break;
    case 9: fault.kind = FaultKind::node_restarts; break;
    default: fault.kind = FaultKind::node_heals; break;
    }
    add(fault);
}

void Drawing::draw_phone_fault() {
    PlannedFault fault{.whom = random_.below(plan_.phones.size())};
    switch (random_.below(6)) {
    case 0:
        fault.kind = FaultKind::phone_crashes;
        fault.lasts = random_.between(0s, 10s);
        break;
    case 1:
        fault.kind = FaultKind::phone_loses_power;
        fault.lasts = random_.between(1s, 30s);
        break;
    case 2:
        fault.kind = FaultKind::phone_sleeps;
        fault.lasts = random_.between(1s, 100s);
        break;
    case 3:
        fault.kind = FaultKind::phone_unplugged;
        fault.lasts = random_.between(100ms, 20s);
        break;
    case 4: fault.kind = FaultKind::phone_registers_now; break;
    default:
        fault.kind = FaultKind::phone_without_dns;
        fault.dns = one_of({dns::Status::servfail, dns::Status::timed_out, dns::Status::nxdomain});
        break;
    }
    add(fault);
}

void Drawing::draw_network_fault() {
    PlannedFault fault;
    switch (random_.below(6)) {
    case 0:
    case 1:
        if (!plan_.nat) return;
        fault.kind = FaultKind::nat_rebinds;
        break;
    case 2:
        fault.kind = FaultKind::dns_fails;
        fault.dns = dns::Status::servfail;
        break;
    case 3:
        fault.kind = FaultKind::dns_slow;
        fault.delay = random_.between(100ms, 12s);
        break;
    case 4: fault.kind = FaultKind::all_silent; break;
    default:
        fault.kind = FaultKind::link_loses;
        fault.loss = 0.3 * random_.unit();
        break;
    }
    add(fault);
}

// What a fault is about, if that takes part.
bool is_about_a_part(const WorldPlan& plan, const PlannedFault& fault) {
    switch (fault.kind) {
    case FaultKind::node_silent:
    case FaultKind::node_mute:
    case FaultKind::node_refuses:
    case FaultKind::node_prohibited:
    case FaultKind::node_fails:
    case FaultKind::node_slow:
    case FaultKind::node_loses_answers:
    case FaultKind::node_restarts:
    case FaultKind::node_heals: return plan.nodes[fault.whom].is_listed;
    case FaultKind::phone_crashes:
    case FaultKind::phone_loses_power:
    case FaultKind::phone_sleeps:
    case FaultKind::phone_unplugged:
    case FaultKind::phone_registers_now:
    case FaultKind::phone_without_dns: return plan.phones[fault.whom].takes_part;
    case FaultKind::nat_rebinds: return plan.has_nat;
    case FaultKind::dns_fails:
    case FaultKind::dns_slow:
    case FaultKind::all_silent:
    case FaultKind::link_loses: return true;
    }
    return true;
}

std::string numbered(std::string_view word, std::size_t number) {
    return std::string(word) + std::to_string(number);
}

}  // namespace

std::string WorldPlan::name_of_phone(std::size_t index) const {
    return numbered("phone", index + 1);
}

WorldPlan draw_world(std::uint64_t number, Duration suffering) {
    return Drawing(number).draw(suffering);
}

std::vector<std::string> parts_of(const WorldPlan& plan) {
    std::vector<std::string> parts;
    parts.reserve(plan.faults.size());
    // The faults first: who shrinks a world tries to leave out the first half before the others.
    for (const auto& fault : plan.faults) parts.push_back(numbered("fault", fault.number));
    for (std::size_t i = 0; i < plan.phones.size(); ++i) {
        if (!plan.phones[i].takes_part) continue;
        parts.push_back(plan.name_of_phone(i));
        if (plan.phones[i].has_other_device) parts.push_back(numbered("other", i + 1));
    }
    for (std::size_t i = 0; i < plan.nodes.size(); ++i)
        if (plan.nodes[i].is_listed) parts.push_back(numbered("node", i + 1));
    if (plan.has_nat) parts.emplace_back("nat");
    if (plan.link.jitter > 0us) parts.emplace_back("jitter");
    if (plan.link.loss > 0) parts.emplace_back("loss");
    if (plan.link.duplication > 0) parts.emplace_back("duplication");
    if (plan.link.reorder > 0) parts.emplace_back("reorder");
    return parts;
}

std::expected<void, std::string> keep_only(WorldPlan& plan, const std::set<std::string>& parts) {
    const auto known = parts_of(plan);
    for (const auto& part : parts)
        if (std::ranges::find(known, part) == known.end())
            return std::unexpected("world " + std::to_string(plan.number) + " has no " + part);
    const auto keeps = [&](const std::string& part) { return parts.contains(part); };
    const auto has = [&](std::string_view word) {
        return std::ranges::any_of(parts, [&](const auto& p) { return p.starts_with(word); });
    };
    if (!has("phone") || !has("node"))
        return std::unexpected("a world needs a phone and a node: phone1, node1, …");
    for (std::size_t i = 0; i < plan.phones.size(); ++i) {
        auto& phone = plan.phones[i];
        phone.takes_part = keeps(plan.name_of_phone(i));
        phone.has_other_device = phone.takes_part && keeps(numbered("other", i + 1));
    }
    for (std::size_t i = 0; i < plan.nodes.size(); ++i)
        plan.nodes[i].is_listed = keeps(numbered("node", i + 1));
    plan.has_nat = keeps("nat");
    if (!keeps("jitter")) plan.link.jitter = 0us;
    if (!keeps("loss")) plan.link.loss = 0;
    if (!keeps("duplication")) plan.link.duplication = 0;
    if (!keeps("reorder")) plan.link.reorder = 0;
    std::erase_if(plan.faults, [&](const PlannedFault& fault) {
        return !keeps(numbered("fault", fault.number)) || !is_about_a_part(plan, fault);
    });
    return {};
}

std::string short_number(double value) {
    constexpr std::size_t enough = 5;
    auto text = std::to_string(value);  // six digits after the point
    text.resize(std::max(enough, text.find('.')));
    if (text.ends_with('.')) text.pop_back();
    return text;
}

std::string short_seconds(Duration duration) { return short_number(seconds_of(duration)); }

std::string words_of(const WorldPlan& plan, const PlannedFault& fault) {
    const auto node = numbered("node", fault.whom + 1);
    const auto phone = plan.name_of_phone(fault.whom);
    switch (fault.kind) {
    case FaultKind::node_silent: return node + " goes silent";
    case FaultKind::node_mute: return node + " goes mute";
    case FaultKind::node_refuses: return node + " refuses";
    case FaultKind::node_prohibited: return node + " is prohibited";
    case FaultKind::node_fails:
        return node + " answers " + std::to_string(fault.status) +
               (fault.count > 0 ? ", retry after " + std::to_string(fault.count) : "");
    case FaultKind::node_slow: return node + " is slow by " + short_seconds(fault.delay) + " s";
    case FaultKind::node_loses_answers:
        return node + " loses " + std::to_string(fault.count) + " answers";
    case FaultKind::node_restarts: return node + " restarts";
    case FaultKind::node_heals: return node + " heals";
    case FaultKind::phone_crashes: return phone + " crashes and starts again";
    case FaultKind::phone_loses_power: return phone + " loses power for a while";
    case FaultKind::phone_sleeps: return phone + " sleeps for a while";
    case FaultKind::phone_unplugged: return phone + " is unplugged for a while";
    case FaultKind::phone_registers_now: return phone + " is told to register now";
    case FaultKind::phone_without_dns:
        return phone + " has no DNS: " + std::string(dns::name_of(fault.dns));
    case FaultKind::nat_rebinds: return "the NAT forgets its mappings";
    case FaultKind::dns_fails: return "DNS fails";
    case FaultKind::dns_slow: return "DNS is slow by " + short_seconds(fault.delay) + " s";
    case FaultKind::all_silent: return "all registrars go silent";
    case FaultKind::link_loses: return "loss " + short_number(fault.loss);
    }
    return {};
}

}  // namespace holdfast::lab
