#include "bench/loopback.h"

#include <poll.h>

namespace holdfast::bench {

using asio::ip::udp;

std::unique_ptr<LoopbackSocket> LoopbackSocket::open() {
    std::unique_ptr<LoopbackSocket> opened(new LoopbackSocket);
    asio::error_code failed;
    auto& socket = opened->socket_;
    socket.open(udp::v4(), failed);
    if (!failed) socket.bind({asio::ip::address_v4::loopback(), 0}, failed);
    if (!failed) socket.non_blocking(true, failed);
    if (failed) return nullptr;
    return opened;
}

bool LoopbackSocket::send_to(unsigned short port, std::string_view bytes) {
    asio::error_code failed;
    socket_.send_to(asio::buffer(bytes), {asio::ip::address_v4::loopback(), port}, 0, failed);
    return !failed;
}

std::string_view LoopbackSocket::receive() {
    constexpr int wait_ms = 1'000;
    pollfd readable{.fd = socket_.native_handle(), .events = POLLIN, .revents = 0};
    if (::poll(&readable, 1, wait_ms) != 1) return {};
    asio::error_code failed;
    const auto size = socket_.receive_from(asio::buffer(datagram_), sender_, 0, failed);
    return failed ? std::string_view{} : std::string_view(datagram_.data(), size);
}

}  // namespace holdfast::bench
