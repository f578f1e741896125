// The part of a world that has phones in it: adding them, healing them, and whether they can be
// reached.
#include <algorithm>

#include "base/check.h"
#include "lab/world.h"

namespace holdfast::lab {

namespace {

std::string inside_address(std::size_t number) {
    return "192.168." + std::to_string(1 + number / 200) + "." + std::to_string(10 + number % 200);
}

std::string public_address(std::size_t number) {
    return "192.0." + std::to_string(number < 150 ? 2 : 10 + number / 150) + "." +
           std::to_string(20 + number % 150);
}

}  // namespace

Phone& World::add_phone(PhoneOptions options) {
    const auto number = phones_.size();
    if (options.addresses.empty() && options.ipv4)
        options.addresses.push_back(options.behind != nullptr ? inside_address(number)
                                                              : public_address(number));
    if (options.ipv6 && (options.addresses.empty() || options.ipv4))
        options.addresses.push_back("2001:db8:a::" + std::to_string(100 + number));
    const auto key = aor_key(options.aor);
    const auto user = options.auth_user.empty() ? key.substr(0, key.find('@')) : options.auth_user;
    for (const auto& cluster : clusters_)
        if (!cluster->knows(user)) cluster->add_user(user, options.password);
    Uplink& uplink = options.behind != nullptr ? static_cast<Uplink&>(*options.behind) : internet_;
    const bool on = options.on;
    auto& phone = *phones_.emplace_back(
        std::make_unique<Phone>(internet_, zone_, uplink, std::move(options)));
    if (host_faults_) phone.fail_with_others(host_faults_);
    if (on) internet_.after({}, [&phone] { phone.start(); });
    return phone;
}

void World::fail_nth(HostFault fault, std::size_t nth) {
    host_faults_ = std::make_shared<HostFaultPlan>(fault, nth);
    for (const auto& phone : phones_) phone->fail_with_others(host_faults_);
}

void World::heal() {
    internet_.ladder().note(internet_.now(), "the world heals");
    internet_.link().set({.one_way_delay = usual_.one_way_delay});
    internet_.cuts().mend_all();
    for (const auto& nat : nats_) nat->cuts().mend_all();
    zone_.heal();
    for (const auto& cluster : clusters_) cluster->heal();
    for (const auto& phone : phones_) {
        phone->plug_in();
        phone->heal_dns();
    }
}

bool World::everyone_registered() const {
    return std::ranges::all_of(phones_, [](const auto& phone) { return phone->is_registered(); });
}

std::string World::stuck_reasons() const {
    std::string text;
    for (const auto& phone : phones_)
        if (!phone->is_registered())
            text += phone->name() + " is not registered: " + phone->status().state + "\n";
    return text;
}

bool World::reaches_over_stream(const Hop& way, const Phone& phone) const {
    const TcpHost* server = nullptr;
    for (const auto& cluster : clusters_)
        if (const auto* node = cluster->node_at(way.local.address)) server = &node->tcp();
    if (server == nullptr) return false;
    const auto open = phone.tcp().connections();
    return std::ranges::any_of(open, [&](const TcpId& id) {
        return phone.tcp().is_same_connection(id, *server, {way.local, way.remote});
    });
}

// At each NAT between them the phone has another address.
bool World::is_cut_off(const Phone& phone, const IpAddress& server) const {
    for (const auto& own : phone.addresses()) {
        if (own.family() != server.family()) continue;
        auto address = own;
        const auto* nat = own.family() == Family::ipv4 ? phone.behind() : nullptr;
        for (; nat != nullptr; nat = nat->outer()) {
            if (nat->cuts().parts(address, server)) return true;
            address = nat->public_address();
        }
        if (internet_.cuts().parts(address, server)) return true;
    }
    return false;
}

bool World::reaches(const Hop& way, const Phone& phone) const {
    if (!phone.is_running() || is_cut_off(phone, way.local.address)) return false;
    if (is_reliable(way.transport)) return reaches_over_stream(way, phone);
    const auto endpoint = phone.udp_endpoint(way.remote.address.family());
    if (!endpoint) return false;
    if (phone.behind() != nullptr && way.remote.address.family() == Family::ipv4)
        return phone.behind()->way_in(false, way.local, way.remote) == endpoint;
    return way.remote == endpoint;
}

bool World::works(const Cluster& cluster, const Registrar& node, const Binding& binding,
                  const Phone& phone) const {
    const auto* owner = cluster.node_at(binding.flow.local.address);
    if (owner == nullptr) return false;
    const bool via_owner =
        node.options().route_via_owner || owner == &node || is_reliable(binding.flow.transport);
    if (via_owner && !owner->is_answering()) return false;
    auto way = owner->way_to(binding);
    if (!way) return false;
    if (!via_owner)
        for (const auto& own : node.addresses())
            if (own.family() == way->local.address.family()) way->local.address = own;
    return reaches(*way, phone);
}

// Several phones may share an AOR: another device's binding is no stale one.
bool World::works_for_anybody(const Cluster& cluster, const Registrar& node, const Binding& binding,
                              const std::string& aor) const {
    return std::ranges::any_of(phones_, [&](const auto& phone) {
        return aor_key(phone->aor()) == aor_key(aor) && works(cluster, node, binding, *phone);
    });
}

std::vector<Binding> World::stale_bindings(const Phone& phone) const {
    std::vector<Binding> stale;
    for (const auto& cluster : clusters_)
        for (const auto& node : cluster->nodes()) {
            if (!node->is_answering()) continue;
            for (const auto& binding : node->location_service().bindings(phone.aor()))
                if (!works_for_anybody(*cluster, *node, binding, phone.aor()) &&
                    std::ranges::find(stale, binding) == stale.end())
                    stale.push_back(binding);
        }
    return stale;
}

bool World::is_reachable(const Phone& phone) const {
    for (const auto& cluster : clusters_)
        for (const auto& node : cluster->nodes()) {
            if (!node->is_answering()) continue;
            for (const auto& binding : node->location_service().bindings(phone.aor()))
                if (works(*cluster, *node, binding, phone)) return true;
        }
    return false;
}

}  // namespace holdfast::lab
