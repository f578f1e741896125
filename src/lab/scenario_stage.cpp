#include "lab/scenario_stage.h"

#include <algorithm>

#include "base/check.h"
#include "base/text.h"
#include "registration/policy.h"

namespace holdfast::lab::scenario {

namespace {

std::string aor_of(const PhonePlan& plan, const std::string& name, const std::string& domain) {
    if (plan.aor.empty()) return "sip:" + name + "@" + domain;
    if (plan.count == 1) return plan.aor;
    const auto at = plan.aor.find('@');
    return plan.aor.substr(0, at) + name.substr(plan.name.size()) + plan.aor.substr(at);
}

// The last two octets count, so that each is new until there have been 50'000 of them: then the
// first ones are free again, as leases are. No phone or caller of the world begins with such a
// prefix.
std::string new_address_in(const std::string& prefix, std::uint32_t number) {
    return prefix + std::to_string(number / 200 % 250) + "." + std::to_string(10 + number % 200);
}

void set_all(registration::Policy& policy, const PolicyValues& values) {
    for (const auto& [key, value] : values) CHECK(registration::set(policy, key, value));
}

}  // namespace

Stage::Stage(const Scenario& scenario, const RunOptions& options)
    : scenario_(scenario), world_(seed_from_number(options.seed), scenario.link) {
    build_clusters();
    for (const auto& records : scenario_.dns) set_records(records);
    build_nats();
    build_phones(options);
    build_callers();
}

void Stage::build_clusters() {
    for (const auto& plan : scenario_.clusters) {
        auto& cluster = world_.add_registrars(plan.nodes, plan.options);
        for (const auto& [user, password] : plan.users) cluster.add_user(user, password);
        for (const auto& node : cluster.nodes()) nodes_[node->name()] = node.get();
    }
}

void Stage::build_nats() {
    for (const auto& options : scenario_.nats) nats_[options.name] = &world_.add_nat(options);
}

void Stage::set_records(const RecordsPlan& records) {
    auto& dns = world_.dns();
    const auto of_family = [&](Family family) {
        return std::ranges::any_of(records.addresses,
                                   [&](const auto& a) { return a.family() == family; });
    };
    if (of_family(Family::ipv4)) dns.a(records.name, records.addresses, records.options);
    if (of_family(Family::ipv6)) dns.aaaa(records.name, records.addresses, records.options);
    if (!records.srv.empty()) dns.srv(records.name, records.srv, records.options);
    if (!records.naptr.empty()) dns.naptr(records.name, records.naptr, records.options);
    if (!records.cname.empty()) dns.cname(records.name, records.cname, records.options);
}

void Stage::build_phones(const RunOptions& run) {
    for (const auto& plan : scenario_.phones)
        for (std::uint32_t i = 1; i <= plan.count; ++i) {
            const auto name = plan.count == 1 ? plan.name : plan.name + std::to_string(i);
            PhoneOptions options;
            options.name = name;
            options.aor = aor_of(plan, name, scenario_.clusters.front().options.server.domain);
            options.password = plan.password;
            options.transport = plan.transport;
            options.preset = plan.preset.value_or(run.preset);
            auto values = plan.policy;
            if (!plan.preset) values.insert(values.end(), run.policy.begin(), run.policy.end());
            options.tune = [values](registration::Policy& policy) { set_all(policy, values); };
            options.expires = plan.expires;
            options.flows = plan.flows;
            options.behind = plan.behind.empty() ? nullptr : nats_.at(plan.behind);
            options.registrar = plan.registrar;
            options.outbound_proxy = plan.outbound_proxy;
            for (const auto& uri : plan.backups)
                options.backups.push_back({.uri = uri, .domain = {}});
            options.ipv4 = plan.ipv4;
            options.ipv6 = plan.ipv6;
            options.resolver_cache = plan.resolver_cache;
            options.on = false;
            const auto preset = options.preset;
            actors_.push_back({.phone = &world_.add_phone(std::move(options)),
                               .plan = plan.name,
                               .preset = preset,
                               .on_at = plan.on,
                               .callers = {}});
        }
}

void Stage::build_callers() {
    for (const auto& plan : scenario_.callers)
        for (auto& actor : actors_) {
            if (!plan.phone.empty() && plan.phone != actor.plan) continue;
            const auto call = [this, plan, &actor] {
                actor.callers.push_back(&world_.add_caller({.aor = actor.phone->aor(),
                                                            .kind = plan.kind,
                                                            .every = plan.every,
                                                            .patience = plan.patience,
                                                            .every_node = plan.every_node}));
            };
            world_.at(plan.from, call);
        }
}

void Stage::switch_on(Actor& actor) {
    if (!actor.awake) actor.phone->wake();
    actor.phone->start();
    actor.on = true;
    actor.awake = true;
}

Stage::Actor& Stage::first_of(std::string_view plan) {
    const auto found = std::ranges::find_if(
        actors_, [&](const Actor& actor) { return plan.empty() || actor.plan == plan; });
    CHECK(found != actors_.end());
    return *found;
}

Registrar* Stage::node_at(const IpAddress& address) {
    for (const auto& cluster : world_.clusters())
        if (auto* node = cluster->node_at(address)) return node;
    return nullptr;
}

std::string Stage::node_name(const Target& target) {
    const auto* node = node_at(target.endpoint.address);
    return node == nullptr ? target.endpoint.to_string() : node->name();
}

std::size_t Stage::bans() {
    std::size_t bans = 0;
    for (const auto& [name, node] : nodes_) bans += node->ban_filter().bans();
    return bans;
}

Registrar* Stage::chosen_node(const EventPlan& event, const Phone& phone) {
    if (event.choice == NodeChoice::current || event.choice == NodeChoice::all_but_current) {
        const auto target = phone.current_target();
        return target ? node_at(target->endpoint.address) : nullptr;
    }
    const std::size_t place = event.choice == NodeChoice::first_choice    ? 0
                              : event.choice == NodeChoice::second_choice ? 1
                                                                          : 2;
    // Several transports may lead to one node: it is counted once.
    std::vector<Registrar*> found;
    for (const auto& target : phone.ranking())
        if (auto* node = node_at(target.endpoint.address);
            node != nullptr && std::ranges::find(found, node) == found.end())
            found.push_back(node);
    return place < found.size() ? found[place] : nullptr;
}

std::vector<Registrar*> Stage::nodes_of(const EventPlan& event) {
    if (event.choice == NodeChoice::named) return {nodes_.at(event.subject)};
    std::vector<Registrar*> all;
    all.reserve(nodes_.size());
    for (const auto& [name, node] : nodes_) all.push_back(node);
    if (event.choice == NodeChoice::all) return all;
    auto* chosen = chosen_node(event, *first_of(event.of).phone);
    if (event.choice == NodeChoice::all_but_current) {
        std::erase(all, chosen);
        return all;
    }
    // A phone that asks nobody, or is registered nowhere, has no such node: nothing breaks.
    if (chosen == nullptr) return {};
    return {chosen};
}

bool Stage::perform(const EventPlan& event) {
    world_.internet().ladder().note(world_.now(), label_of(event));
    if (event.deed <= Deed::node_heals) {
        const auto nodes = nodes_of(event);
        for (auto* node : nodes) perform_at_node(event, *node);
        return !nodes.empty();
    }
    if (event.deed >= Deed::cut_both_ways && event.deed <= Deed::cut_heals)
        return perform_cut(event);
    if (event.deed <= Deed::phone_registers_now && event.deed > Deed::nat_changes_timeout) {
        bool hit = false;
        for (auto& actor : actors_) {
            if (!event.subject.empty() && actor.plan != event.subject) continue;
            perform_at_phone(event, actor);
            hit = true;
        }
        return hit;
    }
    if (event.deed <= Deed::dns_heals) {
        perform_in_dns(event);
    } else if (event.deed <= Deed::nat_changes_timeout) {
        perform_at_nat(event, *nats_.at(event.subject));
    } else if (event.deed == Deed::link_changes) {
        world_.internet().link().set(event.link);
    } else {
        heal_all();
    }
    return true;
}

// What was broken works again; what was changed stays so, and nobody is woken or switched on.
void Stage::heal_all() {
    world_.heal();
    cut_ways_.clear();
    bring_back("");
    world_.internet().link().set(scenario_.link);
    EventPlan heals;
    heals.deed = Deed::node_heals;
    for (const auto& [name, node] : nodes_) perform_at_node(heals, *node);
    for (auto& actor : actors_) actor.plugged_in = true;
}

void Stage::perform_at_node(const EventPlan& event, Registrar& node) {
    switch (event.deed) {
    case Deed::node_silent: return node.silence();
    case Deed::node_mute: return node.mute();
    case Deed::node_refuses: return node.refuse();
    case Deed::node_prohibits: return node.refuse(IcmpReason::prohibited);
    case Deed::node_answers: return node.answer_with(event.status, event.retry_after);
    case Deed::node_slow: return node.slow_down(event.delay);
    case Deed::node_filters_options: return node.filter_options();
    case Deed::node_loses_answers: return node.lose_answers(event.times);
    case Deed::node_restarts: return node.restart(event.forgets);
    case Deed::node_certificate_expires: {
        auto certificate = node.certificate();
        certificate.expired = true;
        return node.set_certificate(std::move(certificate));
    }
    case Deed::node_heals: {
        auto certificate = node.certificate();
        certificate.expired = false;
        node.set_certificate(std::move(certificate));
        return node.heal();
    }
    default: CHECK(!"an event of something else");
    }
}

// A name that has vanished has what the scenario begins with; "": each of them.
void Stage::bring_back(const std::string& name) {
    for (const auto& records : scenario_.dns) {
        const auto key = lower_case(records.name);
        if (vanished_.contains(key) && (name.empty() || lower_case(name) == key))
            set_records(records);
    }
    if (name.empty())
        vanished_.clear();
    else
        vanished_.erase(lower_case(name));
}

void Stage::perform_in_dns(const EventPlan& event) {
    auto& dns = world_.dns();
    const DnsFault fault{.status = event.failure, .delay = event.delay};
    if (event.deed == Deed::dns_heals) {
        bring_back(event.subject);
        return event.subject.empty() ? dns.heal() : dns.heal(event.subject);
    }
    if (event.deed == Deed::dns_removes) {
        vanished_.insert(lower_case(event.subject));
        return dns.remove(event.subject);
    }
    if (event.deed == Deed::dns_changes) {
        vanished_.erase(lower_case(event.subject));
        return set_records(event.records);
    }
    if (event.subject.empty()) return dns.fail(fault);
    dns.fail(event.subject, fault);
}

void Stage::perform_at_nat(const EventPlan& event, Nat& nat) {
    if (event.deed == Deed::nat_reboots) return nat.rebind();
    if (event.deed == Deed::nat_changes_timeout) return nat.set_udp_timeout(event.delay);
    const auto address = IpAddress::parse(event.address);
    CHECK(address);
    nat.rebind(*address);
}

void Stage::perform_at_phone(const EventPlan& event, Actor& actor) {
    auto& phone = *actor.phone;
    switch (event.deed) {
    case Deed::phone_sleeps: actor.awake = false; return phone.sleep();
    case Deed::phone_wakes: actor.awake = true; return phone.wake();
    case Deed::phone_crashes: actor.on = false; return phone.crash();
    case Deed::phone_loses_power: actor.on = false; return phone.lose_power();
    case Deed::phone_starts: return switch_on(actor);
    case Deed::phone_shuts_down: actor.on = false; return phone.shut_down();
    case Deed::phone_is_unplugged: actor.plugged_in = false; return phone.unplug();
    case Deed::phone_is_plugged_in: actor.plugged_in = true; return phone.plug_in();
    case Deed::phone_moves: actor.plugged_in = true; return move(event, phone);
    case Deed::phone_loses_dns: return phone.fail_dns({event.failure, event.delay});
    case Deed::phone_finds_dns: return phone.heal_dns();
    case Deed::phone_changes_password:
        return phone.give(
            in::ChangePassword{Phone::account, Redacted<std::string>(event.password)});
    case Deed::phone_registers_now: return phone.give(in::RegisterNow{});
    default: CHECK(!"an event of something else");
    }
}

// IPv4 addresses behind a NAT are known there alone.
std::vector<Stage::Place> Stage::places_of(const std::string& name) {
    auto& internet = world_.internet();
    std::vector<Place> places;
    if (const auto nat = nats_.find(name); nat != nats_.end()) {
        auto* outer = nat->second->outer();
        places.push_back(
            {nat->second->public_address(), outer != nullptr ? &outer->cuts() : &internet.cuts()});
    }
    if (const auto node = nodes_.find(name); node != nodes_.end())
        for (const auto& address : node->second->addresses())
            places.push_back({address, &internet.cuts()});
    for (const auto& actor : actors_) {
        if (actor.plan != name) continue;
        auto* nat = actor.phone->options().behind;
        for (const auto& address : actor.phone->addresses()) {
            const bool is_inside = nat != nullptr && address.family() == Family::ipv4;
            places.push_back({address, is_inside ? &nat->cuts() : &internet.cuts()});
        }
    }
    return places;
}

// The addresses of this moment: whoever moves away is out of it, as out of the network that broke.
bool Stage::perform_cut(const EventPlan& event) {
    bool hit = false;
    for (auto* node : nodes_of(event)) {
        auto& ways = cut_ways_[{event.cut_off, node->name()}];
        if (event.deed == Deed::cut_heals) {
            for (const auto& way : ways) way.cuts->mend(way.from, way.to);
            hit = hit || !ways.empty();
            ways.clear();
            continue;
        }
        for (const auto& [own, cuts] : places_of(event.cut_off))
            for (const auto& address : node->addresses()) {
                if (address.family() != own.family() || address == own) continue;
                if (event.deed != Deed::cut_way_in) ways.push_back({cuts, own, address});
                if (event.deed != Deed::cut_way_out) ways.push_back({cuts, address, own});
                hit = true;
            }
        for (const auto& way : ways) way.cuts->cut(way.from, way.to);
    }
    return hit;
}

// To another address, of the internet or inside a NAT; if none is said, to one that nobody has.
void Stage::move(const EventPlan& event, Phone& phone) {
    auto text = event.address;
    if (text.empty())
        text = new_address_in(event.behind.empty() ? "198.19." : "10.11.", new_addresses_++);
    const auto address = IpAddress::parse(text);
    CHECK(address);
    if (!event.behind.empty()) {
        auto* nat = nats_.at(event.behind);
        return phone.change_address({*address}, nat, nat);
    }
    phone.change_address({*address}, &world_.internet(), nullptr);
}

}  // namespace holdfast::lab::scenario
