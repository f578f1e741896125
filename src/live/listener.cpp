#include "live/listener.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "base/check.h"
#include "runtime/socket_address.h"

namespace holdfast::live {

namespace {

constexpr int usual_backlog = 128;
constexpr int plugs_needed =
    3;  // a backlog of 0 takes one connection; the others wait for their SYN-ACK in vain

}  // namespace

std::expected<runtime::Descriptor, int> stream_socket(Family family) {
    runtime::Descriptor socket{
        ::socket(runtime::domain_of(family), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (!socket) return std::unexpected(errno);
    return socket;
}

void reset_on_close(const runtime::Descriptor& socket) {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

std::expected<std::unique_ptr<Listener>, int> Listener::open(runtime::Loop& loop,
                                                             const Endpoint& local,
                                                             Accepted accepted) {
    auto socket = stream_socket(local.address.family());
    if (!socket) return std::unexpected(socket.error());
    const int on = 1;  // connections of the last run may still be in TIME-WAIT
    ::setsockopt(socket->get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const auto address = runtime::socket_address_of(local);
    if (::bind(socket->get(), address.get(), address.length) != 0 ||
        ::listen(socket->get(), usual_backlog) != 0)
        return std::unexpected(errno);
    const auto bound = runtime::local_endpoint(socket->get());
    CHECK(bound);
    return std::unique_ptr<Listener>(
        new Listener(loop, *std::move(socket), *bound, std::move(accepted)));
}

Listener::Listener(runtime::Loop& loop, runtime::Descriptor socket, const Endpoint& local,
                   Accepted accepted)
    : loop_(loop), socket_(std::move(socket)), local_(local), accepted_(std::move(accepted)) {
    accept_again();
}

void Listener::accept_all() {
    while (true) {
        runtime::SocketAddress from;
        runtime::Descriptor connection{
            ::accept4(socket_.get(), from.get(), &from.length, SOCK_CLOEXEC | SOCK_NONBLOCK)};
        if (!connection) return;
        const int on = 1;
        ::setsockopt(connection.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (const auto peer = runtime::endpoint_of(from)) accepted_(std::move(connection), *peer);
    }
}

void Listener::drop_syns() {
    if (!watch_) return;
    watch_.reset();
    ::listen(socket_.get(), 0);
    const auto address = runtime::socket_address_of(local_);
    for (int i = 0; i < plugs_needed; ++i) {
        auto plug = stream_socket(local_.address.family());
        if (!plug) return;
        const int begun = ::connect(plug->get(), address.get(), address.length);
        if (begun != 0 && errno != EINPROGRESS) return;
        plugs_.push_back(*std::move(plug));
    }
}

void Listener::accept_again() {
    if (watch_) return;
    plugs_.clear();
    ::listen(socket_.get(), usual_backlog);
    watch_ = std::make_unique<runtime::Watch>(loop_, socket_.get(),
                                              [this](runtime::Ready) { accept_all(); });
}

}  // namespace holdfast::live
