#include "live/dns_server.h"

#include <utility>

#include "live/dns_message.h"

namespace holdfast::live {

namespace {

constexpr std::size_t tcp_limit = 65535;

std::string with_length(const std::string& message) {  // RFC 1035 §4.2.2
    return std::string{static_cast<char>(message.size() >> 8U),
                       static_cast<char>(message.size() & 0xffU)} +
           message;
}

}  // namespace

DnsServer::DnsServer(runtime::Loop& loop, RealTime& time, lab::Internet& internet,
                     lab::DnsZone& zone)
    : loop_(loop), time_(time), internet_(internet), zone_(zone) {}

std::expected<std::unique_ptr<DnsServer>, int> DnsServer::open(runtime::Loop& loop, RealTime& time,
                                                               lab::Internet& internet,
                                                               lab::DnsZone& zone,
                                                               const Endpoint& local) {
    std::unique_ptr<DnsServer> server(new DnsServer(loop, time, internet, zone));
    if (auto bound = server->bind(local); !bound) return std::unexpected(bound.error());
    return server;
}

std::expected<void, int> DnsServer::bind(const Endpoint& local) {
    auto tcp = Listener::open(loop_, local, [this](runtime::Descriptor socket, const Endpoint&) {
        on_accepted(std::move(socket));
    });
    if (!tcp) return std::unexpected(tcp.error());
    tcp_ = *std::move(tcp);
    runtime::UdpHandler handler{
        .received =
            [this](const Endpoint&, const Endpoint& asker, const std::string& bytes) {
                on_query(bytes, false,
                         [this, asker](const std::string& reply) { udp_->send(asker, reply); });
            },
        .failed = [](const Endpoint&, FlowError, const std::string&) {}};  // the asker is gone
    auto udp = runtime::UdpPort::open(loop_, tcp_->local(), std::move(handler));
    if (!udp) return std::unexpected(udp.error());
    udp_ = *std::move(udp);
    return {};
}

void DnsServer::on_query(std::string_view bytes, bool over_tcp, Reply reply) {
    const auto query = read_dns_query(bytes);
    if (!query) return;
    ++queries_;
    const auto limit = over_tcp ? tcp_limit : query->space;
    if (!query->question) {  // an existing name without that type, as far as we know
        const dns::Answer none{
            .status = dns::Status::ok, .records = {}, .ttl = lab::DnsZone::negative_ttl};
        return reply(write_dns_answer(*query, none, limit));
    }
    time_.happen([&] {
        auto found = zone_.ask(*query->question);
        const auto status = found.answer.status;
        if (status == dns::Status::timed_out || status == dns::Status::no_server) return;
        auto wire = status == dns::Status::malformed
                        ? std::string(bytes.substr(0, 2)) + "no DNS message"
                        : write_dns_answer(*query, found.answer, limit);
        internet_.after(found.delay,
                        [reply = std::move(reply), wire = std::move(wire)] { reply(wire); });
    });
}

void DnsServer::on_accepted(runtime::Descriptor socket) {
    const auto number = ++last_connection_;
    ServerStreamHandler handler{
        .opened = [] {},
        .received = [this, number](const std::string& bytes) { on_stream_bytes(number, bytes); },
        .ended = [this, number] {  // the stream goes after its own callback has returned
            loop_.post([kept = connections_.at(number).stream] {});
            connections_.erase(number);
        }};
    auto& connection = connections_[number];
    connection.stream =
        std::make_shared<ServerStream>(loop_, std::move(socket), nullptr, std::move(handler));
    connection.stream->start();
}

void DnsServer::on_stream_bytes(std::uint64_t number, std::string_view bytes) {
    auto& connection = connections_.at(number);
    connection.bytes += bytes;
    while (connection.bytes.size() >= 2) {
        const auto high = static_cast<unsigned char>(connection.bytes[0]);
        const auto low = static_cast<unsigned char>(connection.bytes[1]);
        const std::size_t size = high * 256U + low;
        if (connection.bytes.size() < 2 + size) return;
        const auto query = connection.bytes.substr(2, size);
        connection.bytes.erase(0, 2 + size);
        on_query(query, true, [stream = connection.stream](const std::string& reply) {
            stream->send(with_length(reply));
        });
    }
}

}  // namespace holdfast::live
