// Many accounts of one engine in virtual time: one registrar that is named by its address, as the
// figures of others were taken, or three behind one name; 20 ms there and back, no faults. The
// engine's calls stand in a function of their own, so that callgrind can count it and nothing else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <utility>

#include "bench/scripted_registrar.h"
#include "engine/engine.h"

extern "C" void holdfast_engine_handle(holdfast::Engine& engine, holdfast::Instant now,
                                       const holdfast::Input& input, holdfast::Outbox& outbox);

namespace holdfast::bench {

class AccountWorld {
public:
    enum class Registrars : std::uint8_t { one, three };
    explicit AccountWorld(Registrars registrars);

    // Sequential numbers from 1; in the same instant as the last.
    void add(std::uint32_t number, const registration::Policy& policy);
    void run_for(Duration duration);

    [[nodiscard]] std::size_t registers() const { return registers_; }
    [[nodiscard]] std::size_t registered() const { return registered_; }  // events
    [[nodiscard]] std::size_t proven() const { return proven_; }          // events

private:
    void feed(const Input& input);
    void perform(const out::OpenFlow& open);
    void perform(const out::Resolve& resolve);
    void perform(const out::Send& send);
    void perform(const out::CloseFlow&) {}
    void perform(const out::Store&) {}
    void perform(const out::Media&) {}
    void perform(const Event& event);
    void later(Duration delay, Input input);

    Registrars registrars_;
    Engine engine_;
    ScriptedRegistrar registrar_;
    Instant now_{std::chrono::hours{1}};
    std::multimap<Instant, Input> later_;
    std::size_t registers_ = 0;
    std::size_t registered_ = 0;
    std::size_t proven_ = 0;
};

}  // namespace holdfast::bench
