// The lab's DNS zone as a name server on UDP and TCP: what the zone answers, with its rotation,
// delays and failures.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "lab/dns_zone.h"
#include "lab/internet.h"
#include "live/listener.h"
#include "live/real_time.h"
#include "live/server_stream.h"
#include "runtime/loop.h"
#include "runtime/udp_port.h"

namespace holdfast::live {

class DnsServer {
public:
    // Port 0: any, the same for UDP and TCP. The error is the system's.
    static std::expected<std::unique_ptr<DnsServer>, int> open(runtime::Loop& loop, RealTime& time,
                                                               lab::Internet& internet,
                                                               lab::DnsZone& zone,
                                                               const Endpoint& local);
    DnsServer(const DnsServer&) = delete;
    DnsServer& operator=(const DnsServer&) = delete;
    ~DnsServer() = default;

    [[nodiscard]] const Endpoint& local() const { return udp_->local(); }
    [[nodiscard]] std::size_t queries() const { return queries_; }

private:
    struct Connection {
        std::shared_ptr<ServerStream> stream;
        std::string bytes;  // of a query that is not whole yet
    };
    using Reply = std::function<void(std::string bytes)>;

    DnsServer(runtime::Loop& loop, RealTime& time, lab::Internet& internet, lab::DnsZone& zone);
    std::expected<void, int> bind(const Endpoint& local);
    void on_query(std::string_view bytes, bool over_tcp, Reply reply);
    void on_accepted(runtime::Descriptor socket);
    void on_stream_bytes(std::uint64_t number, std::string_view bytes);

    runtime::Loop& loop_;
    RealTime& time_;
    lab::Internet& internet_;
    lab::DnsZone& zone_;
    std::size_t queries_ = 0;
    std::unique_ptr<runtime::UdpPort> udp_;
    std::unique_ptr<Listener> tcp_;
    std::uint64_t last_connection_ = 0;
    std::map<std::uint64_t, Connection> connections_;
};

}  // namespace holdfast::live
