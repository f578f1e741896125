#include "runtime/metrics.h"

#include <fcntl.h>
#include <microhttpd.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <limits>
#include <optional>
#include <utility>

#include "runtime/clock.h"
#include "runtime/descriptor.h"
#include "runtime/fleet_tally.h"
#include "runtime/process_figures.h"
#include "runtime/socket_address.h"

namespace holdfast::runtime {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Label = ClientMetric::Label;

// One scrape's answer. Each call names one metric, as docs/metrics.md does.
class Page {
public:
    template <class Number>
    void gauge(const char* name, const char* help, Number value) {
        begin(MetricType::Gauge, name, help);
        add({}, value);
    }
    template <class Number>
    void counter(const char* name, const char* help, Number value) {
        begin(MetricType::Counter, name, help);
        add({}, value);
    }
    void begin(MetricType type, const char* name, const char* help) {
        families_.push_back({.name = name, .help = help, .type = type, .metric = {}});
    }
    // One more row of the metric that was begun last.
    template <class Number>
    void add(std::vector<Label> labels, Number value) {
        auto& family = families_.back();
        auto& row = family.metric.emplace_back();
        row.label = std::move(labels);
        (family.type == MetricType::Counter ? row.counter.value : row.gauge.value) =
            static_cast<double>(value);
    }
    void add(ClientMetric::Histogram histogram) {
        families_.back().metric.emplace_back().histogram = std::move(histogram);
    }
    std::vector<MetricFamily> done() { return std::move(families_); }

private:
    std::vector<MetricFamily> families_;
};

void write_accounts(Page& page, const AccountCounts& counts) {
    page.gauge("holdfast_accounts_configured", "Accounts that are to be registered.",
               counts.configured);
    page.gauge("holdfast_accounts_registered", "Accounts with at least one binding.",
               counts.registered);
    page.gauge("holdfast_accounts_reachable",
               "Registered accounts whose own OPTIONS came back to them.", counts.reachable);
    page.gauge("holdfast_accounts_unreachable",
               "Registered accounts whose own OPTIONS came back before and does not now.",
               counts.unreachable);
    page.gauge("holdfast_accounts_unprovable",
               "Registered accounts whose reachability cannot be proven at their server.",
               counts.unprovable);
    page.gauge("holdfast_accounts_waiting",
               "Accounts whose last search found no server; they wait for the next.",
               counts.waiting);
    page.gauge("holdfast_accounts_refused",
               "Accounts that a server has refused, or whose password it has not accepted.",
               counts.refused);
}

// The targets with the most accounts have a label of their own.
void write_targets(Page& page, std::vector<std::pair<Target, std::uint64_t>> targets) {
    page.begin(MetricType::Gauge, "holdfast_target_accounts",
               "Accounts that are registered at this target; at most 100 targets are named, the "
               "others are target=\"other\".");
    std::ranges::stable_sort(targets,
                             [](const auto& a, const auto& b) { return a.second > b.second; });
    std::uint64_t others = 0;
    for (std::size_t i = 0; i < targets.size(); ++i) {
        const auto& [target, accounts] = targets[i];
        if (i < metric_targets_most)
            page.add({{"target", target.to_string()}}, accounts);
        else
            others += accounts;
    }
    if (targets.size() > metric_targets_most) page.add({{"target", "other"}}, others);
}

void write_round_trips(Page& page, const EventCounts& counts) {
    page.begin(MetricType::Histogram, "holdfast_register_rtt_seconds",
               "From a REGISTER to its 200, where no repetition blurs it.");
    ClientMetric::Histogram histogram;
    for (std::size_t i = 0; i < counts.rtt.size(); ++i) {
        histogram.sample_count += counts.rtt[i];
        histogram.bucket.push_back({.cumulative_count = histogram.sample_count,
                                    .upper_bound = i < rtt_buckets.size()
                                                       ? rtt_buckets[i]
                                                       : std::numeric_limits<double>::infinity()});
    }
    histogram.sample_sum = counts.rtt_seconds;
    page.add(std::move(histogram));
}

void write_events(Page& page, const EventCounts& counts) {
    page.begin(MetricType::Counter, "holdfast_registrations_total",
               "REGISTERs that succeeded: a new binding, the same again, or at another target.");
    page.add({{"kind", "registered"}}, counts.registered);
    page.add({{"kind", "refreshed"}}, counts.refreshed);
    page.add({{"kind", "moved"}}, counts.moved);
    page.counter("holdfast_failovers_total",
                 "Moves away from a server that did not serve; not failbacks and drains.",
                 counts.failovers);
    page.begin(MetricType::Counter, "holdfast_attempt_failures_total",
               "REGISTERs that did not succeed, by why.");
    for (std::size_t i = 0; i < failure_classes; ++i)
        page.add({{"reason", std::string(label_of(static_cast<FailureClass>(i)))}},
                 counts.failures[i]);
    page.counter("holdfast_searches_failed_total",
                 "Searches in which no server could be used; a wait follows.",
                 counts.searches_failed);
    page.counter("holdfast_refusals_total", "Final refusals, which are retried slowly.",
                 counts.refusals);
    page.counter("holdfast_auth_failures_total", "Passwords that were not accepted, or missing.",
                 counts.auth_failures);
    page.counter("holdfast_unregistrations_total", "Bindings that ended: removed, or lapsed.",
                 counts.unregistered);
    page.counter("holdfast_flows_lost_total", "Connections or local addresses in use that went.",
                 counts.flows_lost);
    page.counter("holdfast_mapping_changes_total",
                 "Flows whose address behind the NAT became another.", counts.mapping_changes);
    page.counter("holdfast_bindings_removed_total",
                 "Old bindings that are gone from a location service.", counts.bindings_removed);
    page.counter("holdfast_binding_debts_total", "Old bindings that could not be removed.",
                 counts.binding_debts);
    page.begin(MetricType::Counter, "holdfast_probes_total", "Probes of servers, by their result.");
    for (std::size_t i = 0; i < probe_classes; ++i)
        page.add({{"result", std::string(label_of(static_cast<ProbeClass>(i)))}}, counts.probes[i]);
    page.counter("holdfast_lookups_total", "Lookups of an account's servers in DNS.",
                 counts.lookups);
    page.counter("holdfast_lookups_failed_total", "Of these, those that led to no server.",
                 counts.lookups_failed);
    page.counter("holdfast_calls_total", "Incoming calls.", counts.calls);
}

void write_shards(Page& page, const std::vector<ShardCounters>& shards) {
    struct Row {
        const char* name;
        const char* help;
        std::uint64_t ShardCounters::* value;
    };
    constexpr std::array rows{
        Row{"holdfast_registers_sent_total", "REGISTERs that were sent, repetitions too.",
            &ShardCounters::registers_sent},
        Row{"holdfast_sent_packets_total", "Datagrams and writes to connections.",
            &ShardCounters::sent_packets},
        Row{"holdfast_sent_bytes_total", "Octets in them.", &ShardCounters::sent_bytes},
        Row{"holdfast_received_packets_total", "Datagrams and reads from connections.",
            &ShardCounters::received_packets},
        Row{"holdfast_received_bytes_total", "Octets in them.", &ShardCounters::received_bytes},
        Row{"holdfast_engine_steps_total", "How often the engine was called.",
            &ShardCounters::steps},
        Row{"holdfast_events_dropped_total",
            "Events that did not reach hooks and metrics, for they came too fast.",
            &ShardCounters::events_dropped}};
    for (const auto& row : rows) {
        page.begin(MetricType::Counter, row.name, row.help);
        for (std::size_t i = 0; i < shards.size(); ++i)
            page.add({{"shard", std::to_string(i)}}, shards[i].*row.value);
    }
}

void write_hooks(Page& page, const HookCounts& counts) {
    page.counter("holdfast_hooks_run_total", "Hooks that were started.", counts.run);
    page.counter("holdfast_hooks_failed_total", "Of these, those that failed or took too long.",
                 counts.failed);
    page.counter("holdfast_hooks_dropped_total",
                 "Events that a hook was not told of, for it was too slow.", counts.dropped);
}

void write_process(Page& page, const std::string& version) {
    page.begin(MetricType::Gauge, "holdfast_build_info", "Always 1; the label says which version.");
    page.add({{"version", version}}, 1);
    const auto figures = process_figures();
    if (!figures) return;
    page.counter("process_cpu_seconds_total", "CPU time of this process, user and system.",
                 figures->cpu_seconds);
    page.gauge("process_resident_memory_bytes", "Resident memory.", figures->resident_bytes);
    page.gauge("process_virtual_memory_bytes", "Virtual memory.", figures->virtual_bytes);
    page.gauge("process_open_fds", "Open file descriptors.", figures->open_descriptors);
    page.gauge("process_max_fds", "The limit on them.", figures->most_descriptors);
    page.gauge("process_threads", "Threads.", figures->threads);
    page.gauge("process_start_time_seconds", "Start of this process, in seconds since 1970.",
               figures->start_seconds);
}

Failure failure_to_bind(const std::string& address, int error) {
    const auto taken = error == EADDRINUSE;
    return {taken ? FailureKind::port_in_use : FailureKind::address_unusable,
            "Metrics cannot be served at " + address + " (" + words_of(error) + "): " +
                (taken                    ? "another program has this port; choose another."
                 : error == EADDRNOTAVAIL ? "this host does not have the address."
                                          : "choose another address or port.")};
}

std::expected<Descriptor, Failure> listen_at(const Endpoint& at, const std::string& address) {
    Descriptor socket{
        ::socket(domain_of(at.address.family()), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (!socket) return std::unexpected(failure_to_bind(address, errno));
    const int on = 1;  // a restart finds connections of the process before in TIME_WAIT
    ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const auto name = socket_address_of(at);
    if (::bind(socket.get(), name.get(), name.length) != 0 ||
        ::listen(socket.get(), scrapers_most) != 0)
        return std::unexpected(failure_to_bind(address, errno));
    return socket;
}

struct ReleaseResponse {
    void operator()(MHD_Response* response) const { MHD_destroy_response(response); }
};
using Response = std::unique_ptr<MHD_Response, ReleaseResponse>;

Response response_of(std::string text, const char* type) {
    Response response{
        MHD_create_response_from_buffer(text.size(), text.data(), MHD_RESPMEM_MUST_COPY)};
    if (response) MHD_add_response_header(response.get(), MHD_HTTP_HEADER_CONTENT_TYPE, type);
    return response;
}

}  // namespace

class Metrics::Impl {
public:
    Impl(Loop& loop, const Descriptor& listener, MetricsSources sources)
        : sources_(std::move(sources)),
          endpoint_(*local_endpoint(listener.get())),
          timer_(loop, [this] { run(); }),
          // Without threads: it has a descriptor that says when it wants to be run. It closes the
          // listening socket that it is given.
          server_(MHD_start_daemon(
              MHD_USE_EPOLL, 0, nullptr, nullptr, &Impl::on_request, this, MHD_OPTION_LISTEN_SOCKET,
              fcntl(listener.get(), F_DUPFD_CLOEXEC, 0), MHD_OPTION_CONNECTION_LIMIT, scrapers_most,
              MHD_OPTION_CONNECTION_TIMEOUT, scrape_timeout_seconds, MHD_OPTION_END)) {
        if (!server_) return;
        const auto* info = MHD_get_daemon_info(server_.get(), MHD_DAEMON_INFO_EPOLL_FD);
        watch_ = std::make_unique<Watch>(loop, info->epoll_fd, [this](Ready) { run(); });
    }

    [[nodiscard]] bool serves() const { return server_ != nullptr; }
    [[nodiscard]] const Endpoint& endpoint() const { return endpoint_; }
    FleetTally tally;

private:
    struct Stop {
        void operator()(MHD_Daemon* server) const { MHD_stop_daemon(server); }
    };

    [[nodiscard]] unsigned connections() const {
        return MHD_get_daemon_info(server_.get(), MHD_DAEMON_INFO_CURRENT_CONNECTIONS)
            ->num_connections;
    }

    void run() {
        // When one of too many connections has ended, it listens again in the next run only.
        for (unsigned before = scrapers_most + 1; connections() < before;) {
            before = connections();
            MHD_run(server_.get());
        }
        MHD_UNSIGNED_LONG_LONG milliseconds = 0;
        if (MHD_get_timeout(server_.get(), &milliseconds) == MHD_YES)
            timer_.arm(boot_time() + std::chrono::milliseconds{milliseconds});
        else
            timer_.stop();
    }

    // The library's signature. It calls once when the head is there, then for what follows.
    static MHD_Result on_request(void* self, MHD_Connection* connection, const char* url,
                                 const char* method, const char* /*version*/, const char* /*body*/,
                                 std::size_t* body_size, void** state) {
        if (*state == nullptr) {  // the head: the answer waits for the end
            *state = self;
            return MHD_YES;
        }
        if (*body_size > 0) {  // nobody asked for it
            *body_size = 0;
            return MHD_YES;
        }
        const auto [status, response] = static_cast<Impl*>(self)->answer(method, url);
        return response ? MHD_queue_response(connection, status, response.get()) : MHD_NO;
    }

    [[nodiscard]] std::pair<unsigned, Response> answer(std::string_view method,
                                                       std::string_view url) const {
        if (url != "/metrics")
            return {MHD_HTTP_NOT_FOUND,
                    response_of("The metrics are at /metrics.\n", "text/plain")};
        if (method != MHD_HTTP_METHOD_GET && method != MHD_HTTP_METHOD_HEAD)
            return {MHD_HTTP_METHOD_NOT_ALLOWED, response_of("GET alone.\n", "text/plain")};
        return {MHD_HTTP_OK, response_of(prometheus::TextSerializer{}.Serialize(picture()),
                                         "text/plain; version=0.0.4; charset=utf-8")};
    }

    [[nodiscard]] std::vector<MetricFamily> picture() const {
        Page page;
        write_accounts(page, tally.accounts());
        write_targets(page, {tally.targets().begin(), tally.targets().end()});
        write_events(page, tally.events());
        write_round_trips(page, tally.events());
        write_shards(page, sources_.shards ? sources_.shards() : std::vector<ShardCounters>{});
        write_hooks(page, sources_.hooks ? sources_.hooks() : HookCounts{});
        write_process(page, sources_.version);
        return page.done();
    }

    MetricsSources sources_;
    Endpoint endpoint_;
    Timer timer_;
    std::unique_ptr<MHD_Daemon, Stop> server_;
    std::unique_ptr<Watch> watch_;
};

std::expected<std::unique_ptr<Metrics>, Failure> Metrics::open(Loop& loop,
                                                               const std::string& address,
                                                               MetricsSources sources) {
    const auto at = Endpoint::parse(address);
    const bool has_port = !address.ends_with(']') && !IpAddress::parse(address);
    if (!at || !has_port)
        return std::unexpected(
            Failure{FailureKind::address_unusable,
                    "Metrics cannot be served at \"" + address +
                        "\": an IP address and a port are wanted, as 127.0.0.1:9464 or "
                        "[::1]:9464."});
    auto listener = listen_at(*at, address);
    if (!listener) return std::unexpected(std::move(listener.error()));
    auto impl = std::make_unique<Impl>(loop, *listener, std::move(sources));
    if (!impl->serves())
        return std::unexpected(
            Failure{FailureKind::system,
                    "Metrics cannot be served at " + address +
                        ": the HTTP server does not start; the host lacks descriptors or memory."});
    return std::unique_ptr<Metrics>(new Metrics(std::move(impl)));
}

Metrics::Metrics(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Metrics::~Metrics() = default;

const Endpoint& Metrics::endpoint() const { return impl_->endpoint(); }
void Metrics::account_added(std::string_view aor) { impl_->tally.account_added(aor); }
void Metrics::account_removed(std::string_view aor) { impl_->tally.account_removed(aor); }
void Metrics::on_event(const Event& event, std::string_view aor) {
    impl_->tally.on_event(event, aor);
}

}  // namespace holdfast::runtime
