// A host whose network changes (K5), told by the kernel itself: each test has a network namespace
// of its own, in which addresses come and go on the loopback interface. And what is read of /proc
// where a sandbox hides all of it but processes (packaging/systemd). Needs root, and says so where
// it is missing. Not tested here: a suspend, which only a whole machine can do.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <net/route.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>

#include <linux/ipv6.h>

#include <cstring>
#include <functional>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/clock.h"
#include "runtime/network_watch.h"
#include "runtime/process_figures.h"
#include "runtime/test_support.h"

namespace holdfast::runtime {
namespace {

using namespace test;
using testing::ElementsAre;

IpAddress address(std::string_view text) { return *IpAddress::parse(text); }

// This thread's network, empty but for a loopback interface that is up; the old one comes back.
class OwnNetwork {
public:
    OwnNetwork() : before_(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC)) {
        if (!before_ || ::unshare(CLONE_NEWNET) != 0) return;
        is_own_ = true;
        v4_ = Descriptor{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
        v6_ = Descriptor{::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
        set_flags("lo", IFF_UP | IFF_RUNNING);
    }
    OwnNetwork(const OwnNetwork&) = delete;
    OwnNetwork& operator=(const OwnNetwork&) = delete;
    ~OwnNetwork() {
        if (is_own_) {
            EXPECT_EQ(::setns(before_.get(), CLONE_NEWNET), 0);
        }
    }
    [[nodiscard]] bool is_own() const { return is_own_; }
    [[nodiscard]] bool has_ipv6() const { return static_cast<bool>(v6_); }

    // `label` is an alias of lo: "lo:1".
    void add(const char* label, const IpAddress& what) const {
        auto request = request_for(label);
        const auto generic = socket_address_of({what, 0});
        std::memcpy(&request.ifr_addr, generic.get(), sizeof(sockaddr_in));
        EXPECT_EQ(::ioctl(v4_.get(), SIOCSIFADDR, &request), 0);
    }
    void remove(const char* label) const { set_flags(label, 0); }
    void change_v6(unsigned long what, const IpAddress& which) const {
        in6_ifreq request{};
        const auto generic = socket_address_of({which, 0});
        sockaddr_in6 plain{};
        std::memcpy(&plain, generic.get(), sizeof plain);
        request.ifr6_addr = plain.sin6_addr;
        request.ifr6_prefixlen = 128;
        request.ifr6_ifindex = static_cast<int>(if_nametoindex("lo"));
        EXPECT_EQ(::ioctl(v6_.get(), what, &request), 0);
    }
    void add_route(const IpAddress& network) const {
        const auto set = [](sockaddr& space, const IpAddress& value) {
            const auto generic = socket_address_of({value, 0});
            std::memcpy(&space, generic.get(), sizeof(sockaddr_in));
        };
        rtentry route{};
        char device[] = "lo";
        set(route.rt_dst, network);
        set(route.rt_genmask, address("255.255.255.0"));
        route.rt_flags = RTF_UP;
        route.rt_dev = device;
        EXPECT_EQ(::ioctl(v4_.get(), SIOCADDRT, &route), 0);
    }

private:
    static ifreq request_for(const char* label) {
        ifreq request{};
        std::strncpy(request.ifr_name, label, IFNAMSIZ - 1);
        return request;
    }
    void set_flags(const char* label, int flags) const {
        auto request = request_for(label);
        request.ifr_flags = static_cast<short>(flags);
        EXPECT_EQ(::ioctl(v4_.get(), SIOCSIFFLAGS, &request), 0);
    }

    Descriptor before_;
    Descriptor v4_;
    Descriptor v6_;
    bool is_own_ = false;
};

// This thread's /proc as systemd's ProcSubset=pid leaves it; the old one comes back.
class ProcessesOnly {
public:
    ProcessesOnly() : before_(::open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC)) {
        if (!before_ || ::unshare(CLONE_NEWNS) != 0) return;
        is_own_ = true;
        is_so_ = ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                 ::mount("proc", "/proc", "proc", 0, "subset=pid") == 0;
    }
    ProcessesOnly(const ProcessesOnly&) = delete;
    ProcessesOnly& operator=(const ProcessesOnly&) = delete;
    ~ProcessesOnly() {
        if (is_own_) {
            EXPECT_EQ(::setns(before_.get(), CLONE_NEWNS), 0);
        }
    }
    [[nodiscard]] bool is_so() const { return is_so_; }

private:
    Descriptor before_;
    bool is_own_ = false;
    bool is_so_ = false;
};

class NetworkChange : public testing::Test {
protected:
    using Addresses = std::vector<IpAddress>;

