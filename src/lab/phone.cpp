#include "lab/phone.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "engine/recording.h"
#include "lab/location_service.h"
#include "registration/policy.h"
#include "registration/waiting.h"

namespace holdfast::lab {

using namespace std::chrono_literals;

namespace {

constexpr std::int64_t wall_clock_at_start = 1'780'000'000;  // some day in 2026
constexpr int max_times_at_once = 1'000;

std::string user_of(const std::string& aor) {
    const auto key = aor_key(aor);
    return key.substr(0, key.find('@'));
}

Seed drawn_from(Random& random) {
    Seed seed{};
    random.fill(seed);
    return seed;
}

}  // namespace

Phone::Phone(Internet& internet, DnsZone& zone, Uplink& uplink, PhoneOptions options)
    : internet_(internet),
      zone_(zone),
      uplink_(&uplink),
      options_(std::move(options)),
      name_(options_.name.empty() ? user_of(options_.aor) : options_.name),
      random_(internet.fork()),
      next_seed_(drawn_from(random_)),
      next_port_(static_cast<std::uint16_t>(32'768 + random_.below(20'000))),
      tcp_(internet, uplink, [this](const TcpEvent& event) { on_tcp(event); }) {
    for (const auto& text : options_.addresses) {
        const auto address = IpAddress::parse(text);
        CHECK(address);
        addresses_.push_back(*address);
        uplink_->attach(*address, *this, name_);
    }
    for (const auto family : {Family::ipv4, Family::ipv6})
        ports_[family] = static_cast<std::uint16_t>(10'000 + random_.below(20'000));
}

EngineOptions Phone::engine_options() const {
    const auto elapsed = std::chrono::floor<std::chrono::seconds>(internet_.elapsed()).count();
    return {.seed = next_seed_,
            .state = state_,
            .started = internet_.now(),
            .wall_clock = wall_clock_at_start + elapsed};
}

registration::AccountConfig Phone::account_config() const {
    auto policy = registration::preset(options_.preset);
    CHECK(policy);
    if (options_.expires) policy->expires = *options_.expires;
    if (options_.flows != 0) policy->flows = options_.flows;
    if (options_.tune) options_.tune(*policy);
    registration::AccountConfig config;
    config.aor = options_.aor;
    config.auth_user = options_.auth_user;
    config.password = Redacted<std::string>(options_.password);
    config.registrar = options_.registrar;
    config.outbound_proxy = options_.outbound_proxy;
    config.backups = options_.backups;
    config.transport = options_.transport;
    config.contact_address = options_.contact_address;
    config.stun = options_.stun;
    config.takes_calls = options_.takes_calls;
    // "*": it waits to be called, at its own port.
    config.direct_to = options_.direct_to == "*" ? registration::waits_at(ports_.at(Family::ipv4))
                                                 : options_.direct_to;
    config.policy = *policy;
    return config;
}

void Phone::start() {
    end_process();
    powered_ = true;
    stopped_ = false;
    started_at_ = internet_.now();
    engine_.emplace(engine_options());
    if (options_.record) recording_ = recorded(engine_options()) + "\n";
    step_recorder_ = {};
    random_.fill(next_seed_);
    feed(in::NetworkChanged{addresses_, false});
    feed(in::AddAccount{account, account_config()});
}

void Phone::end_process() {
    ++run_;
    engine_.reset();
    flows_.clear();
    held_.clear();
    registered_ = false;
    wake_at_ = never;
}

void Phone::crash() {
    end_process();
    tcp_.reset_all();
}

void Phone::lose_power() {
    end_process();
    tcp_.forget_all();
    powered_ = false;
}

void Phone::shut_down() { feed(in::ShutDown{}); }

void Phone::sleep() {
    asleep_ = true;
    tcp_.set_frozen(true);
}

// What the kernel has for the process (timeouts of connects, of DNS) comes when it runs again.
void Phone::wake() {
    asleep_ = false;
    tcp_.set_frozen(false);
    wake_at_ = never;
    feed(in::NetworkChanged{addresses_, true});
    for (const auto& input : std::exchange(held_, {})) feed(input);
}

void Phone::change_address(const std::vector<IpAddress>& addresses, Uplink* uplink, Nat* behind) {
    for (const auto& address : addresses_) uplink_->detach(address);
    if (uplink != nullptr) {
        uplink_ = uplink;
        tcp_.set_uplink(*uplink);
        options_.behind = behind;
    }
    addresses_ = addresses;
    for (const auto& address : addresses_) uplink_->attach(address, *this, name_);
    feed(in::NetworkChanged{addresses_, false});
}

void Phone::unplug() {
    if (addresses_.empty()) return;
    unplugged_ = addresses_;
    change_address({});
}

void Phone::plug_in() {
    if (addresses_.empty()) change_address(unplugged_);
}

void Phone::give(const Input& input) {
    // Who changes it changes the configuration, which the next run of the process reads.
    if (const auto* const change = std::get_if<in::ChangePassword>(&input))
        options_.password = change->password.reveal();
    feed(input);
}

void Phone::feed(const Input& input) {
    if (!engine_) return;
    if (asleep_) {
        held_.push_back(input);
        return;
    }
    ++steps_;
    Outbox outbox;
    engine_->handle(internet_.now(), input, outbox);
    if (options_.record) record(input, outbox.outputs());
    if (options_.watch)
        if (const auto account_status = engine_->status(account))
            options_.watch(internet_.now(), *account_status);
    perform(outbox.take());
    if (engine_) schedule();
}

