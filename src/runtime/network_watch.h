// The host's addresses and routes, and its sleep (K5): tells when they change, by netlink and a
// clock that is cancelled on resume; polls nothing.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/time.h"
#include "runtime/loop.h"

namespace holdfast::runtime {

struct NetworkOptions {
    bool include_loopback = false;    // always: if there is nothing else
    std::optional<IpAddress> only{};  // --local: this one, as long as the host has it
};

// Usable source addresses: up, not link-local, not tentative or deprecated. Sorted.
std::vector<IpAddress> source_addresses(const NetworkOptions& options);
std::vector<IpAddress> chosen_addresses(std::vector<IpAddress> all, const NetworkOptions& options);

// Addresses of /proc/net/if_inet6 that must not be used as a source: tentative, failed or
// deprecated.
std::vector<IpAddress> unusable_ipv6(std::string_view if_inet6);

class NetworkWatch {
public:
    // woke: the host slept. Called at most once in 100 ms, and only if something is different or it
    // woke.
    using Changed = std::function<void(std::vector<IpAddress> addresses, bool woke)>;
    NetworkWatch(Loop& loop, NetworkOptions options, Changed changed);
    NetworkWatch(const NetworkWatch&) = delete;
    NetworkWatch& operator=(const NetworkWatch&) = delete;
    ~NetworkWatch();

    [[nodiscard]] const std::string& notice() const;  // what cannot be watched here, or ""

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast::runtime
