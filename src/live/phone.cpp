#include "live/phone.h"

#include <algorithm>
#include <variant>

#include "base/check.h"
#include "lab/location_service.h"
#include "runtime/clock.h"

namespace holdfast::live {

namespace {

registration::AccountConfig account_of(const PhoneOptions& options, const World& world) {
    registration::AccountConfig config;
    config.aor = options.aor;
    config.password = Redacted<std::string>(options.password);
    config.transport = options.transport;
    auto policy = registration::preset(options.preset);
    CHECK(policy);
    config.policy = *std::move(policy);
    if (options.tune) options.tune(config.policy);
    if (world.ports() == Ports{}) return config;
    const auto key = lab::aor_key(options.aor);
    const auto port = world.target(0, options.transport).endpoint.port;
    config.registrar = "sip:" + key.substr(key.find('@') + 1) + ":" + std::to_string(port);
    return config;
}

}  // namespace

std::expected<std::unique_ptr<Phone>, std::string> Phone::open(runtime::Loop& loop, World& world,
                                                               PhoneOptions options) {
    runtime::DriverOptions driver_options;
    driver_options.state_directory = options.state_directory;
    driver_options.keep_state = !options.state_directory.empty();
    driver_options.dns_servers = {world.name_server()};
    driver_options.tls.ca_file = options.ca_file;
    driver_options.include_loopback = true;
    driver_options.record_file = options.record_file;
    if (options.seed) driver_options.seed = seed_from_number(*options.seed);
    auto driver = runtime::Driver::open(loop, std::move(driver_options));
    if (!driver) return std::unexpected(driver.error().sentence);
    const auto key = lab::aor_key(options.aor);
    world.cluster().add_user(key.substr(0, key.find('@')), options.password);
    const auto account_config = account_of(options, world);
    std::unique_ptr<Phone> phone(new Phone(std::move(options), *std::move(driver)));
    phone->driver_->on_stopped([] {});  // the loop has others to run
    phone->driver_->add_observer(*phone);
    phone->driver_->attach(runtime::machine_of(phone->engine_));
    phone->driver_->submit(in::AddAccount{account, account_config});
    return phone;
}

Phone::Phone(PhoneOptions options, std::unique_ptr<runtime::Driver> driver)
    : options_(std::move(options)),
      driver_(std::move(driver)),
      engine_(driver_->engine_options()),
      opened_(runtime::boot_time()) {}

Phone::~Phone() = default;

AccountStatus Phone::status() const { return engine_.status(account).value_or(AccountStatus{}); }

std::optional<Target> Phone::current_target() const {
    for (const auto& binding : status().bindings)
        if (binding.registered && binding.target) return binding.target;
    return std::nullopt;
}

std::size_t Phone::count(EventKind kind) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        events_, [&](const TimedEvent& timed) { return timed.event.kind == kind; }));
}

std::optional<Duration> Phone::first(EventKind kind, Duration since) const {
    for (const auto& timed : events_)
        if (timed.event.kind == kind && timed.at >= since) return timed.at;
    return std::nullopt;
}

std::string Phone::log() const {
    std::string text;
    for (const auto& [at, event] : events_) {
        text += std::to_string(seconds_of(at)) + " " + std::string(name_of(event.kind));
        if (event.target) text += " " + event.target->to_string();
        if (event.mapping) text += " as " + event.mapping->to_string();
        if (event.status != 0) text += " " + std::to_string(event.status);
        text += event.reason.empty() ? "\n" : " (" + event.reason + ")\n";
    }
    return text;
}

Duration Phone::elapsed() const { return runtime::boot_time() - opened_; }

void Phone::on_event(Instant now, const Event& event) {
    if (event.account == account || event.kind == EventKind::notice)
        events_.push_back({now - opened_, event});
}

void Phone::on_step(Instant, const Input&, const std::vector<Output>& outputs) {
    if (!callback_) return;
    for (const auto& output : outputs)
        if (const auto* event = std::get_if<Event>(&output)) callback_(*event);
}

}  // namespace holdfast::live
