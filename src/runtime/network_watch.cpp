#include "runtime/network_watch.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <set>
#include <utility>

#include "base/text.h"
#include "runtime/clock.h"
#include "runtime/descriptor.h"
#include "runtime/socket_address.h"

namespace holdfast::runtime {

namespace {

using namespace std::chrono_literals;

constexpr Duration quiet_time = 100ms;      // a change comes as a burst of messages
constexpr Duration shortest_sleep = 500ms;  // less is the clocks' difference, not a suspend

std::string read_file(const char* name) {
    std::ifstream stream{name};
    return std::string{std::istreambuf_iterator<char>{stream}, {}};
}

// The words of a line of /proc, as many as there are of the first twelve.
std::array<std::string_view, 12> words_of_line(std::string_view line) {
    std::array<std::string_view, 12> words{};
    for (auto& word : words) {
        const auto begin = std::min(line.find_first_not_of(" \t"), line.size());
        const auto end = std::min(line.find_first_of(" \t", begin), line.size());
        word = line.substr(begin, end - begin);
        line.remove_prefix(end);
    }
    return words;
}

template <class Handle>
void for_each_line(std::string_view text, Handle handle) {
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        handle(words_of_line(text.substr(0, end)));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
}

// Routes as lines without the columns that count their use: a router's announcement that only
// renews its lifetime is no change. /proc/self/net is there too where a sandbox shows processes
// only (mount option subset=pid, systemd's ProcSubset=pid).
std::set<std::string> routes() {
    std::set<std::string> lines;
    const auto add = [&](std::initializer_list<std::string_view> columns) {
        std::string line;
        for (const auto column : columns) line.append(column).append(1, ' ');
        lines.insert(std::move(line));
    };
    for_each_line(read_file("/proc/self/net/route"), [&](const auto& words) {
        const auto& [interface, destination, gateway, flags, references, use, metric, mask, mtu,
                     window, rtt, rest] = words;
        add({interface, destination, gateway, metric, mask});
    });
    for_each_line(read_file("/proc/self/net/ipv6_route"), [&](const auto& words) {
        const auto& [destination, length, source, source_length, gateway, metric, references, use,
                     flags, interface, rest, more] = words;
        add({interface, destination, length, gateway, metric});
    });
    return lines;
}

struct FreeInterfaces {
    void operator()(ifaddrs* list) const { freeifaddrs(list); }
};

std::optional<IpAddress> address_of(const sockaddr* generic) {
    if (generic == nullptr) return std::nullopt;
    SocketAddress address;
    switch (generic->sa_family) {
    case AF_INET: address.length = sizeof(sockaddr_in); break;
    case AF_INET6: address.length = sizeof(sockaddr_in6); break;
    default: return std::nullopt;
    }
    std::memcpy(&address.storage, generic, address.length);
    const auto endpoint = endpoint_of(address);
    if (!endpoint) return std::nullopt;
    return endpoint->address;
}

// RTM_NEWROUTE comes for cache entries too, and for tables that do not concern us.
bool is_of_interest(const nlmsghdr& header) {
    switch (header.nlmsg_type) {
    case RTM_NEWADDR:
    case RTM_DELADDR: return true;
    case RTM_NEWROUTE:
    case RTM_DELROUTE: {
        rtmsg route{};
        if (header.nlmsg_len < NLMSG_LENGTH(sizeof route)) return false;
        std::memcpy(&route, reinterpret_cast<const char*>(&header) + NLMSG_HDRLEN, sizeof route);
        return route.rtm_type == RTN_UNICAST && (route.rtm_flags & RTM_F_CLONED) == 0;
    }
    default: return false;
    }
}

}  // namespace

std::vector<IpAddress> unusable_ipv6(std::string_view if_inet6) {
    std::vector<IpAddress> unusable;
    for_each_line(if_inet6, [&](const auto& words) {
        const auto bytes = from_hex(words[0]);  // then interface, prefix length, scope
        const auto flags = from_hex(words[4]);
        if (!bytes || bytes->size() != 16 || !flags || flags->size() != 1) return;
        constexpr auto bad = IFA_F_TENTATIVE | IFA_F_DADFAILED | IFA_F_DEPRECATED;
        if ((static_cast<std::uint8_t>(flags->front()) & bad) == 0) return;
        std::array<std::uint8_t, 16> raw{};
        std::memcpy(raw.data(), bytes->data(), raw.size());
        unusable.push_back(IpAddress::v6(raw));
    });
    return unusable;
}

std::vector<IpAddress> chosen_addresses(std::vector<IpAddress> all, const NetworkOptions& options) {
    std::ranges::sort(all);
    const auto doubled = std::ranges::unique(all);
    all.erase(doubled.begin(), doubled.end());
    std::erase_if(all, [](const IpAddress& a) { return a.is_link_local() || a.is_unspecified(); });
    if (options.only) {
        const bool is_there =
            std::ranges::binary_search(all, *options.only) || options.only->is_loopback();
        return is_there ? std::vector{*options.only} : std::vector<IpAddress>{};
    }
    const bool only_loopback = std::ranges::all_of(all, &IpAddress::is_loopback);
    if (!only_loopback && !options.include_loopback) std::erase_if(all, &IpAddress::is_loopback);
    return all;
}

std::vector<IpAddress> source_addresses(const NetworkOptions& options) {
    ifaddrs* raw = nullptr;
    if (getifaddrs(&raw) != 0) return {};
    const std::unique_ptr<ifaddrs, FreeInterfaces> list{raw};
    const auto unusable = unusable_ipv6(read_file("/proc/self/net/if_inet6"));
    std::vector<IpAddress> all;
    for (const auto* entry = list.get(); entry != nullptr; entry = entry->ifa_next) {
        if ((entry->ifa_flags & IFF_UP) == 0) continue;
        const auto address = address_of(entry->ifa_addr);
        if (address && std::ranges::find(unusable, *address) == unusable.end())
            all.push_back(*address);
    }
    return chosen_addresses(std::move(all), options);
}

class NetworkWatch::Impl {
public:
    Impl(Loop& loop, NetworkOptions options, Changed changed)
        : options_(std::move(options)),
          changed_(std::move(changed)),
          addresses_(source_addresses(options_)),
          routes_(routes()),
          quiet_(loop, [this] { tell(); }) {
        watch_netlink(loop);
        watch_sleep(loop);
    }

