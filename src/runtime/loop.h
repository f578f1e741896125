// The one event loop: descriptors, timers on CLOCK_BOOTTIME, signals. No thread, and no work
// without a cause: between events the process sleeps. asio is behind it, in loop.cpp alone.
//
//   Loop loop;
//   Watch watch{loop, socket, [&](Ready ready) { … }};
//   Timer timer{loop, [&] { … }};
//   timer.arm(boot_time() + 10s);
//   loop.run();                                     // until loop.stop()
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "base/time.h"

namespace holdfast::runtime {

class Loop {
public:
    Loop();
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;
    ~Loop();

    void run();   // until stop()
    void stop();  // run() returns after the callback that is running
    // Runs until the condition holds (true) or the limit has passed (false). For tests and short
    // programs.
    bool run_until(const std::function<bool()>& condition, Duration limit);
    void post(std::function<void()> work);  // called from run(), after what is running now
    // Calls back for each of these signals until the loop is gone; from then on they do nothing: a
    // program whose loop has ended is about to end as it says. Once per signal number.
    void on_signals(std::span<const int> signals, std::function<void(int signal)> callback);

private:
    friend class Watch;
    friend class Timer;
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

struct Ready {
    bool readable = false;  // data, an end, or an error is there to be read
    bool writable = false;
};

// Readiness of a descriptor that somebody else owns; destroy the watch before the descriptor is
// closed. The callback may destroy the watch.
class Watch {
public:
    Watch(Loop& loop, int fd,
          std::function<void(Ready)> callback);  // readable is watched from the start
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;
    ~Watch();

    void want(Ready wanted);

private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

// One timer; armed again it forgets the earlier instant. The callback may arm or destroy it.
class Timer {
public:
    Timer(Loop& loop, std::function<void()> callback);
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;
    ~Timer();

    void arm(Instant at);
    void stop();

private:
    friend class Loop;
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace holdfast::runtime
