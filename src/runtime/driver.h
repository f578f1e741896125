// Runs a machine of the engine's shape against the real world: performs its outbox in order, stores
// first, feeds it what happens, and wakes it at its deadline and not otherwise.
//
//   Loop loop;
//   auto driver = Driver::open(loop, options);      // state, port, TLS files: what cannot work is
//   said here Engine engine{(*driver)->engine_options()};
//   (*driver)->add_observer(console);
//   (*driver)->attach(machine_of(engine));          // the engine must outlive the driver's last
//   run
//   (*driver)->submit(in::AddAccount{AccountId{1}, config});
//   (*driver)->run();                               // until Event stopped, or stop()
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/outbox.h"
#include "base/time.h"
#include "base/tls_facts.h"
#include "engine/engine.h"
#include "engine/input.h"
#include "runtime/failure.h"
#include "runtime/loop.h"
#include "runtime/tls_options.h"

namespace holdfast::runtime {

struct DriverOptions {
    // "": the XDG directory. See keep_state.
    std::filesystem::path state_directory;
    bool keep_state = true;  // false: nothing is read or written (demo, tests)
    // --local: the address that all sockets are bound to; its port, if not 0, is UDP's, and a
    // failure if taken.
    std::optional<Endpoint> local;
    // UDP's port otherwise; 0: the one that the state remembers, else a random one (N6).
    std::uint16_t wanted_udp_port = 0;
    std::vector<Endpoint> dns_servers;  // --dns; empty: the system's; port 0 is 53
    TlsOptions tls;
    bool include_loopback =
        false;  // loopback counts as a usable source address although there are others
    std::filesystem::path record_file;  // "": no recording
    std::string user_agent = "Holdfast";
    std::optional<Seed> seed;  // nothing: the host's entropy
    bool tell_tls = false;     // Observer::on_tls
    friend bool operator==(const DriverOptions&, const DriverOptions&) = default;
};

enum class Direction : std::uint8_t { sent, received };

// One datagram, or stream bytes as they came, for --trace. Secrets are still in it: redact before
// printing (sip/redaction.h). A trace of a stream sees whole messages only if it frames them.
struct Traffic {
    Direction direction = Direction::sent;
    FlowId flow;    // 0: a stray datagram
    Target target;  // the other end
    Endpoint local;
    std::string_view bytes;
};

class Observer {
public:
    Observer() = default;
    Observer(const Observer&) = delete;
    Observer& operator=(const Observer&) = delete;
    virtual ~Observer() = default;
    virtual void on_event(Instant, const Event&) {}  // the engine's, and the runtime's own notices
    virtual void on_media(Instant, const out::Media&) {}  // of a call
    virtual void on_traffic(Instant, const Traffic&) {}
    // A TLS connection was accepted; its in::FlowOpened comes next. With DriverOptions::tell_tls.
    virtual void on_tls(Instant, FlowId, const TlsFacts&) {}
    // Everything: one step of the machine, before it is performed.
    virtual void on_step(Instant, const Input&, const std::vector<Output>&) {}
};

// The machine as the driver sees it.
struct MachineRef {
    std::function<void(Instant, const Input&, Outbox&)> handle;
    std::function<Deadline()> next_deadline;
};

template <class M>
MachineRef machine_of(M& machine) {
    return {.handle = [&machine](Instant now, const Input& input,
                                 Outbox& outbox) { machine.handle(now, input, outbox); },
            .next_deadline = [&machine] { return machine.next_deadline(); }};
}

class Driver {
public:
    static std::expected<std::unique_ptr<Driver>, Failure> open(Loop& loop, DriverOptions options);
    Driver(const Driver&) = delete;
    Driver& operator=(const Driver&) = delete;
    ~Driver();

    // Seed, restored state, and both clocks at this moment. The same at each call.
    [[nodiscard]] const EngineOptions& engine_options() const;
    // Feeds NetworkChanged as the first input. Once.
    void attach(MachineRef machine);
    void add_observer(Observer& observer);  // must outlive the driver
    // One more thing that happened; handled in the order given, never inside this call.
    void submit(Input input);

    void run();  // loop.run() until the machine has said `stopped`, or stop()
    void stop();
    [[nodiscard]] bool stopped() const;  // the machine has said so (several drivers on one loop)
    // Why the run ended by itself before anything was sent: the state cannot be written (B3). It
    // counts as stopped then.
    [[nodiscard]] const std::optional<Failure>& failure() const;
    // From now on a state that cannot be written is told of and ends nothing, as if something had
    // been sent: what begins here late must not end those who have long been there.
    void go_on_without_state();
    void on_stopped(std::function<void()> callback);  // instead of stopping the loop

    [[nodiscard]] std::optional<std::uint16_t> udp_port(Family family) const;  // in use, if open
    [[nodiscard]] std::uint64_t steps() const;  // how often the machine was called

private:
    class Impl;
    explicit Driver(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast::runtime
