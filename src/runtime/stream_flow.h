// One TCP connection, with TLS on it or without: connect within 10 s (F4), ordered writes in a
// bounded queue, bytes up as they come. TLS is open when the certificate is verified.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/address.h"
#include "base/flow_error.h"
#include "base/time.h"
#include "runtime/descriptor.h"
#include "runtime/loop.h"
#include "runtime/tls.h"

namespace holdfast::runtime {

struct StreamHandler {
    std::function<void(const Endpoint& local, const std::string& verified_name)> opened;
    std::function<void(FlowError error, std::string detail)>
        failed;  // never was open; the last call
    std::function<void(FlowError error, std::string detail)> closed;  // was open; the last call
    std::function<void(std::string bytes)> received;
};

struct StreamOptions {
    Endpoint remote;
    std::optional<IpAddress> local{};
    Duration connect_limit = std::chrono::seconds{10};  // TLS included
};

class StreamFlow {
public:
    // session: TLS not yet begun, or none.
    StreamFlow(Loop& loop, StreamOptions options, std::unique_ptr<TlsSession> session,
               StreamHandler handler);
    StreamFlow(const StreamFlow&) = delete;
    StreamFlow& operator=(const StreamFlow&) = delete;
    ~StreamFlow();

    // Connects. A handler that is called, here or later, may silence() the flow, but not destroy
    // it.
    void start();
    void send(std::string_view bytes);
    void silence();  // no handler is called from now on; TLS says goodbye
    // While it is open and has TLS.
    [[nodiscard]] std::optional<TlsFacts> tls_facts() const;

private:
    enum class State : std::uint8_t { connecting, handshaking, open, over };

    std::optional<int> begin();  // a system error
    void on_ready(Ready ready);
    void on_connected();
    void continue_handshake();
    void read_some();
    void write_some();
    void opened();
    void end(FlowError error, std::string detail);
    void end_by_tls();

    Loop& loop_;
    StreamOptions options_;
    StreamHandler handler_;
    std::unique_ptr<TlsSession> session_;
    State state_ = State::connecting;
    bool was_open_ = false;
    std::string unsent_;
    Descriptor socket_;
    std::unique_ptr<Watch> watch_;
    Timer limit_;
    Timer again_;  // TLS holds bytes that the socket will not announce
};

}  // namespace holdfast::runtime