    [[nodiscard]] const std::string& notice() const { return notice_; }

private:
    void watch_netlink(Loop& loop) {
        netlink_ = Descriptor{
            ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE)};
        sockaddr_nl address{};
        address.nl_family = AF_NETLINK;
        address.nl_groups =
            RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE;
        SocketAddress generic;
        std::memcpy(&generic.storage, &address, sizeof address);
        if (!netlink_ || ::bind(netlink_.get(), generic.get(), sizeof address) != 0) {
            notice_ =
                "Changes of the network are not seen on this host (netlink: " + words_of(errno) +
                "): a new address is noticed when a server stops answering.";
            netlink_.close();
            return;
        }
        netlink_watch_ =
            std::make_unique<Watch>(loop, netlink_.get(), [this](Ready) { read_netlink(); });
    }

    void read_netlink() {
        alignas(nlmsghdr) std::array<char, 16384> buffer{};
        for (;;) {
            const auto size = ::recv(netlink_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
            if (size < 0 && errno == EINTR) continue;
            if (size < 0 && errno == ENOBUFS) {  // messages were lost: look for ourselves
                expect_change();
                continue;
            }
            if (size <= 0) return;
            auto left = static_cast<unsigned>(size);
            const auto* header = reinterpret_cast<const nlmsghdr*>(buffer.data());
            for (; NLMSG_OK(header, left); header = NLMSG_NEXT(header, left))
                if (is_of_interest(*header)) expect_change();
        }
    }

    // Not pushed back by further messages: a network that never rests is still told about.
    void expect_change() {
        if (!std::exchange(expected_, true)) quiet_.arm(boot_time() + quiet_time);
    }

    // A timer on the wall clock that never ends, but is cancelled when that clock is set, which the
    // kernel also does on resume. Whether the host slept, the two other clocks tell.
    void watch_sleep(Loop& loop) {
        wall_timer_ = Descriptor{timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC)};
        if (!wall_timer_ || !arm_wall_timer()) {
            wall_timer_.close();
            return;
        }
        sleep_watch_ = std::make_unique<Watch>(loop, wall_timer_.get(), [this](Ready) {
            std::uint64_t expirations = 0;
            [[maybe_unused]] const auto size =
                ::read(wall_timer_.get(), &expirations, sizeof expirations);
            arm_wall_timer();
            const auto asleep = time_asleep();
            if (asleep - asleep_ < shortest_sleep) return;
            asleep_ = asleep;
            woke_ = true;
            expect_change();
        });
    }

    bool arm_wall_timer() {
        itimerspec when{};
        when.it_value.tv_sec = wall_clock() + 10LL * 365 * 24 * 3600;
        return timerfd_settime(wall_timer_.get(), TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET,
                               &when, nullptr) == 0;
    }

    void tell() {
        expected_ = false;
        auto addresses = source_addresses(options_);
        auto now = routes();
        const bool woke = std::exchange(woke_, false);
        if (!woke && addresses == addresses_ && now == routes_) return;
        addresses_ = addresses;
        routes_ = std::move(now);
        changed_(std::move(addresses), woke);
    }

    NetworkOptions options_;
    Changed changed_;
    std::vector<IpAddress> addresses_;
    std::set<std::string> routes_;
    Duration asleep_ = time_asleep();
    bool woke_ = false;
    bool expected_ = false;
    std::string notice_;
    Descriptor netlink_;
    Descriptor wall_timer_;
    std::unique_ptr<Watch> netlink_watch_;
    std::unique_ptr<Watch> sleep_watch_;
    Timer quiet_;
};

NetworkWatch::NetworkWatch(Loop& loop, NetworkOptions options, Changed changed)
    : impl_(std::make_unique<Impl>(loop, std::move(options), std::move(changed))) {}
NetworkWatch::~NetworkWatch() = default;
const std::string& NetworkWatch::notice() const { return impl_->notice(); }

}  // namespace holdfast::runtime
