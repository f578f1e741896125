// The engine's flows on real sockets: one UDP port per family for all targets (N7), one connection
// per TCP or TLS flow. What happens to them comes back as inputs, never inside open() of a stream,
// but for UDP at once.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/outbox.h"
#include "engine/input.h"
#include "runtime/driver.h"
#include "runtime/loop.h"
#include "runtime/tls.h"
#include "runtime/tls_options.h"

namespace holdfast::runtime {

class StreamFlow;
class UdpPort;
struct UdpHandler;

struct FlowsOptions {
    std::optional<IpAddress> local;                // the address to bind to
    std::map<Family, std::uint16_t> wanted_ports;  // UDP; without one: random
    TlsOptions tls;
};

struct FlowsHandler {
    std::function<void(Input)> happened;
    std::function<void(const Traffic&)> traffic;
    std::function<void(std::string)> notice;                 // a sentence for the user
    std::function<void(Family, std::uint16_t)> port_chosen;  // UDP's port, to be kept (N6)
    // Just before in::FlowOpened of a TLS flow; none: nobody wants to know.
    std::function<void(FlowId, TlsFacts)> secured{};
};

class Flows {
public:
    Flows(Loop& loop, FlowsOptions options, FlowsHandler handler);
    Flows(const Flows&) = delete;
    Flows& operator=(const Flows&) = delete;
    ~Flows();

    // Opens the UDP port that the user asked for by number; it is not replaced by another.
    std::expected<void, Failure> claim_port(const Endpoint& local);
    std::expected<void, Failure> check_tls() { return tls_.check(); }

    void open(const out::OpenFlow& request);
    void close(FlowId flow);
    void send(FlowId flow, std::string_view bytes);
    [[nodiscard]] std::optional<std::uint16_t> udp_port(Family family) const;

private:
    // An address that several flows lead to is the first one's; a closed one's datagrams go to the
    // next.
    struct Port {
        std::shared_ptr<UdpPort> socket;
        std::unordered_map<Endpoint, std::vector<FlowId>> flows;
    };
    struct Flow {
        Target target;
        Endpoint local;
        std::shared_ptr<Port> port;          // UDP
        std::shared_ptr<StreamFlow> stream;  // TCP, TLS
    };

    void open_udp(const out::OpenFlow& request);
    void open_stream(const out::OpenFlow& request);
    std::expected<std::shared_ptr<Port>, int> shared_port(Family family);
    std::expected<std::shared_ptr<Port>, int> new_port(const Endpoint& local);
    std::expected<std::shared_ptr<Port>, int> any_port(const IpAddress& address);
    void received(Port& port, const Endpoint& local, const Endpoint& remote, std::string bytes);
    void failed(Port& port, const Endpoint& destination, FlowError error,
                const std::string& detail);
    void retire(std::shared_ptr<void> part);
    void fail(FlowId flow, FlowError error, std::string detail);

    Loop& loop_;
    FlowsOptions options_;
    FlowsHandler handler_;
    TlsContext tls_;
    std::map<Family, std::shared_ptr<Port>> ports_;
    std::unordered_map<FlowId, Flow> flows_;
};

}  // namespace holdfast::runtime
