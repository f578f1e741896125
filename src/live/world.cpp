#include "live/world.h"

#include <array>
#include <cerrno>
#include <utility>

#include "runtime/clock.h"
#include "runtime/socket_address.h"

namespace holdfast::live {

namespace {

// 127.N.0.0/16, one for each world: away from 127.0, where people run things of their own.
constexpr unsigned first_network = 16;
constexpr unsigned networks = 224;
constexpr unsigned networks_tried = 64;

// The usual ports, and others for a host where a SIP server listens on all addresses already.
constexpr std::array all_ports{Ports{.sip = 5060, .tls = 5061}, Ports{.sip = 15060, .tls = 15061},
                               Ports{.sip = 25060, .tls = 25061}};

std::string address(unsigned network, unsigned third, std::size_t fourth) {
    return "127." + std::to_string(network) + "." + std::to_string(third) + "." +
           std::to_string(fourth);
}

std::vector<std::string> server_addresses(unsigned network, std::size_t count) {
    std::vector<std::string> addresses;
    for (std::size_t i = 1; i <= count; ++i) addresses.push_back(address(network, 1, i));
    return addresses;
}

}  // namespace

World::World(runtime::Loop& loop, const WorldOptions& options, unsigned network)
    : network_(network),
      lab_(seed_from_number(options.seed), {.one_way_delay = options.one_way_delay}),
      name_server_port_(options.name_server_port) {
    cluster_ = &lab_.add_registrars(server_addresses(network, options.servers), options.cluster);
    if (options.nat) nat_ = &lab_.add_nat(*options.nat);
    lab_.dns().a(cluster_->domain(), cluster_->addresses(), options.records);
    time_ = std::make_unique<RealTime>(loop, lab_.internet());
}

World::~World() = default;

std::expected<void, int> World::settle(runtime::Loop& loop, const WorldOptions& options,
                                       Ports ports) {
    auto& uplink = nat_ != nullptr ? static_cast<lab::Uplink&>(*nat_) : lab_.internet();
    border_ = std::make_unique<Border>(loop, *time_, lab_.internet(), uplink, ports);
    const auto name =
        options.certificate_name.empty() ? cluster_->domain() : options.certificate_name;
    for (std::size_t i = 0; i < cluster_->size(); ++i) {
        std::optional<ServerCertificate> certificate;
        if (options.authority != nullptr) certificate = options.authority->issue({name});
        if (auto admitted = border_->admit(cluster_->node(i), std::move(certificate)); !admitted)
            return admitted;
    }
    return add_name_server(loop);
}

std::expected<void, int> World::add_name_server(runtime::Loop& loop) {
    const auto host = IpAddress::parse(address(network_, 0, 53 + name_servers_.size()));
    auto opened =
        DnsServer::open(loop, *time_, lab_.internet(), lab_.dns(), {*host, name_server_port_});
    if (!opened) return std::unexpected(opened.error());
    name_servers_.push_back(*std::move(opened));
    return {};
}

std::expected<std::unique_ptr<World>, std::string> World::open(runtime::Loop& loop,
                                                               const WorldOptions& options) {
    // Another process of ours may have taken some: begin anywhere.
    const unsigned begin = runtime::entropy()[0];
    int error = 0;
    for (const auto ports : all_ports) {
        for (unsigned i = 0; i < networks_tried; ++i) {
            const auto network = first_network + (begin + i) % networks;
            std::unique_ptr<World> world(new World(loop, options, network));
            const auto settled = world->settle(loop, options, ports);
            if (settled) return world;
            error = settled.error();
            if (error != EADDRINUSE)
                return std::unexpected("No sockets on 127." + std::to_string(network) +
                                       ".0.0/16: " + runtime::words_of(error));
        }
    }
    return std::unexpected("No free addresses in 127.0.0.0/8: " + runtime::words_of(error));
}

Target World::target(std::size_t server, Transport transport) const {
    const auto port = is_secure(transport) ? ports().tls : ports().sip;
    return {transport, {cluster_->node(server).addresses().front(), port}};
}

std::optional<std::size_t> World::server_at(const Target& target) const {
    for (std::size_t i = 0; i < cluster_->size(); ++i)
        if (cluster_->node(i).has(target.endpoint.address)) return i;
    return std::nullopt;
}

void World::mute(std::size_t server) {
    time_->happen([&] { cluster_->node(server).mute(); });
}

void World::answer_with(std::size_t server, int status, std::optional<std::uint32_t> retry_after) {
    time_->happen([&] { cluster_->node(server).answer_with(status, retry_after); });
}

std::expected<void, int> World::heal(std::size_t server) {
    return border_->heal(cluster_->node(server));
}

void World::rebind_nat() {
    time_->happen([&] { nat_->rebind(); });
}

lab::Caller& World::add_caller(lab::CallerOptions options) {
    lab::Caller* caller = nullptr;
    time_->happen([&] { caller = &lab_.add_caller(std::move(options)); });
    return *caller;
}

Duration World::elapsed() {
    time_->happen([] {});
    return lab_.elapsed();
}

void World::happen(const std::function<void()>& action) { time_->happen(action); }

lab::Cluster& World::cluster() {
    time_->happen([] {});
    return *cluster_;
}

}  // namespace holdfast::live
