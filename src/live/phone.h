// A phone with the real runtime in a world on loopback: one driver, one engine, one account, and
// all that it tells.
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/engine.h"
#include "live/world.h"
#include "runtime/driver.h"
#include "runtime/loop.h"

namespace holdfast::live {

struct PhoneOptions {
    std::string aor = "sip:alice@example.test";
    std::string password = "secret";
    Transport transport = Transport::udp;
    std::string preset = "holdfast";
    std::function<void(registration::Policy&)> tune{};  // after the preset
    std::filesystem::path state_directory{};            // "" : keeps nothing
    std::filesystem::path ca_file{};                    // TLS: whom it trusts
    std::filesystem::path record_file{};
    std::optional<std::uint64_t> seed{};  // nothing: the host's entropy
};

struct TimedEvent {
    Duration at{};  // since the phone was opened
    Event event;
};

class Phone final : public runtime::Observer {
public:
    // Its user is known to the world's servers. It starts when the loop runs. The error is a
    // sentence.
    static std::expected<std::unique_ptr<Phone>, std::string> open(runtime::Loop& loop,
                                                                   World& world,
                                                                   PhoneOptions options);
    ~Phone() override;

    // For each event as it is said, before what the engine does with it leaves the host.
    void on(std::function<void(const Event&)> callback) { callback_ = std::move(callback); }
    void give(Input input) { driver_->submit(std::move(input)); }
    void shut_down() { driver_->submit(in::ShutDown{}); }
    [[nodiscard]] bool is_stopped() const { return driver_->stopped(); }

    [[nodiscard]] bool is_registered() const { return status().registered; }
    [[nodiscard]] AccountStatus status() const;
    [[nodiscard]] std::optional<Target> current_target() const;
    [[nodiscard]] const std::vector<TimedEvent>& events() const { return events_; }
    [[nodiscard]] std::size_t count(EventKind kind) const;
    [[nodiscard]] std::optional<Duration> first(EventKind kind, Duration since = {}) const;
    [[nodiscard]] std::string log() const;  // the events, one line each
    [[nodiscard]] Duration elapsed() const;

    void on_event(Instant now, const Event& event) override;
    void on_step(Instant now, const Input& input, const std::vector<Output>& outputs) override;

    static constexpr AccountId account{1};

private:
    Phone(PhoneOptions options, std::unique_ptr<runtime::Driver> driver);

    PhoneOptions options_;
    std::unique_ptr<runtime::Driver> driver_;
    Engine engine_;
    Instant opened_;
    std::function<void(const Event&)> callback_;
    std::vector<TimedEvent> events_;
};

}  // namespace holdfast::live