void Phone::record(const Input& input, const std::vector<Output>& outputs) {
    recording_ += step_recorder_.step(internet_.now(), input, outputs);
}

void Phone::later(Duration delay, Input input) {
    internet_.after(delay, [this, run = run_, input = std::move(input)] {
        if (run == run_) feed(input);
    });
}

// A machine that is called at its deadline and asks for the same moment again and again is broken,
// not busy.
void Phone::schedule() {
    const auto deadline = engine_->next_deadline();
    if (deadline.at == wake_at_ || deadline.at == never) return;
    wake_at_ = deadline.at;
    internet_.at(deadline.at, [this, run = run_, at = deadline.at, reason = deadline.reason] {
        if (run != run_ || wake_at_ != at || asleep_) return;
        wake_at_ = never;
        times_at_once_ = last_time_ == internet_.now() ? times_at_once_ + 1 : 0;
        last_time_ = internet_.now();
        if (times_at_once_ > max_times_at_once)
            check_failed(std::string("a deadline that makes no progress: ").append(reason).c_str(),
                         __FILE__, __LINE__);
        feed(in::Time{});
    });
}

AccountStatus Phone::status() const {
    if (!engine_) return {};
    return engine_->status(account).value_or(AccountStatus{});
}

std::size_t Phone::count(EventKind kind) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(events_, [&](const TimedEvent& e) { return e.event.kind == kind; }));
}

std::optional<Instant> Phone::first(EventKind kind, Instant since) const {
    for (const auto& [at, event] : events_)
        if (event.kind == kind && at >= since) return at;
    return std::nullopt;
}

// Of the branches too: none is in use for longer than a transaction.
void Phone::forget_history() {
    events_.clear();
    events_.shrink_to_fit();
    sent_.clear();
    sent_.shrink_to_fit();
    branches_.clear();
}

std::string Phone::event_log() const {
    std::string log;
    for (const auto& [at, event] : events_) {
        log += name_ + " " + std::to_string(seconds_of(at - Internet::start)) + " ";
        log += name_of(event.kind);
        if (event.reg_id != 0) log += " #" + std::to_string(event.reg_id);
        if (event.target) log += " " + event.target->to_string();
        if (event.mapping) log += " mapping " + event.mapping->to_string();
        if (event.call) log += " call " + std::to_string(event.call.value);
        if (event.status != 0) log += " " + std::to_string(event.status);
        if (!event.reason.empty()) log += ": " + event.reason;
        log += "\n";
    }
    return log;
}

// An engine of its own that is told the zone's answers at once; nothing of it reaches the network.
std::vector<Target> Phone::ranking() const {
    if (engine_) {
        if (auto targets = status().targets; !targets.empty()) return targets;
    }
    Engine rehearsal(engine_options());
    std::vector<Target> opened;
    Outbox outbox;
    std::vector<Input> inputs{in::NetworkChanged{addresses_, false},
                              in::AddAccount{account, account_config()}};
    for (std::size_t i = 0; i < inputs.size() && i < 1'000; ++i) {
        rehearsal.handle(internet_.now(), Input(inputs[i]), outbox);
        for (const auto& output : outbox.take()) {
            if (const auto* resolve = std::get_if<out::Resolve>(&output))
                inputs.emplace_back(in::DnsAnswer{resolve->query, zone_.peek(resolve->question)});
            if (const auto* open = std::get_if<out::OpenFlow>(&output))
                opened.push_back(open->target);
            const auto* event = std::get_if<Event>(&output);
            if (event == nullptr || event->kind != EventKind::resolved || event->targets.empty())
                continue;
            std::vector<Target> targets;
            targets.reserve(event->targets.size());
            for (const auto& row : event->targets) targets.push_back(row.target);
            return targets;
        }
    }
    return opened;
}

Target Phone::first_choice() const {
    const auto targets = ranking();
    CHECK(!targets.empty());
    return targets.front();
}

std::optional<Target> Phone::current_target() const {
    for (const auto& binding : status().bindings)
        if (binding.registered) return binding.target;
    return std::nullopt;
}

std::vector<sdp::LocalStream> Phone::audio(std::uint16_t port) const {
    sdp::LocalStream stream;
    for (const auto& [name, rate, type] :
         {std::tuple{"PCMA", 8000U, std::uint8_t{8}}, std::tuple{"PCMU", 8000U, std::uint8_t{0}}})
        stream.codecs.push_back(
            {.name = name, .clock_rate = rate, .channels = 1, .fmtp = {}, .payload_type = type});
    if (!addresses_.empty()) stream.rtp = {addresses_.front(), port};
    return {stream};
}

std::optional<IpAddress> Phone::address_of(Family family) const {
    for (const auto& address : addresses_)
        if (address.family() == family) return address;
    return std::nullopt;
}

std::optional<Endpoint> Phone::udp_endpoint(Family family) const {
    const auto address = address_of(family);
    if (!address || !engine_) return std::nullopt;
    return Endpoint{*address, ports_.at(family)};
}

std::uint16_t Phone::new_port() {
    next_port_ = next_port_ >= 60'999 ? 32'768 : static_cast<std::uint16_t>(next_port_ + 1);
    return next_port_;
}

}  // namespace holdfast::lab
