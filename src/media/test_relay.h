// A wire between two sessions for tests: it hands on what they send to each other, remembers it,
// and says on it what a test forges.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "base/address.h"
#include "media/ports.h"
#include "media/rtp_header.h"

namespace holdfast::media {

using Datagram = std::vector<std::uint8_t>;

// A UDP socket on 127.0.0.1.
class LoopbackSocket {
public:
    LoopbackSocket() : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        auto address = sockaddr_of({.address = IpAddress::v4(127, 0, 0, 1), .port = 0});
        socklen_t size = sizeof address;
        EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
        EXPECT_EQ(::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
        endpoint_ = {.address = IpAddress::v4(127, 0, 0, 1), .port = ntohs(address.sin_port)};
    }
    [[nodiscard]] int get() const { return socket_.get(); }
    [[nodiscard]] const Endpoint& endpoint() const { return endpoint_; }
    void send(const Endpoint& to, const Datagram& datagram) const {
        const auto address = sockaddr_of(to);
        ::sendto(socket_.get(), datagram.data(), datagram.size(), 0,
                 reinterpret_cast<const sockaddr*>(&address), sizeof address);
    }
    [[nodiscard]] Datagram receive() const {
        Datagram datagram(2048);
        const auto size = ::recv(socket_.get(), datagram.data(), datagram.size(), MSG_DONTWAIT);
        datagram.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
        return datagram;
    }

private:
    static sockaddr_in sockaddr_of(const Endpoint& endpoint) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(endpoint.port);
        EXPECT_EQ(::inet_pton(AF_INET, endpoint.address.to_string().c_str(), &address.sin_addr), 1);
        return address;
    }
    Socket socket_;
    Endpoint endpoint_;
};

// Alice is told `facing_alice()` as Bob's address, and Bob the other one.
class Relay {
public:
    Relay(Endpoint at_alice, Endpoint at_bob) : alice_(at_alice), bob_(at_bob) {
        thread_ = std::thread{[this] { run(); }};
    }
    ~Relay() {
        ends_ = true;
        thread_.join();
    }
    Relay(const Relay&) = delete;
    Relay& operator=(const Relay&) = delete;
    [[nodiscard]] const Endpoint& facing_alice() const { return near_.endpoint(); }
    [[nodiscard]] const Endpoint& facing_bob() const { return far_.endpoint(); }
    // As a NAT that has forgotten all: what Bob sends comes from another port from now on, and what
    // is sent to the old one is lost. The new port.
    const Endpoint& bind_anew() {
        anew_ = true;
        return another_.endpoint();
    }
    // As if Bob had sent it.
    void forge_to_alice(const Datagram& datagram) const { near_.send(alice_, datagram); }
    // All that Alice has sent so far.
    [[nodiscard]] std::vector<Datagram> from_alice() {
        const std::lock_guard lock{mutex_};
        return from_alice_;
    }
    // Of what Alice has sent: RTP, of this payload type.
    [[nodiscard]] std::vector<RtpHeader> rtp_from_alice(std::uint8_t payload_type) {
        std::vector<RtpHeader> headers;
        for (const auto& datagram : from_alice()) {
            const auto header = rtp_header(datagram);
            if (header && header->payload_type == payload_type) headers.push_back(*header);
        }
        return headers;
    }

private:
    void run() {
        while (!ends_) {
            const LoopbackSocket& facing = anew_ ? another_ : near_;
            std::array waiting{pollfd{.fd = facing.get(), .events = POLLIN, .revents = 0},
                               pollfd{.fd = far_.get(), .events = POLLIN, .revents = 0}};
            if (::poll(waiting.data(), waiting.size(), 20) <= 0) continue;
            if (waiting[0].revents != 0) {
                const auto datagram = facing.receive();
                {  // remembered before it can be heard
                    const std::lock_guard lock{mutex_};
                    from_alice_.push_back(datagram);
                }
                far_.send(bob_, datagram);
            }
            if (waiting[1].revents != 0) facing.send(alice_, far_.receive());
        }
    }

    Endpoint alice_;
    Endpoint bob_;
    LoopbackSocket near_;
    LoopbackSocket another_;
    LoopbackSocket far_;
    std::mutex mutex_;  // guards what follows
    std::vector<Datagram> from_alice_;
    std::atomic<bool> anew_{false};
    std::atomic<bool> ends_{false};
    std::thread thread_;  // the last: it uses the others
};

}  // namespace holdfast::media
