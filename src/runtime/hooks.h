// Hooks: a program or a webhook that is told of events (docs/hooks.md). Told in order, one at a
// time for each hook, and never waited for: what a slow hook does not take in time is left out,
// counted and said.
//
//   Hooks hooks{loop, {{.events = {EventKind::moved}, .command = {"/usr/local/bin/on-move"}}},
//               [&](std::string sentence) { log(sentence); }};
//   hooks.on_event({.since_start = t, .unixtime = wall_clock()}, event, aor);
//   hooks.close(5s, [&] { loop.stop(); });
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/event.h"
#include "base/time.h"
#include "runtime/event_json.h"
#include "runtime/loop.h"

namespace holdfast::runtime {

constexpr std::size_t hooks_at_once = 8;          // programs that run at the same time
constexpr std::size_t hook_queue_most = 1000;     // events that wait for one hook
constexpr std::size_t hook_variable_most = 1000;  // octets of one environment variable
// A hook's second trouble of one kind within this is not told by itself, but with those after it.
constexpr Duration hook_notice_interval = std::chrono::minutes{1};

// Either a command or a URL.
struct Hook {
    std::vector<EventKind> events{};              // which; empty: all
    std::vector<std::string> command{};           // program and arguments; no shell
    std::string url{};                            // http or https: gets a POST, by the program curl
    Duration timeout = std::chrono::seconds{10};  // > 0; then it is killed
    friend bool operator==(const Hook&, const Hook&) = default;
};

// What is wrong with it on this host, as a sentence; "" if nothing is.
std::string problem_of(const Hook& hook);

// How it is called in notices: the program, or the URL without what may be secret in it.
std::string name_of(const Hook& hook);

struct HookCounts {
    std::uint64_t run = 0;      // started, or tried to
    std::uint64_t failed = 0;   // of these
    std::uint64_t dropped = 0;  // events that a hook was not told of
};

class Hooks {
public:
    using Notice = std::function<void(std::string sentence)>;  // called from the loop
    Hooks(Loop& loop, std::vector<Hook> hooks, Notice notice);
    Hooks(const Hooks&) = delete;
    Hooks& operator=(const Hooks&) = delete;
    ~Hooks();  // kills what still runs

    // Never blocks and never calls back. account: the AOR, or "".
    void on_event(EventTime time, const Event& event, std::string_view account);
    // Tells what waits, for at most this long; then kills and counts the rest, and calls back, from
    // the loop. Events that come later are left out. Once.
    void close(Duration at_most, std::function<void()> closed);

    [[nodiscard]] HookCounts counts() const;  // from any thread

private:
    class Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace holdfast::runtime
