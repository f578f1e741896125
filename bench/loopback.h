// UDP on 127.0.0.1: the server that a bench plays, and a client's socket for a library that has
// none of its own. One thread has both ends; nobody waits longer than a second.
#pragma once

#include <array>
#include <asio/io_context.hpp>
#include <asio/ip/udp.hpp>
#include <memory>
#include <string>
#include <string_view>

namespace holdfast::bench {

class LoopbackSocket {
public:
    // nullptr: the system refuses.
    static std::unique_ptr<LoopbackSocket> open();

    [[nodiscard]] unsigned short port() const { return socket_.local_endpoint().port(); }
    [[nodiscard]] bool send_to(unsigned short port, std::string_view bytes);
    // To whom the last datagram came from.
    [[nodiscard]] bool answer(std::string_view bytes) { return send_to(sender_.port(), bytes); }
    // poll(), then one datagram, as a program does it that waits. "": none came. Good until the
    // next.
    [[nodiscard]] std::string_view receive();

private:
    LoopbackSocket() = default;

    asio::io_context context_;
    asio::ip::udp::socket socket_{context_};
    asio::ip::udp::endpoint sender_;
    std::array<char, 65'536> datagram_{};
};

}  // namespace holdfast::bench
