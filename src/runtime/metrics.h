// Metrics for Prometheus (docs/metrics.md): fed by events and served over HTTP, all on the loop's
// thread. A library of its own, holdfast_metrics: only who serves metrics loads an HTTP server.
//
//   auto metrics = Metrics::open(loop, "127.0.0.1:9464", {.version = "0.1.0", .shards = …});
//   if (!metrics) fail(metrics.error());
//   (*metrics)->account_added(aor);
//   (*metrics)->on_event(event, aor);
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/event.h"
#include "runtime/failure.h"
#include "runtime/hooks.h"
#include "runtime/loop.h"

namespace holdfast::runtime {

constexpr std::size_t metric_targets_most = 100;  // labels `target`; the rest is "other"
constexpr unsigned scrapers_most = 16;            // connections at once
constexpr unsigned scrape_timeout_seconds = 10;   // of a connection on which nothing happens

struct ShardCounters {  // one engine's, since its start; they only grow
    std::uint64_t registers_sent = 0;
    std::uint64_t sent_packets = 0, sent_bytes = 0;  // datagrams, or writes to a stream
    std::uint64_t received_packets = 0, received_bytes = 0;
    std::uint64_t steps = 0;           // how often the engine was called
    std::uint64_t events_dropped = 0;  // that did not reach hooks and metrics
};

// Asked at each scrape, on the loop's thread.
struct MetricsSources {
    std::string version{};  // of holdfast_build_info
    std::function<std::vector<ShardCounters>()> shards{};
    std::function<HookCounts()> hooks{};
};

class Metrics {
public:
    // address: IP address and port to serve at, "127.0.0.1:9464" or "[::1]:9464"; port 0: any that
    // is free. Fails if it is none, is not ours or is taken.
    static std::expected<std::unique_ptr<Metrics>, Failure> open(Loop& loop,
                                                                 const std::string& address,
                                                                 MetricsSources sources);
    Metrics(const Metrics&) = delete;
    Metrics& operator=(const Metrics&) = delete;
    ~Metrics();  // a scrape that is under way is cut

    [[nodiscard]] const Endpoint& endpoint() const;  // with its port

    // As FleetTally's.
    void account_added(std::string_view aor);
    void account_removed(std::string_view aor);
    void on_event(const Event& event, std::string_view aor);

private:
    class Impl;
    explicit Metrics(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast::runtime
