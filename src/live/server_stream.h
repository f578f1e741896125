// The server's end of one real connection, with TLS on it or without: bytes as they come, writes in
// order.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "live/authority.h"
#include "runtime/descriptor.h"
#include "runtime/loop.h"

namespace holdfast::live {

struct ServerStreamHandler {
    std::function<void()> opened;  // TLS: the handshake is done
    std::function<void(std::string bytes)> received;
    std::function<void()> ended;  // by the peer or an error; the last call
};

class ServerStream {
public:
    // certificate: nothing for plain TCP. A handler that is called may not destroy the stream.
    ServerStream(runtime::Loop& loop, runtime::Descriptor socket,
                 const ServerCertificate* certificate, ServerStreamHandler handler);
    ServerStream(const ServerStream&) = delete;
    ServerStream& operator=(const ServerStream&) = delete;
    ~ServerStream();

    void start();
    void send(std::string_view bytes);
    void close();        // in order, after what was sent
    void abort();        // RST
    void fall_silent();  // the connection stays; nothing is read, written or reported any more

private:
    struct Tls;
    enum class State : std::uint8_t { handshaking, open, over };

    void on_ready();
    void handshake();
    void read_some();
    void write_some();
    void end();
    long read_plain(char* space, std::size_t size);
    long write_plain(std::string_view bytes);

    runtime::Loop& loop_;
    runtime::Descriptor socket_;
    ServerStreamHandler handler_;
    std::unique_ptr<Tls> tls_;
    State state_ = State::open;
    std::string unsent_;
    std::unique_ptr<runtime::Watch> watch_;
};

}  // namespace holdfast::live