    void SetUp() override {
        if (!network.is_own())
            GTEST_SKIP() << "needs root: a network namespace cannot be made here";
    }
    // Watches while `change` happens and until it was told.
    std::vector<Addresses> told_of(const std::function<void()>& change) {
        Loop loop;
        std::vector<Addresses> told;
        const NetworkWatch watch{loop, {}, [&](Addresses addresses, bool woke) {
                                     EXPECT_FALSE(woke);
                                     told.push_back(std::move(addresses));
                                 }};
        EXPECT_EQ(watch.notice(), "");
        change();
        EXPECT_TRUE(loop.run_until([&] { return !told.empty(); }, limit));
        return told;
    }

    OwnNetwork network;
};

TEST_F(NetworkChange, AnAddressComesAndGoes) {
    const auto wifi = address("192.0.2.7");
    EXPECT_THAT(told_of([&] { network.add("lo:1", wifi); }), ElementsAre(Addresses{wifi}));
    EXPECT_THAT(told_of([&] { network.remove("lo:1"); }),
                ElementsAre(testing::Each(testing::Property(&IpAddress::is_loopback, true))));
}

TEST_F(NetworkChange, AnotherAddressInsteadIsOneChange) {
    network.add("lo:1", address("192.0.2.7"));
    const auto told = told_of([&] {
        network.remove("lo:1");
        network.add("lo:1", address("198.51.100.9"));
    });
    EXPECT_THAT(told, ElementsAre(Addresses{address("198.51.100.9")}));
}

TEST_F(NetworkChange, Ipv6AppearsAndVanishes) {
    if (!network.has_ipv6()) GTEST_SKIP() << "the kernel has no IPv6";
    const auto v4 = address("192.0.2.7");
    const auto v6 = address("2001:db8::7");
    network.add("lo:1", v4);
    EXPECT_THAT(told_of([&] { network.change_v6(SIOCSIFADDR, v6); }),
                ElementsAre(Addresses{v4, v6}));
    EXPECT_THAT(told_of([&] { network.change_v6(SIOCDIFADDR, v6); }), ElementsAre(Addresses{v4}));
}

// A VPN that takes over the way, with the address as it was: the NAT is another.
TEST_F(NetworkChange, AnotherRouteIsAChangeToo) {
    const auto own = address("192.0.2.7");
    network.add("lo:1", own);
    EXPECT_THAT(told_of([&] { network.add_route(address("203.0.113.0")); }),
                ElementsAre(Addresses{own}));
}

TEST_F(NetworkChange, AnotherRouteIsSeenFromWithinASandbox) {
    const ProcessesOnly sandbox;
    if (!sandbox.is_so()) GTEST_SKIP() << "the kernel cannot show processes only (subset=pid)";
    const auto own = address("192.0.2.7");
    network.add("lo:1", own);
    EXPECT_THAT(told_of([&] { network.add_route(address("203.0.113.0")); }),
                ElementsAre(Addresses{own}));
}

TEST_F(NetworkChange, TheProcessKnowsItsStartWithinASandbox) {
    const ProcessesOnly sandbox;
    if (!sandbox.is_so()) GTEST_SKIP() << "the kernel cannot show processes only (subset=pid)";
    const auto figures = process_figures();
    ASSERT_TRUE(figures.has_value());
    const auto now = static_cast<double>(wall_clock());
    EXPECT_LE(figures->start_seconds, now + 2);
    EXPECT_GT(figures->start_seconds, now - 3600);
}

}  // namespace
}  // namespace holdfast::runtime
