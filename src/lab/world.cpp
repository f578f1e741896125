#include "lab/world.h"

#include <algorithm>

#include "base/check.h"
#include "base/text.h"

namespace holdfast::lab {

namespace {

std::string domain_of(std::string_view aor) {
    const auto key = aor_key(aor);
    return key.substr(key.find('@') + 1);
}

std::string caller_address(std::size_t number, bool ipv6) {
    if (ipv6) return "2001:db8:c::" + std::to_string(200 + number);
    if (number < 50) return "192.0.2." + std::to_string(200 + number);
    return "198.18." + std::to_string(number / 200) + "." + std::to_string(1 + number % 200);
}

}  // namespace

World::World(const Seed& seed, WorldOptions options)
    : internet_(seed, options), usual_(options), zone_(internet_.fork()) {}

Cluster& World::add_registrars(const std::vector<std::string>& nodes,
                               const ClusterOptions& options) {
    return *clusters_.emplace_back(std::make_unique<Cluster>(internet_, nodes, options));
}

Nat& World::add_nat(NatOptions options) {
    const auto number = nats_.size() + 1;
    options.public_address = nat_address(number, options);
    if (options.name == NatOptions{}.name) options.name += std::to_string(number);
    Nat* outer = nullptr;
    for (const auto& nat : nats_)
        if (!options.behind.empty() && nat->options().name == options.behind) outer = nat.get();
    CHECK(options.behind.empty() || outer != nullptr);
    return *nats_.emplace_back(std::make_unique<Nat>(internet_, std::move(options), outer));
}

std::string World::nat_address(std::size_t number, const NatOptions& options) {
    if (options.public_address != NatOptions{}.public_address) return options.public_address;
    return (options.behind.empty() ? "198.51.100." : "100.64.0.") + std::to_string(number);
}

Registrar& World::node_at(const Target& target) {
    for (const auto& cluster : clusters_)
        if (auto* node = cluster->node_at(target.endpoint.address)) return *node;
    CHECK(!"no registrar has this address");
    std::abort();
}

Cluster* World::cluster_of(const std::string& domain) const {
    for (const auto& cluster : clusters_)
        if (equals_ignoring_case(cluster->domain(), domain)) return cluster.get();
    return nullptr;
}

Caller& World::add_caller(CallerOptions options) {
    auto* cluster = cluster_of(domain_of(options.aor));
    CHECK(cluster != nullptr);
    const auto number = callers_.size() + 1;
    const bool ipv6_only = cluster->addresses().front().family() == Family::ipv6;
    if (options.address.empty()) options.address = caller_address(number, ipv6_only);
    auto& caller =
        *callers_.emplace_back(std::make_unique<Caller>(internet_, *cluster, std::move(options)));
    caller.start();
    return caller;
}

void World::at(Duration since_start, std::function<void()> action) {
    internet_.at(Internet::start + since_start, std::move(action));
}

Stop World::run_until(const std::function<bool()>& goal, Duration limit) {
    const auto end = internet_.now() + limit;
    while (!goal()) {
        if (internet_.idle()) return Stop::idle;
        if (internet_.step(end)) continue;
        internet_.advance_to(end);
        return goal() ? Stop::goal : Stop::time_out;
    }
    return Stop::goal;
}

void World::run_for(Duration duration) {
    const auto end = internet_.now() + duration;
    while (internet_.step(end)) {
    }
    internet_.advance_to(end);
}

double World::share_of_time(Duration duration, Duration every,
                            const std::function<bool()>& sample) {
    std::size_t samples = 0;
    std::size_t hits = 0;
    for (Duration past{}; past < duration; past += every) {
        ++samples;
        if (sample()) ++hits;
        run_for(every);
    }
    return static_cast<double>(hits) / static_cast<double>(samples);
}

}  // namespace holdfast::lab
