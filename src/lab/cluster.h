// Registrars of one domain: shared, separate or replicated location service, users, faults of some
// or all.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lab/location_service.h"
#include "lab/registrar.h"

namespace holdfast::lab {

enum class Location : std::uint8_t { shared, separate, replicated };

struct ClusterOptions {
    ServerOptions server{};
    Location location = Location::shared;
    Duration replication_delay = std::chrono::milliseconds(100);
    std::string name = "node";  // node1, node2, …
};

class Cluster {
public:
    // One text per node: its address, or several with spaces between ("203.0.113.11 2001:db8::11").
    Cluster(Internet& internet, const std::vector<std::string>& nodes,
            const ClusterOptions& options);

    [[nodiscard]] std::size_t size() const { return nodes_.size(); }
    [[nodiscard]] Registrar& node(std::size_t index) { return *nodes_.at(index); }
    [[nodiscard]] const Registrar& node(std::size_t index) const { return *nodes_.at(index); }
    [[nodiscard]] Registrar* node_at(const IpAddress& address) const;
    [[nodiscard]] const std::vector<std::unique_ptr<Registrar>>& nodes() const { return nodes_; }
    [[nodiscard]] std::vector<IpAddress> addresses() const;  // of all nodes, in order
    [[nodiscard]] const std::string& domain() const { return domain_; }

    // The only one of a shared cluster.
    [[nodiscard]] LocationService& location_service();
    // Of all nodes together, each binding once.
    [[nodiscard]] std::vector<Binding> bindings(std::string_view aor) const;

    void add_user(const std::string& user, const std::string& password);
    [[nodiscard]] bool knows(const std::string& user) const;
    // That this is the user's password.
    [[nodiscard]] bool takes(const std::string& user, const std::string& password) const;
    void add_peer(const IpAddress& address);
    void silence();  // all nodes
    void heal();
    [[nodiscard]] std::size_t removals() const;  // un-REGISTERs seen by all nodes
    [[nodiscard]] std::size_t registers() const;

private:
    std::string domain_;
    Location location_;
    std::vector<std::unique_ptr<LocationService>> services_;
    std::vector<std::unique_ptr<Registrar>> nodes_;
};

}  // namespace holdfast::lab
