// A host of the test's own: its network is a loopback interface and nothing else, its
// /etc/resolv.conf any file. Namespaces of this process and of those that it starts; needs root.
#pragma once

#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>

#include <linux/ipv6.h>

#include <cstring>
#include <filesystem>
#include <string_view>

#include "runtime/descriptor.h"
#include "runtime/socket_address.h"

namespace holdfast::faults {

class OwnHost {
public:
    OwnHost()
        : network_before_(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC)),
          files_before_(::open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC)) {
        if (::unshare(CLONE_NEWNET | CLONE_NEWNS) != 0) return;
        v4_ = runtime::Descriptor{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
        v6_ = runtime::Descriptor{::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
        is_own_ = ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                  set_flags("lo", IFF_UP | IFF_RUNNING);
    }
    OwnHost(const OwnHost&) = delete;
    OwnHost& operator=(const OwnHost&) = delete;
    ~OwnHost() {
        ::setns(network_before_.get(), CLONE_NEWNET);
        ::setns(files_before_.get(), CLONE_NEWNS);
    }

    [[nodiscard]] bool is_own() const { return is_own_; }
    [[nodiscard]] bool has_ipv6() const { return static_cast<bool>(v6_); }
    [[nodiscard]] static bool use_resolver(const std::filesystem::path& file) {
        return ::mount(file.c_str(), "/etc/resolv.conf", nullptr, MS_BIND, nullptr) == 0;
    }
    // `label` is an alias of lo: "lo:1".
    [[nodiscard]] bool add(const char* label, std::string_view address) const {
        auto request = request_for(label);
        const auto generic = runtime::socket_address_of({*IpAddress::parse(address), 0});
        std::memcpy(&request.ifr_addr, generic.get(), sizeof(sockaddr_in));
        return ::ioctl(v4_.get(), SIOCSIFADDR, &request) == 0;
    }
    [[nodiscard]] bool remove(const char* label) const { return set_flags(label, 0); }
    [[nodiscard]] bool add_v6(std::string_view address) const {
        return change_v6(SIOCSIFADDR, address);
    }
    [[nodiscard]] bool remove_v6(std::string_view address) const {
        return change_v6(SIOCDIFADDR, address);
    }

private:
    static ifreq request_for(const char* label) {
        ifreq request{};
        std::strncpy(request.ifr_name, label, IFNAMSIZ - 1);
        return request;
    }
    [[nodiscard]] bool set_flags(const char* label, int flags) const {
        auto request = request_for(label);
        request.ifr_flags = static_cast<short>(flags);
        return ::ioctl(v4_.get(), SIOCSIFFLAGS, &request) == 0;
    }
    [[nodiscard]] bool change_v6(unsigned long what, std::string_view address) const {
        in6_ifreq request{};
        const auto generic = runtime::socket_address_of({*IpAddress::parse(address), 0});
        sockaddr_in6 plain{};
        std::memcpy(&plain, generic.get(), sizeof plain);
        request.ifr6_addr = plain.sin6_addr;
        request.ifr6_prefixlen = 128;
        request.ifr6_ifindex = static_cast<int>(if_nametoindex("lo"));
        return ::ioctl(v6_.get(), what, &request) == 0;
    }

    runtime::Descriptor network_before_;
    runtime::Descriptor files_before_;
    runtime::Descriptor v4_;
    runtime::Descriptor v6_;
    bool is_own_ = false;
};

}  // namespace holdfast::faults
