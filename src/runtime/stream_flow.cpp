#include "runtime/stream_flow.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

#include "runtime/clock.h"
#include "runtime/socket_address.h"

namespace holdfast::runtime {

namespace {

// A server that takes nothing while so much waits for it does not live; TCP_USER_TIMEOUT says so
// soon.
constexpr std::size_t unsent_limit = 1024 * 1024;
constexpr int user_timeout_ms = 10'000;  // K1
constexpr std::size_t bytes_per_read = 16384;
constexpr int reads_per_turn = 16;  // then others have their turn

bool set(int socket, int level, int option, int value) {
    return setsockopt(socket, level, option, &value, sizeof value) == 0;
}

int pending_error(int socket) {
    int error = 0;
    socklen_t size = sizeof error;
    return getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

}  // namespace

StreamFlow::StreamFlow(Loop& loop, StreamOptions options, std::unique_ptr<TlsSession> session,
                       StreamHandler handler)
    : loop_(loop),
      options_(options),
      handler_(std::move(handler)),
      session_(std::move(session)),
      limit_(loop, [this] { end(FlowError::timed_out, "no connection in time"); }),
      again_(loop, [this] { read_some(); }) {}

StreamFlow::~StreamFlow() = default;

void StreamFlow::start() {
    if (const auto error = begin()) end(flow_error_of(*error), words_of(*error));
}

std::optional<int> StreamFlow::begin() {
    limit_.arm(boot_time() + options_.connect_limit);
    const auto family = options_.remote.address.family();
    socket_ =
        Descriptor{::socket(domain_of(family), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    if (!socket_) return errno;
    if (!set(socket_.get(), IPPROTO_TCP, TCP_NODELAY, 1) ||
        !set(socket_.get(), IPPROTO_TCP, TCP_USER_TIMEOUT, user_timeout_ms))
        return errno;
    if (options_.local && !options_.local->is_unspecified()) {
        if (options_.local->family() != family) return EAFNOSUPPORT;
        // The port is chosen at connect, where many connections to different servers can share one.
        set(socket_.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
        const auto local = socket_address_of({*options_.local, 0});
        if (::bind(socket_.get(), local.get(), local.length) != 0) return errno;
    }
    const auto remote = socket_address_of(options_.remote);
    if (::connect(socket_.get(), remote.get(), remote.length) != 0 && errno != EINPROGRESS)
        return errno;
    watch_ =
        std::make_unique<Watch>(loop_, socket_.get(), [this](Ready ready) { on_ready(ready); });
    watch_->want({.writable = true});
    return std::nullopt;
}

void StreamFlow::on_ready(Ready ready) {
    switch (state_) {
    case State::connecting: return on_connected();
    case State::handshaking: return continue_handshake();
    case State::open:
        if (ready.writable) write_some();
        if (ready.readable && state_ == State::open) read_some();
        return;
    case State::over: return;
    }
}

void StreamFlow::on_connected() {
    if (const int error = pending_error(socket_.get()); error != 0)
        return end(flow_error_of(error), words_of(error));
    if (session_) {
        state_ = State::handshaking;
        session_->attach(socket_.get());
        return continue_handshake();
    }
    opened();
}

void StreamFlow::continue_handshake() {
    switch (session_->handshake()) {
    case TlsStep::done: return opened();
    case TlsStep::want_read: return watch_->want({.readable = true});
    case TlsStep::want_write: return watch_->want({.writable = true});
    case TlsStep::failed: return end_by_tls();
    }
}

void StreamFlow::opened() {
    const auto local = local_endpoint(socket_.get());
    if (!local) return end(FlowError::reset, words_of(errno));
    limit_.stop();
    state_ = State::open;
    was_open_ = true;
    watch_->want({.readable = true, .writable = !unsent_.empty()});
    handler_.opened(*local, session_ ? session_->name() : std::string{});
    // TLS may have read the first bytes already: the socket will not become readable for them.
    if (session_ && state_ == State::open) read_some();
}

void StreamFlow::read_some() {
    // Filled by read: NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init)
    std::array<char, bytes_per_read> space;
    for (int i = 0; i < reads_per_turn && state_ == State::open; ++i) {
        std::size_t size = 0;
        if (session_) {
            switch (session_->read(space, size)) {
            case TlsStep::done: break;
            case TlsStep::want_read: return;
            case TlsStep::want_write: return;  // a key update; goes out with the next write
            case TlsStep::failed: return end_by_tls();
            }
        } else {
            const auto received = ::recv(socket_.get(), space.data(), space.size(), MSG_DONTWAIT);
            if (received < 0 && errno == EINTR) continue;
            if (received < 0 && errno == EAGAIN) return;
            if (received < 0) return end(flow_error_of(errno), words_of(errno));
            size = static_cast<std::size_t>(received);
        }
        if (size == 0) return end(FlowError::closed_by_peer, "the server closed the connection");
        handler_.received(std::string(space.data(), size));
    }
    // What TLS still holds would not make the socket readable: look again after the others.
    if (session_ && state_ == State::open) again_.arm(boot_time());
}

void StreamFlow::send(std::string_view bytes) {
    if (state_ == State::over) return;
    if (unsent_.size() + bytes.size() > unsent_limit)
        return end(FlowError::timed_out, "the server takes no data");
    unsent_ += bytes;
    if (state_ == State::open) write_some();
}

void StreamFlow::write_some() {
    while (!unsent_.empty() && state_ == State::open) {
        std::size_t size = 0;
        if (session_) {
            const auto step = session_->write(unsent_, size);
            if (step == TlsStep::failed) return end_by_tls();
            if (step != TlsStep::done) break;
        } else {
            const auto sent =
                ::send(socket_.get(), unsent_.data(), unsent_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
            if (sent < 0 && errno == EINTR) continue;
            if (sent < 0 && errno == EAGAIN) break;
            if (sent < 0) return end(flow_error_of(errno), words_of(errno));
            size = static_cast<std::size_t>(sent);
        }
        unsent_.erase(0, size);
    }
    if (state_ == State::open) watch_->want({.readable = true, .writable = !unsent_.empty()});
}

void StreamFlow::end_by_tls() {
    auto failure = session_->failure();
    end(failure.error, std::move(failure.detail));
}

void StreamFlow::end(FlowError error, std::string detail) {
    if (std::exchange(state_, State::over) == State::over) return;
    limit_.stop();
    again_.stop();
    watch_.reset();
    socket_.close();
    const auto& handler = was_open_ ? handler_.closed : handler_.failed;
    handler(error, std::move(detail));
}

std::optional<TlsFacts> StreamFlow::tls_facts() const {
    if (!session_ || state_ != State::open) return std::nullopt;
    return session_->facts();
}

void StreamFlow::silence() {
    if (state_ == State::open && session_) session_->goodbye();
    state_ = State::over;
    limit_.stop();
    again_.stop();
    watch_.reset();
    socket_.close();
}

}  // namespace holdfast::runtime
