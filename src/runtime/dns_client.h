// Asks the system's name servers, or given ones: one question, one answer, always, within `limit`.
// c-ares on the loop, no thread. The list of servers is read again when resolv.conf changes; the
// hosts file is asked first (L1).
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

#include "base/dns.h"
#include "base/ids.h"
#include "runtime/loop.h"

namespace holdfast::runtime {

struct DnsOptions {
    std::vector<Endpoint> servers{};  // empty: resolv.conf's; port 0 is 53
    std::filesystem::path resolv_conf = "/etc/resolv.conf";
    std::filesystem::path hosts_file = "/etc/hosts";
    Duration limit = std::chrono::seconds{9};  // the engine's contract is 10 s
};

class DnsClient {
public:
    using Answered = std::function<void(QueryId, dns::Answer)>;
    DnsClient(Loop& loop, DnsOptions options, Answered answered);
    DnsClient(const DnsClient&) = delete;
    DnsClient& operator=(const DnsClient&) = delete;
    ~DnsClient();

    // The answer may come before this returns.
    void ask(QueryId query, const dns::Question& question);

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast::runtime
