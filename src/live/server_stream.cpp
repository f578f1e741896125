#include "live/server_stream.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

#include "base/check.h"
#include "live/listener.h"

namespace holdfast::live {

namespace {

// What read and write say beside a count: not now, and never again.
constexpr long not_now = -1;
constexpr long over = -2;

struct FreeSsl {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
};

}  // namespace

struct ServerStream::Tls {
    std::unique_ptr<SSL, FreeSsl> ssl;

    // Of an SSL_ call that did not succeed.
    [[nodiscard]] long outcome(int result) const {
        const auto error = SSL_get_error(ssl.get(), result);
        ERR_clear_error();
        return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? not_now : over;
    }
};

ServerStream::ServerStream(runtime::Loop& loop, runtime::Descriptor socket,
                           const ServerCertificate* certificate, ServerStreamHandler handler)
    : loop_(loop), socket_(std::move(socket)), handler_(std::move(handler)) {
    if (certificate == nullptr) return;
    tls_ = std::make_unique<Tls>();
    tls_->ssl.reset(SSL_new(certificate->context()));
    CHECK(tls_->ssl);
    CHECK(SSL_set_fd(tls_->ssl.get(), socket_.get()) == 1);
    SSL_set_accept_state(tls_->ssl.get());
    state_ = State::handshaking;
}

ServerStream::~ServerStream() = default;

void ServerStream::start() {
    watch_ = std::make_unique<runtime::Watch>(loop_, socket_.get(),
                                              [this](runtime::Ready) { on_ready(); });
    if (state_ == State::open) handler_.opened();
}

void ServerStream::on_ready() {
    if (state_ == State::handshaking) handshake();
    if (state_ == State::open) write_some();
    if (state_ == State::open) read_some();
    if (watch_) watch_->want({.readable = true, .writable = !unsent_.empty()});
}

void ServerStream::handshake() {
    const int result = SSL_do_handshake(tls_->ssl.get());
    if (result == 1) {
        state_ = State::open;
        handler_.opened();
    } else if (tls_->outcome(result) == over) {
        end();
    }
}

long ServerStream::read_plain(char* space, std::size_t size) {
    if (tls_) {
        const int result = SSL_read(tls_->ssl.get(), space, static_cast<int>(size));
        return result > 0 ? result : tls_->outcome(result);
    }
    const auto result = ::recv(socket_.get(), space, size, 0);
    if (result > 0) return result;
    return result < 0 && (errno == EAGAIN || errno == EINTR) ? not_now : over;
}

long ServerStream::write_plain(std::string_view bytes) {
    if (tls_) {
        const int result = SSL_write(tls_->ssl.get(), bytes.data(), static_cast<int>(bytes.size()));
        return result > 0 ? result : tls_->outcome(result);
    }
    const auto result = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (result >= 0) return result;
    return errno == EAGAIN || errno == EINTR ? not_now : over;
}

void ServerStream::read_some() {
    std::array<char, 16384> space{};
    while (state_ == State::open && watch_) {
        const auto count = read_plain(space.data(), space.size());
        if (count == not_now) return;
        if (count == over) return end();
        handler_.received(std::string(space.data(), static_cast<std::size_t>(count)));
    }
}

void ServerStream::write_some() {
    while (!unsent_.empty()) {
        const auto count = write_plain(unsent_);
        if (count == not_now) return;
        if (count == over) return end();
        unsent_.erase(0, static_cast<std::size_t>(count));
    }
}

void ServerStream::end() {
    if (state_ == State::over) return;
    state_ = State::over;
    watch_.reset();
    handler_.ended();
}

void ServerStream::send(std::string_view bytes) {
    if (state_ != State::open || !watch_) return;
    unsent_ += bytes;
    write_some();
    if (watch_) watch_->want({.readable = true, .writable = !unsent_.empty()});
}

void ServerStream::close() {
    if (state_ == State::over) return;
    if (tls_ && state_ == State::open) SSL_shutdown(tls_->ssl.get());
    state_ = State::over;
    watch_.reset();
    ::shutdown(socket_.get(), SHUT_WR);
}

void ServerStream::abort() {
    state_ = State::over;
    watch_.reset();
    reset_on_close(socket_);
    socket_.close();
}

void ServerStream::fall_silent() { watch_.reset(); }

}  // namespace holdfast::live
