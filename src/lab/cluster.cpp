#include "lab/cluster.h"

#include <algorithm>

#include "base/check.h"

namespace holdfast::lab {

namespace {

std::vector<IpAddress> addresses_of(std::string_view text) {
    std::vector<IpAddress> addresses;
    while (!text.empty()) {
        const auto word = text.substr(0, text.find(' '));
        const auto address = IpAddress::parse(word);
        CHECK(address);
        addresses.push_back(*address);
        text.remove_prefix(std::min(text.size(), word.size() + 1));
    }
    return addresses;
}

}  // namespace

Cluster::Cluster(Internet& internet, const std::vector<std::string>& nodes,
                 const ClusterOptions& options)
    : domain_(options.server.domain), location_(options.location) {
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        if (i == 0 || location_ != Location::shared)
            services_.push_back(std::make_unique<LocationService>(internet));
        nodes_.push_back(std::make_unique<Registrar>(internet, options.name + std::to_string(i + 1),
                                                     addresses_of(nodes[i]), options.server,
                                                     *services_.back()));
    }
    for (auto& from : services_)
        for (auto& to : services_)
            if (location_ == Location::replicated && from != to)
                from->copy_to(*to, options.replication_delay);
    for (const auto& address : addresses()) add_peer(address);
}

Registrar* Cluster::node_at(const IpAddress& address) const {
    const auto found =
        std::ranges::find_if(nodes_, [&](const auto& node) { return node->has(address); });
    return found == nodes_.end() ? nullptr : found->get();
}

std::vector<IpAddress> Cluster::addresses() const {
    std::vector<IpAddress> all;
    for (const auto& node : nodes_)
        all.insert(all.end(), node->addresses().begin(), node->addresses().end());
    return all;
}

LocationService& Cluster::location_service() {
    CHECK(location_ == Location::shared);
    return *services_.front();
}

std::vector<Binding> Cluster::bindings(std::string_view aor) const {
    std::vector<Binding> all;
    for (const auto& service : services_)
        for (const auto& binding : service->bindings(aor))
            if (std::ranges::find(all, binding) == all.end()) all.push_back(binding);
    return all;
}

void Cluster::add_user(const std::string& user, const std::string& password) {
    for (auto& node : nodes_) node->add_user(user, password);
}

bool Cluster::knows(const std::string& user) const { return nodes_.front()->knows(user); }

bool Cluster::takes(const std::string& user, const std::string& password) const {
    return nodes_.front()->takes(user, password);
}

void Cluster::add_peer(const IpAddress& address) {
    for (auto& node : nodes_) node->add_peer(address);
}

void Cluster::silence() {
    for (auto& node : nodes_) node->silence();
}

void Cluster::heal() {
    for (auto& node : nodes_) node->heal();
}

std::size_t Cluster::removals() const {
    std::size_t count = 0;
    for (const auto& node : nodes_) count += node->counters().removals;
    return count;
}

std::size_t Cluster::registers() const {
    std::size_t count = 0;
    for (const auto& node : nodes_) count += node->counters().registers;
    return count;
}

}  // namespace holdfast::lab
