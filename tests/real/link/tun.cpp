#include "tests/real/link/tun.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace holdfast::real {

namespace {

std::unexpected<std::string> because(const std::string& what) {
    return std::unexpected(what + ": " + std::strerror(errno));
}

}  // namespace

std::expected<runtime::Descriptor, std::string> open_tun(int name_space, const std::string& name) {
    ifreq request{};
    if (name.empty() || name.size() >= sizeof request.ifr_name)
        return std::unexpected("\"" + name + "\" is no interface's name: 1 to 15 characters");
    if (setns(name_space, CLONE_NEWNET) != 0)
        return because("descriptor " + std::to_string(name_space) +
                       " is no network namespace that can be entered (needs root)");
    runtime::Descriptor tun{open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC)};
    if (!tun) return because("/dev/net/tun (the kernel needs the module tun)");
    name.copy(request.ifr_name, name.size());
    request.ifr_flags = IFF_TUN | IFF_NO_PI;
    if (ioctl(tun.get(), TUNSETIFF, &request) != 0) return because("the TUN device " + name);
    return tun;
}

std::expected<std::optional<std::string>, int> read_packet(const runtime::Descriptor& tun,
                                                           std::span<char> buffer) {
    const auto length = read(tun.get(), buffer.data(), buffer.size());
    if (length >= 0) return std::string(buffer.data(), static_cast<std::size_t>(length));
    if (errno == EAGAIN || errno == EINTR) return std::nullopt;
    return std::unexpected(errno);
}

bool write_packet(const runtime::Descriptor& tun, const std::string& packet) {
    return write(tun.get(), packet.data(), packet.size()) == static_cast<ssize_t>(packet.size());
}

}  // namespace holdfast::real
