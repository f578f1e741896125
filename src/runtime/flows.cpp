#include "runtime/flows.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "runtime/clock.h"
#include "runtime/socket_address.h"
#include "runtime/stream_flow.h"
#include "runtime/udp_port.h"

namespace holdfast::runtime {

namespace {

// Below, services of other programs are more likely than a free port.
constexpr std::uint16_t lowest_random_port = 10000;
constexpr int random_ports_tried = 32;

std::uint16_t random_port() {  // N6: above 1024, not 5060
    const auto bytes = entropy();
    const auto number = static_cast<std::uint32_t>(bytes[0] << 8U | bytes[1]);
    return static_cast<std::uint16_t>(lowest_random_port + number % (65536 - lowest_random_port));
}

}  // namespace

Flows::Flows(Loop& loop, FlowsOptions options, FlowsHandler handler)
    : loop_(loop), options_(std::move(options)), handler_(std::move(handler)), tls_(options_.tls) {}

Flows::~Flows() = default;

std::expected<void, Failure> Flows::claim_port(const Endpoint& local) {
    auto port = new_port(local);
    if (!port && port.error() == EADDRINUSE)
        return std::unexpected(
            Failure{FailureKind::port_in_use,
                    "UDP port " + local.to_string() +
                        " is in use by another program. Stop it, or give another port "
                        "with --local ADDRESS:PORT."});
    if (!port)
        return std::unexpected(Failure{FailureKind::address_unusable,
                                       "The local address " + local.to_string() +
                                           " cannot be used: " + words_of(port.error()) +
                                           ". See `ip address` for those of this host."});
    ports_[local.address.family()] = *std::move(port);
    return {};
}

std::optional<std::uint16_t> Flows::udp_port(Family family) const {
    const auto found = ports_.find(family);
    if (found == ports_.end()) return std::nullopt;
    return found->second->socket->local().port;
}

void Flows::open(const out::OpenFlow& request) {
    close(request.flow);
    switch (request.target.transport) {
    case Transport::udp: return open_udp(request);
    case Transport::tcp:
    case Transport::tls: return open_stream(request);
    }
}

void Flows::open_udp(const out::OpenFlow& request) {
    const auto family = request.target.endpoint.address.family();
    const auto bound_to = options_.local;
    if (bound_to && bound_to->family() != family)
        return fail(request.flow, FlowError::network_unreachable,
                    "the local address is of the other family");
    const auto source = source_address_towards(request.target.endpoint, bound_to);
    if (!source.address)
        return fail(request.flow, flow_error_of(source.system_error),
                    words_of(source.system_error));
    const auto port =
        request.spare_port ? any_port(bound_to.value_or(any_address(family))) : shared_port(family);
    if (!port) return fail(request.flow, flow_error_of(port.error()), words_of(port.error()));
    const Endpoint local{*source.address, (*port)->socket->local().port};
    flows_[request.flow] =
        Flow{.target = request.target, .local = local, .port = *port, .stream = {}};
    (*port)->flows[request.target.endpoint].push_back(request.flow);
    handler_.happened(in::FlowOpened{.flow = request.flow, .local = local, .verified_name = {}});
}

std::expected<std::shared_ptr<Flows::Port>, int> Flows::shared_port(Family family) {
    if (const auto found = ports_.find(family); found != ports_.end()) return found->second;
    const auto address = options_.local.value_or(any_address(family));
    const auto wanted = options_.wanted_ports.find(family);
    std::expected<std::shared_ptr<Port>, int> port = std::unexpected(EADDRINUSE);
    if (wanted != options_.wanted_ports.end() && wanted->second != 0) {
        port = new_port({address, wanted->second});
        if (!port) {
            handler_.notice("Local UDP port " + std::to_string(wanted->second) + " is taken (" +
                            words_of(port.error()) + "): another one is used.");
        }
    }
    if (!port) port = any_port(address);
    if (!port) return port;
    ports_[family] = *port;
    handler_.port_chosen(family, (*port)->socket->local().port);
    return port;
}

std::expected<std::shared_ptr<Flows::Port>, int> Flows::any_port(const IpAddress& address) {
    for (int i = 0; i < random_ports_tried; ++i) {
        auto port = new_port({address, random_port()});
        if (port || port.error() != EADDRINUSE) return port;
    }
    return new_port({address, 0});  // the kernel knows which are free
}

std::expected<std::shared_ptr<Flows::Port>, int> Flows::new_port(const Endpoint& local) {
    auto port = std::make_shared<Port>();
    UdpHandler handler{
        .received = [this, raw = port.get()](
                        const Endpoint& at, const Endpoint& remote,
                        std::string bytes) { received(*raw, at, remote, std::move(bytes)); },
        .failed = [this, raw = port.get()](
                      const Endpoint& destination, FlowError error,
                      const std::string& detail) { failed(*raw, destination, error, detail); }};
    auto socket = UdpPort::open(loop_, local, std::move(handler));
    if (!socket) return std::unexpected(socket.error());
    port->socket = *std::move(socket);
    return port;
}

void Flows::received(Port& port, const Endpoint& local, const Endpoint& remote, std::string bytes) {
    const auto found = port.flows.find(remote);
    const auto flow = found == port.flows.end() ? FlowId{} : found->second.front();
    handler_.traffic({.direction = Direction::received,
                      .flow = flow,
                      .target = {Transport::udp, remote},
                      .local = local,
                      .bytes = bytes});
    if (flow)
        handler_.happened(in::Received{.flow = flow, .bytes = std::move(bytes)});
    else
        handler_.happened(in::Stray{.local = local, .remote = remote, .bytes = std::move(bytes)});
}

void Flows::failed(Port& port, const Endpoint& destination, FlowError error,
                   const std::string& detail) {
    const auto found = port.flows.find(destination);
    if (found == port.flows.end()) return;  // about a flow that is closed: of no interest now
    const auto flows = found->second;
    for (const auto flow : flows) fail(flow, error, detail);
}

void Flows::fail(FlowId flow, FlowError error, std::string detail) {
    handler_.happened(in::FlowFailed{.flow = flow, .error = error, .detail = std::move(detail)});
}

void Flows::close(FlowId id) {
    auto node = flows_.extract(id);
    if (node.empty()) return;
    auto& flow = node.mapped();
    if (flow.stream) {
        flow.stream->silence();
        retire(std::move(flow.stream));
    }
    if (!flow.port) return;
    const auto at = flow.port->flows.find(flow.target.endpoint);
    std::erase(at->second, id);
    if (at->second.empty()) flow.port->flows.erase(at);
    const auto shared = ports_.find(flow.target.endpoint.address.family());
    if (shared != ports_.end() && shared->second == flow.port)
        return;  // stays for the next flow (N6)
    flow.port->socket->silence();
    retire(std::move(flow.port));
}

// It may be its own callback that led here: it goes when that has returned.
void Flows::retire(std::shared_ptr<void> part) {
    loop_.post([part = std::move(part)] {});
}

void Flows::send(FlowId id, std::string_view bytes) {
    const auto found = flows_.find(id);
    if (found == flows_.end()) return;  // closed by what happened meanwhile
    const auto& flow = found->second;
    handler_.traffic({.direction = Direction::sent,
                      .flow = id,
                      .target = flow.target,
                      .local = flow.local,
                      .bytes = bytes});
    if (flow.stream)
        flow.stream->send(bytes);
    else
        flow.port->socket->send(flow.target.endpoint, bytes);
}

void Flows::open_stream(const out::OpenFlow& request) {
    const auto id = request.flow;
    std::unique_ptr<TlsSession> session;
    if (request.target.transport == Transport::tls) {
        auto made = tls_.connect_to(request.tls_name);
        if (!made) return fail(id, FlowError::tls, made.error().sentence);
        session = *std::move(made);
    }
    const StreamOptions options{.remote = request.target.endpoint, .local = options_.local};
    StreamHandler handler{
        .opened =
            [this, id](const Endpoint& local, const std::string& name) {
                auto& flow = flows_.at(id);
                flow.local = local;
                if (handler_.secured)
                    if (auto facts = flow.stream->tls_facts())
                        handler_.secured(id, *std::move(facts));
                handler_.happened(
                    in::FlowOpened{.flow = id, .local = local, .verified_name = name});
            },
        .failed =
            [this, id](FlowError error, std::string detail) {
                close(id);
                fail(id, error, std::move(detail));
            },
        .closed =
            [this, id](FlowError error, std::string detail) {
                close(id);
                handler_.happened(
                    in::FlowClosed{.flow = id, .error = error, .detail = std::move(detail)});
            },
        .received =
            [this, id](std::string bytes) {
                const auto& flow = flows_.at(id);
                handler_.traffic({.direction = Direction::received,
                                  .flow = id,
                                  .target = flow.target,
                                  .local = flow.local,
                                  .bytes = bytes});
                handler_.happened(in::Received{.flow = id, .bytes = std::move(bytes)});
            }};
    const auto stream =
        std::make_shared<StreamFlow>(loop_, options, std::move(session), std::move(handler));
    flows_[id] = Flow{.target = request.target, .local = {}, .port = {}, .stream = stream};
    stream->start();
}

}  // namespace holdfast::runtime
