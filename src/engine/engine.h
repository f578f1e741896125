// The user agent: several accounts, their flows and transactions, without I/O, clock or randomness
// of its own.
//
//   Engine engine{{.seed = …, .state = …}};
//   engine.handle(now, in::NetworkChanged{addresses}, outbox);     // first
//   engine.handle(now, in::AddAccount{id, config}, outbox);
//   perform(outbox);                                               // stores first, then the rest
//   in order … engine.handle(engine.next_deadline().at, in::Time{}, outbox) …
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/outbox.h"
#include "base/random.h"
#include "base/time.h"
#include "engine/input.h"

namespace holdfast {

using State =
    std::map<std::string, std::string, std::less<>>;  // what out::Store wrote, key → value

struct EngineOptions {
    Seed seed{};
    State state;        // restored
    Instant started{};  // the engine's time at this moment …
    std::int64_t wall_clock =
        0;  // … and the same moment in seconds since 1970 (only to age what is on disk)
    std::string user_agent = "Holdfast";
    std::uint32_t registers_per_second = 0;  // S3: of all accounts together; 0: no limit
    // B4: an account that is removed, or is there at in::ShutDown, is gone after so long at the
    // latest. Each waits 2 s for its server at most; more is for those who wait for S3's rate
    // first.
    Duration leave_within = std::chrono::seconds{2};
    // RFC 5626 §4.1: accounts that belong to different people are different devices to a registrar.
    bool instance_per_account = false;
};

struct BindingStatus {
    int reg_id = 1;
    bool registered = false;
    std::optional<Target> target;
    std::optional<Endpoint> mapping;
    std::string contact;  // the URI in the location service
    Instant expires{};    // when the binding lapses
    Instant refresh_at{};
};

// A REGISTER without a final answer that was not abandoned (F3).
struct OutstandingRegister {
    int reg_id = 1;
    FlowId flow{};
    Target target{};
    Instant sent{};
    bool settles = false;  // it tidies up at a server that was left (B7)
};

struct AccountStatus {
    std::string aor;
    bool registered = false;  // any binding
    bool proven = false;      // R1
    std::vector<BindingStatus> bindings;
    std::vector<OutstandingRegister> outstanding;
    std::vector<Target> targets;  // in rank order
    std::string state;            // in words: "registered", "searching", "waiting 27 s", …
};

class Engine {
public:
    explicit Engine(EngineOptions options);
    Engine(Engine&&) noexcept;
    Engine& operator=(Engine&&) noexcept;
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;
    ~Engine();

    // now never goes back. Every input is legal at any time; what does not apply is ignored.
    void handle(Instant now, const Input& input, Outbox& outbox);
    [[nodiscard]] Deadline next_deadline() const;

    [[nodiscard]] std::optional<AccountStatus> status(AccountId account) const;

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast
