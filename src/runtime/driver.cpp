#include "runtime/driver.h"

#include <algorithm>
#include <deque>
#include <iterator>
#include <map>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "runtime/clock.h"
#include "runtime/descriptor.h"
#include "runtime/dns_client.h"
#include "runtime/flows.h"
#include "runtime/network_watch.h"
#include "runtime/recording.h"
#include "runtime/socket_address.h"
#include "runtime/state_file.h"

namespace holdfast::runtime {

namespace {

// A deadline that is still due after so many calls is ours to mend: it would spin for ever.
constexpr int fruitless_calls = 100;
// A state that could not be written is tried again with the first step after this.
constexpr Duration state_again_after = std::chrono::seconds(10);
// What is stored without being sent waits so long for company: a commit costs a disk's turn.
constexpr Duration state_patience = std::chrono::milliseconds(100);
// So many inputs are one batch: their stores are one commit, before the first of their sends.
constexpr std::size_t batch_most = 256;

// What the runtime itself remembers stands beside the engine's keys, under a prefix that the engine
// does not see.
constexpr std::string_view own_prefix = "runtime/";
std::string port_key(Family family) {
    return std::string(own_prefix) + (family == Family::ipv4 ? "udp_port/ipv4" : "udp_port/ipv6");
}

bool has_family(Family family) {
    const Descriptor socket{::socket(domain_of(family), SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    const auto any = socket_address_of({any_address(family), 0});
    return socket && ::bind(socket.get(), any.get(), any.length) == 0;
}

// Who names a port without an address means it in both families, as far as the host has them.
std::vector<Endpoint> ends_of(const Endpoint& local) {
    std::vector<Endpoint> ends{local};
    if (!local.address.is_unspecified()) return ends;
    const auto other = local.address.family() == Family::ipv4 ? Family::ipv6 : Family::ipv4;
    if (has_family(other)) ends.push_back({any_address(other), local.port});
    return ends;
}

// What happened on a flow that the machine closes meanwhile is not told to it.
std::optional<FlowId> flow_of(const Input& input) {
    return std::visit(
        [](const auto& what) -> std::optional<FlowId> {
            if constexpr (requires { what.flow; }) return what.flow;
            return std::nullopt;
        },
        input);
}

template <class... Cases>
struct Overloaded : Cases... {
    using Cases::operator()...;
};

}  // namespace

class Driver::Impl {
public:
    Impl(Loop& loop, DriverOptions options)
        : loop_(loop),
          options_(std::move(options)),
          deadline_(loop,
                    [this] {
                        inputs_.emplace_back(in::Time{});
                        pump();
                    }),
          flush_(loop, [this] { make_durable(); }),
          soon_(loop, [this] {
              for (auto& sentence : std::exchange(early_notices_, {})) notice(std::move(sentence));
              pump();
          }) {}

    std::expected<void, Failure> open();
    void attach(MachineRef machine);
    void submit(Input input);

private:
    friend class Driver;
    std::expected<void, Failure> open_state();
    std::expected<void, Failure> open_flows();
    void happened(Input input);
    void pump();
    void work_off(std::size_t count);
    void step(const Input& input, std::vector<Output>& outputs);
    void note_stores(const std::vector<Output>& outputs);
    void make_durable();
    void not_durable(Failure failure);
    void end();
    void perform(Output& output);
    void tell(const Event& event);
    void notice(std::string sentence);
    void arm_deadline();

    Loop& loop_;
    DriverOptions options_;
    EngineOptions engine_options_;
    std::vector<Observer*> observers_;
    std::function<void()> on_stopped_;
    std::unique_ptr<Flows> flows_;
    std::uint64_t steps_ = 0;
    bool stopped_ = false;
    MachineRef machine_;
    Timer deadline_;
    Timer flush_;  // stores that no send waits for
    bool flush_armed_ = false;
    Timer soon_;  // what was submitted is handled from the loop
    // What was posted and comes after our end finds this gone.
    std::shared_ptr<Impl*> alive_ = std::make_shared<Impl*>(this);
    bool pump_posted_ = false;
    std::optional<StateFile> state_;
    std::map<std::string, std::string> unstored_;  // the last value of each key; "" forgets it
    bool state_is_broken_ = false;
    bool may_end_ = true;  // nothing was sent yet, and nobody else is in the process
    std::optional<Failure> failure_;
    Instant state_again_at_{};  // while it is broken: when the next commit is tried
    std::map<Family, std::uint16_t> remembered_ports_;
    std::optional<IpAddress> local_address_;
    std::unique_ptr<DnsClient> dns_;
    std::unique_ptr<NetworkWatch> network_;
    std::unique_ptr<Recorder> recorder_;
    std::deque<Input> inputs_;
    std::vector<std::string> early_notices_;  // before there was anybody to tell
    Outbox outbox_;
    Instant now_{};
    int fruitless_ = 0;
    bool busy_ = false;
};

std::expected<void, Failure> Driver::Impl::open() {
    engine_options_.started = boot_time();
    engine_options_.wall_clock = wall_clock();
    engine_options_.seed = options_.seed ? *options_.seed : entropy();
    engine_options_.user_agent = options_.user_agent;
    now_ = engine_options_.started;
    // 0.0.0.0:5070 asks for the port only.
    if (options_.local && !options_.local->address.is_unspecified())
        local_address_ = options_.local->address;
    if (auto opened = open_state(); !opened) return opened;
    if (auto opened = open_flows(); !opened) return opened;
    dns_ = std::make_unique<DnsClient>(
        loop_, DnsOptions{.servers = options_.dns_servers},
        [this](QueryId query, dns::Answer answer) {
            happened(in::DnsAnswer{.query = query, .answer = std::move(answer)});
        });
    if (options_.record_file.empty()) return {};
    auto recorder = Recorder::create(options_.record_file, engine_options_);
    if (!recorder) return std::unexpected(recorder.error());
    recorder_ = *std::move(recorder);
    observers_.push_back(recorder_.get());
    return {};
}

std::expected<void, Failure> Driver::Impl::open_state() {
    if (!options_.keep_state) return {};
    auto directory = options_.state_directory;
    if (directory.empty()) {
        auto usual = default_state_directory();
        if (!usual) return std::unexpected(usual.error());
        directory = *std::move(usual);
    }
    auto state = StateFile::open(directory);
    if (!state) return std::unexpected(state.error());
    state_.emplace(*std::move(state));
    if (auto sentence = state_->take_notice(); !sentence.empty())
        early_notices_.push_back(std::move(sentence));
    for (const auto& [key, value] : state_->contents()) {
        if (!key.starts_with(own_prefix)) {
            engine_options_.state.emplace(key, value);
            continue;
        }
        for (const auto family : {Family::ipv4, Family::ipv6})
            if (key == port_key(family))
                remembered_ports_[family] = parse_number<std::uint16_t>(value).value_or(0);
    }
    return {};
}

std::expected<void, Failure> Driver::Impl::open_flows() {
    FlowsOptions flows{
        .local = local_address_, .wanted_ports = remembered_ports_, .tls = options_.tls};
    if (options_.wanted_udp_port != 0)
        for (const auto family : {Family::ipv4, Family::ipv6})
            flows.wanted_ports[family] = options_.wanted_udp_port;
    FlowsHandler handler{.happened = [this](Input input) { happened(std::move(input)); },
                         .traffic =
                             [this](const Traffic& traffic) {
                                 // What is read comes before the step that takes it.
                                 const auto at = std::max(now_, boot_time());
                                 for (auto* observer : observers_)
                                     observer->on_traffic(at, traffic);
                             },
                         .notice = [this](std::string sentence) { notice(std::move(sentence)); },
                         .port_chosen =
                             [this](Family family, std::uint16_t port) {
                                 if (std::exchange(remembered_ports_[family], port) == port) return;
                                 unstored_[port_key(family)] = std::to_string(port);
                             }};
    if (options_.tell_tls)
        handler.secured = [this](FlowId flow, const TlsFacts& facts) {
            const auto at = std::max(now_, boot_time());
            for (auto* observer : observers_) observer->on_tls(at, flow, facts);
        };
    flows_ = std::make_unique<Flows>(loop_, std::move(flows), std::move(handler));
    if (options_.local && options_.local->port != 0)
        for (const auto& local : ends_of(*options_.local))
            if (auto claimed = flows_->claim_port(local); !claimed) return claimed;
    return flows_->check_tls();
}

void Driver::Impl::attach(MachineRef machine) {
    CHECK(!machine_.handle);
    machine_ = std::move(machine);
    const NetworkOptions network{.include_loopback = options_.include_loopback,
                                 .only = local_address_};
    inputs_.emplace_front(
        in::NetworkChanged{.addresses = source_addresses(network), .woke = false});
    network_ = std::make_unique<NetworkWatch>(
        loop_, network, [this](std::vector<IpAddress> addresses, bool woke) {
            happened(in::NetworkChanged{.addresses = std::move(addresses), .woke = woke});
        });
    if (!network_->notice().empty()) early_notices_.push_back(network_->notice());
    soon_.arm(Instant{});
}

void Driver::Impl::submit(Input input) {
    inputs_.push_back(std::move(input));
    if (machine_.handle) soon_.arm(Instant{});
}

// Handled after all that can be read at this moment has been read: many accounts share a commit.
void Driver::Impl::happened(Input input) {
    inputs_.push_back(std::move(input));
    if (busy_ || std::exchange(pump_posted_, true)) return;
    loop_.post([alive = std::weak_ptr(alive_)] {
        if (const auto driver = alive.lock()) {
            (*driver)->pump_posted_ = false;
            (*driver)->pump();
        }
    });
}

// Nothing re-enters: what happens while outputs are performed waits for its turn.
void Driver::Impl::pump() {
    if (busy_ || !machine_.handle) return;
    busy_ = true;
    while (!inputs_.empty() && !stopped_) work_off(std::min(inputs_.size(), batch_most));
    busy_ = false;
}

void Driver::Impl::work_off(std::size_t count) {
    std::vector<Output> outputs;
    bool closes = false;
    for (; count > 0 && !closes; --count) {
        const Input input = std::move(inputs_.front());
        inputs_.pop_front();
        const auto before = outputs.size();
        step(input, outputs);
        closes = std::any_of(
            outputs.begin() + static_cast<std::ptrdiff_t>(before), outputs.end(),
            [](const Output& output) { return std::holds_alternative<out::CloseFlow>(output); });
    }
    note_stores(outputs);
    for (auto& output : outputs)
        if (!failure_) perform(output);
    if (stopped_) return;
    arm_deadline();
    // What nothing was sent for is on the disk soon, too.
    if (!unstored_.empty() && !std::exchange(flush_armed_, true))
        flush_.arm(boot_time() + state_patience);
}

void Driver::Impl::step(const Input& input, std::vector<Output>& outputs) {
    ++steps_;
    now_ = std::max(now_, boot_time());
    machine_.handle(now_, input, outbox_);
    auto of_this_step = outbox_.take();
    for (auto* observer : observers_) observer->on_step(now_, input, of_this_step);
    outputs.insert(outputs.end(), std::make_move_iterator(of_this_step.begin()),
                   std::make_move_iterator(of_this_step.end()));
}

void Driver::Impl::arm_deadline() {
    const auto deadline = machine_.next_deadline();
    if (deadline.at > now_) {
        fruitless_ = 0;
    } else if (++fruitless_ > fruitless_calls) {
        check_failed(
            ("a deadline moves on when it is handled: " + std::string(deadline.reason)).c_str(),
            __FILE__, __LINE__);
    }
    deadline_.arm(deadline.at);
}

void Driver::Impl::note_stores(const std::vector<Output>& outputs) {
    for (const auto& output : outputs)
        if (const auto* store = std::get_if<out::Store>(&output))
            unstored_[store->key] = store->value;
}

void Driver::Impl::make_durable() {
    if (!state_) unstored_.clear();
    if (std::exchange(flush_armed_, false)) flush_.stop();
    if (unstored_.empty()) return;
    if (state_is_broken_ && now_ < state_again_at_ && !stopped_) return;
    std::vector<out::Store> stores;
    stores.reserve(unstored_.size());
    for (const auto& [key, value] : unstored_) stores.push_back({key, value});
    auto committed = state_->commit(stores);
    if (auto sentence = state_->take_notice(); !sentence.empty()) notice(std::move(sentence));
    if (!committed) return not_durable(std::move(committed.error()));
    unstored_.clear();
    if (std::exchange(state_is_broken_, false)) notice("The state can be written again.");
}

// A disk that is full must not make a phone unreachable: the user is told once, and the phone goes
// on (docs/faults.md). The last value of a key is kept, no more: a disk that stays full must not
// fill the memory too, and one that is slow to fail must not hold up every step. But a phone that
// has not sent anything yet does not begin: the next start would not know who this one was.
void Driver::Impl::not_durable(Failure failure) {
    if (may_end_) {
        failure_ = std::move(failure);
        return end();
    }
    state_again_at_ = now_ + state_again_after;
    if (!std::exchange(state_is_broken_, true))
        notice(failure.sentence +
               " Until then the phone goes on, but a restart may not know what is new.");
}

void Driver::Impl::perform(Output& output) {
    std::visit(Overloaded{[this](const out::OpenFlow& open) { flows_->open(open); },
                          [this](const out::CloseFlow& close) {
                              flows_->close(close.flow);
                              std::erase_if(inputs_, [&](const Input& input) {
                                  return flow_of(input) == close.flow;
                              });
                          },
                          [this](const out::Send& send) {
                              // B3: on the disk before it is on the wire, all of the batch in one
                              // commit, and the port that was just opened.
                              make_durable();
                              if (failure_) return;
                              may_end_ = false;
                              flows_->send(send.flow, send.bytes);
                          },
                          [this](const out::Resolve& resolve) {
                              dns_->ask(resolve.query, resolve.question);
                          },
                          [](const out::Store&) {},  // done
                          [this](const out::Media& media) {
                              for (auto* observer : observers_) observer->on_media(now_, media);
                          },
                          [this](const Event& event) { tell(event); }},
               output);
}

void Driver::Impl::tell(const Event& event) {
    for (auto* observer : observers_) observer->on_event(now_, event);
    if (event.kind != EventKind::stopped) return;
    stopped_ = true;
    if (!unstored_.empty()) make_durable();
    if (!failure_) end();
}

void Driver::Impl::end() {
    stopped_ = true;
    deadline_.stop();
    if (on_stopped_)
        loop_.post(on_stopped_);
    else
        loop_.stop();
}

void Driver::Impl::notice(std::string sentence) {
    tell(Event{.kind = EventKind::notice,
               .account = {},
               .target = {},
               .from = {},
               .mapping = {},
               .contact = {},
               .expires = {},
               .rtt = {},
               .reason = std::move(sentence),
               .targets = {}});
}

std::expected<std::unique_ptr<Driver>, Failure> Driver::open(Loop& loop, DriverOptions options) {
    auto impl = std::make_unique<Impl>(loop, std::move(options));
    if (auto opened = impl->open(); !opened)
        return std::unexpected(with_notices(impl->early_notices_, opened.error()));
    return std::unique_ptr<Driver>(new Driver(std::move(impl)));
}

Driver::Driver(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Driver::~Driver() = default;

const EngineOptions& Driver::engine_options() const { return impl_->engine_options_; }
void Driver::attach(MachineRef machine) { impl_->attach(std::move(machine)); }
void Driver::add_observer(Observer& observer) { impl_->observers_.push_back(&observer); }
void Driver::submit(Input input) { impl_->submit(std::move(input)); }
void Driver::run() {
    if (!impl_->stopped_) impl_->loop_.run();
}
void Driver::stop() {
    impl_->make_durable();
    impl_->loop_.stop();
}
bool Driver::stopped() const { return impl_->stopped_; }
void Driver::go_on_without_state() { impl_->may_end_ = false; }
const std::optional<Failure>& Driver::failure() const { return impl_->failure_; }
void Driver::on_stopped(std::function<void()> callback) {
    impl_->on_stopped_ = std::move(callback);
}
std::optional<std::uint16_t> Driver::udp_port(Family family) const {
    return impl_->flows_->udp_port(family);
}
std::uint64_t Driver::steps() const { return impl_->steps_; }

}  // namespace holdfast::runtime
