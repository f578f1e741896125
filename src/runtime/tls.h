// TLS as SIP wants it (design: Security; RFC 5922): TLS 1.2 or newer, SNI, the certificate verified
// for the configured name on every connection. OpenSSL stays behind it.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/flow_error.h"
#include "base/tls_facts.h"
#include "runtime/failure.h"
#include "runtime/tls_options.h"

namespace holdfast::runtime {

struct TlsFailure {
    FlowError error = FlowError::tls;
    std::string detail;  // in words
};

enum class TlsStep : std::uint8_t { done, want_read, want_write, failed };

// The client's side of one connection, over a non-blocking socket that somebody else owns.
class TlsSession {
public:
    struct Impl;  // made by TlsContext
    explicit TlsSession(std::unique_ptr<Impl> impl);
    TlsSession(const TlsSession&) = delete;
    TlsSession& operator=(const TlsSession&) = delete;
    ~TlsSession();

    void attach(int socket);
    TlsStep handshake();  // done: the certificate is verified for the name
    // At most one record; 0 bytes and done: the peer has ended the connection.
    TlsStep read(std::span<char> space, std::size_t& size);
    TlsStep write(std::string_view bytes,
                  std::size_t& size);          // after want_*: again, beginning with the same
    void goodbye();                            // close_notify, as far as it goes at once
    [[nodiscard]] TlsFailure failure() const;  // after TlsStep::failed
    [[nodiscard]] const std::string& name() const;
    [[nodiscard]] bool resumed() const;
    [[nodiscard]] TlsFacts facts() const;  // after the handshake

private:
    std::unique_ptr<Impl> impl_;
};

// What all connections share: the trusted CAs, the pins, the client certificate, and the sessions
// that can be resumed, each only for the name it was verified for. Loaded when first needed.
class TlsContext {
public:
    struct Impl;
    explicit TlsContext(TlsOptions options);
    TlsContext(const TlsContext&) = delete;
    TlsContext& operator=(const TlsContext&) = delete;
    ~TlsContext();

    // Whether the files can be read and the pins are pins. Without options it loads nothing.
    std::expected<void, Failure> check();
    // name: the configured next hop, a domain or an IP address. Must not outlive the context.
    std::expected<std::unique_ptr<TlsSession>, Failure> connect_to(const std::string& name);

private:
    std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast::runtime
