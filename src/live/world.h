// A little world on loopback: what lab::World is, for phones with real sockets. The same
// registrars, location service, zone, NAT and callers; their clock is the host's, and a border of
// sockets surrounds them.
//
//     Loop loop;
//     auto world = live::World::open(loop, {.servers = 3});
//     auto phone = live::Phone::open(loop, **world, {.preset = "holdfast"});
//     loop.run_until([&] { return (*phone)->is_registered(); }, 2s);
//
// Addresses: 127.N.1.1 … 127.N.1.n are the servers, 127.N.0.53 the name server. Behind a NAT the
// servers see its public address (203.0.113.195), as they would in the real world; the phone sends
// to the servers' addresses.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lab/world.h"
#include "live/authority.h"
#include "live/border.h"
#include "live/dns_server.h"
#include "live/real_time.h"
#include "runtime/loop.h"

namespace holdfast::live {

struct WorldOptions {
    std::uint64_t seed = 1;
    std::size_t servers = 3;
    Duration one_way_delay{};  // on top of loopback's
    lab::ClusterOptions cluster{};
    std::optional<lab::NatOptions> nat{};
    lab::RecordOptions records{.ttl = std::chrono::seconds(60)};  // of the domain's addresses
    const Authority* authority = nullptr;  // with one, the servers speak TLS too
    std::string certificate_name{};        // "" : the domain
    std::uint16_t name_server_port = 0;    // 0: any; 53 is for a host of one's own
};

class World {
public:
    // The error is a sentence: no sockets to be had.
    static std::expected<std::unique_ptr<World>, std::string> open(runtime::Loop& loop,
                                                                   const WorldOptions& options);
    ~World();

    // As of now: what is due has happened, and what has expired is gone, even if nothing else came.
    [[nodiscard]] lab::Cluster& cluster();
    [[nodiscard]] lab::DnsZone& dns() { return lab_.dns(); }
    [[nodiscard]] lab::Nat* nat() { return nat_; }
    [[nodiscard]] lab::World& lab() { return lab_; }
    [[nodiscard]] Endpoint name_server() const { return name_servers_.front()->local(); }
    // Another one with the same zone, at the next address, 127.N.0.54 and so on.
    std::expected<void, int> add_name_server(runtime::Loop& loop);
    [[nodiscard]] const auto& name_servers() const { return name_servers_; }
    [[nodiscard]] Ports ports() const { return border_->ports(); }
    [[nodiscard]] std::size_t servers() const { return cluster_->size(); }
    [[nodiscard]] Target target(std::size_t server, Transport transport) const;
    // Which server has the address, from 0.
    [[nodiscard]] std::optional<std::size_t> server_at(const Target& target) const;

    void silence(std::size_t server) { border_->silence(cluster_->node(server)); }
    void mute(std::size_t server);  // accepts connections, answers nothing
    void refuse(std::size_t server) { border_->refuse(cluster_->node(server)); }
    void answer_with(std::size_t server, int status, std::optional<std::uint32_t> retry_after = {});
    std::expected<void, int> heal(std::size_t server);
    void rebind_nat();
    // Any other change of the simulated part.
    void happen(const std::function<void()>& action);
    lab::Caller& add_caller(lab::CallerOptions options);

    // Since this world began, by its clock, which is the host's.
    [[nodiscard]] Duration elapsed();
    [[nodiscard]] std::string ladder() const { return lab_.ladder(); }

private:
    World(runtime::Loop& loop, const WorldOptions& options, unsigned network);
    std::expected<void, int> settle(runtime::Loop& loop, const WorldOptions& options, Ports ports);

    unsigned network_;
    lab::World lab_;
    lab::Cluster* cluster_ = nullptr;
    lab::Nat* nat_ = nullptr;
    std::unique_ptr<RealTime> time_;
    std::unique_ptr<Border> border_;
    std::uint16_t name_server_port_;
    std::vector<std::unique_ptr<DnsServer>> name_servers_;
};

}  // namespace holdfast::live
