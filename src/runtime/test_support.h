// What the runtime's tests share: peers on loopback sockets whose ports the system chooses, a
// machine that follows a script, a directory that goes away. Nothing sleeps: the loop runs until a
// condition holds, or a limit.
#pragma once

#include <sys/socket.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/outbox.h"
#include "engine/input.h"
#include "runtime/descriptor.h"
#include "runtime/driver.h"
#include "runtime/loop.h"
#include "runtime/socket_address.h"

namespace holdfast::runtime::test {

using namespace std::chrono_literals;

constexpr Duration limit = 10s;  // generous: the machine may be busy

inline IpAddress loopback(std::uint8_t last = 1) { return IpAddress::v4(127, 0, 0, last); }
inline IpAddress loopback_v6() { return *IpAddress::parse("::1"); }

class TemporaryDirectory {
public:
    TemporaryDirectory() {
        auto pattern = (std::filesystem::temp_directory_path() / "holdfast-XXXXXX").string();
        CHECK(mkdtemp(pattern.data()) != nullptr);
        path_ = pattern;
    }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    ~TemporaryDirectory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

inline Descriptor bound_socket(int type, const Endpoint& at) {
    Descriptor socket{
        ::socket(domain_of(at.address.family()), type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    if (!socket) return socket;
    const auto address = socket_address_of(at);
    if (::bind(socket.get(), address.get(), address.length) != 0) socket.close();
    return socket;
}

inline bool has_ipv6_loopback() {
    return static_cast<bool>(bound_socket(SOCK_DGRAM, {loopback_v6(), 0}));
}

// A port where nobody listens: it was free a moment ago.
inline Endpoint closed_port(const IpAddress& address = loopback(), int type = SOCK_DGRAM) {
    const auto socket = bound_socket(type, {address, 0});
    return *local_endpoint(socket.get());
}

class UdpPeer {
public:
    struct Datagram {
        Endpoint from;
        std::string bytes;
    };

    explicit UdpPeer(Loop& loop, const Endpoint& at = {loopback(), 0})
        : socket_(bound_socket(SOCK_DGRAM, at)),
          watch_(loop, socket_.get(), [this](Ready) { read(); }) {}

    [[nodiscard]] Endpoint endpoint() const { return *local_endpoint(socket_.get()); }
    [[nodiscard]] const std::vector<Datagram>& received() const { return received_; }
    void on_datagram(std::function<void(const Datagram&)> callback) {
        callback_ = std::move(callback);
    }
    void send(const Endpoint& to, std::string_view bytes) const {
        const auto address = socket_address_of(to);
        ::sendto(socket_.get(), bytes.data(), bytes.size(), 0, address.get(), address.length);
    }

private:
    void read() {
        std::vector<char> space(65536);
        for (;;) {
            SocketAddress from;
            const auto size =
                ::recvfrom(socket_.get(), space.data(), space.size(), 0, from.get(), &from.length);
            if (size < 0) return;
            received_.push_back(
                {*endpoint_of(from), std::string(space.data(), static_cast<std::size_t>(size))});
            if (callback_) callback_(received_.back());
        }
    }

    Descriptor socket_;
    std::vector<Datagram> received_;
    std::function<void(const Datagram&)> callback_;
    Watch watch_;
};

// Accepts, and hands the connected sockets on.
class TcpPeer {
public:
    using Accepted = std::function<void(Descriptor)>;
    TcpPeer(Loop& loop, Accepted accepted, const Endpoint& at = {loopback(), 0})
        : socket_(bound_socket(SOCK_STREAM, at)),
          accepted_(std::move(accepted)),
          endpoint_(*local_endpoint(socket_.get())) {
        CHECK(::listen(socket_.get(), 16) == 0);
        watch_ = std::make_unique<Watch>(loop, socket_.get(), [this](Ready) {
            Descriptor connection{
                ::accept4(socket_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)};
            if (connection) accepted_(std::move(connection));
        });
    }
    [[nodiscard]] const Endpoint& endpoint() const { return endpoint_; }

private:
    Descriptor socket_;
    Accepted accepted_;
    Endpoint endpoint_;
    std::unique_ptr<Watch> watch_;
};

// A machine that does what the test says and remembers what it was told.
class ScriptedMachine {
public:
    using Script = std::function<void(Instant, const Input&, Outbox&)>;
    explicit ScriptedMachine(Script script = {}) : script_(std::move(script)) {}

    void handle(Instant now, const Input& input, Outbox& outbox) {
        inputs.push_back(input);
        if (script_) script_(now, input, outbox);
    }
    [[nodiscard]] Deadline next_deadline() const { return deadline; }

    template <class Kind>
    [[nodiscard]] const Kind* last() const {
        const Kind* latest = nullptr;
        for (const auto& input : inputs)
            if (const auto* found = std::get_if<Kind>(&input)) latest = found;
        return latest;
    }

    std::vector<Input> inputs;
    Deadline deadline;

private:
    Script script_;
};

class EventLog final : public Observer {
public:
    void on_event(Instant, const Event& event) override { events.push_back(event); }
    [[nodiscard]] const Event* find(EventKind kind) const {
        for (const auto& event : events)
            if (event.kind == kind) return &event;
        return nullptr;
    }
    std::vector<Event> events;
};

inline Event event_of(EventKind kind) {
    Event event;
    event.kind = kind;
    return event;
}

}  // namespace holdfast::runtime::test
