#include "runtime/loop.h"

#include <sys/timerfd.h>
#include <unistd.h>
#include <csignal>

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/post.hpp>
#include <asio/signal_set.hpp>
#include <list>
#include <map>
#include <set>
#include <utility>

#include "base/check.h"
#include "runtime/clock.h"
#include "runtime/descriptor.h"

namespace holdfast::runtime {

struct Timer::Impl {
    Loop::Impl* loop = nullptr;
    std::function<void()> callback;
    std::pair<Instant, std::uint64_t> place{never, 0};  // in the loop's queue; never: not there
};

struct Loop::Impl {
    asio::io_context io{1};  // one thread: no locks
    asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
    std::list<asio::signal_set> signal_sets;
    std::set<int> handled_signals;
    // All timers share one timerfd on CLOCK_BOOTTIME: asio's own stop while the host sleeps.
    Descriptor timer_fd{timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC)};
    std::unique_ptr<Watch> timer_watch;
    std::map<std::pair<Instant, std::uint64_t>, std::shared_ptr<Timer::Impl>> queue;
    std::uint64_t armed_timers = 0;  // breaks ties: first armed, first called
    Instant wake_up = never;

    void arrange_wake_up();
    void on_time();
    void end_signals();
    void wait_for_signal(asio::signal_set& signals, std::function<void(int)> callback);
};

struct Watch::Impl : std::enable_shared_from_this<Watch::Impl> {
    Impl(asio::io_context& io, std::function<void(Ready)> to_call)
        : descriptor(io), callback(std::move(to_call)) {}

    asio::posix::stream_descriptor descriptor;
    std::function<void(Ready)> callback;
    Ready wanted{.readable = true};
    Ready waiting;
    bool over = false;

    void wait();
};

void Watch::Impl::wait() {
    using Wait = asio::posix::stream_descriptor;
    if (over) return;
    if (wanted.readable && !std::exchange(waiting.readable, true))
        descriptor.async_wait(Wait::wait_read, [self = shared_from_this()](std::error_code e) {
            self->waiting.readable = false;
            if (e || self->over) return;
            if (self->wanted.readable) self->callback({.readable = true});
            self->wait();
        });
    if (wanted.writable && !std::exchange(waiting.writable, true))
        descriptor.async_wait(Wait::wait_write, [self = shared_from_this()](std::error_code e) {
            self->waiting.writable = false;
            if (e || self->over) return;
            if (self->wanted.writable) self->callback({.writable = true});
            self->wait();
        });
}

Watch::Watch(Loop& loop, int fd, std::function<void(Ready)> callback)
    : impl_(std::make_shared<Impl>(loop.impl_->io, std::move(callback))) {
    std::error_code error;
    impl_->descriptor.assign(fd, error);
    CHECK(!error);  // a descriptor that cannot be polled, or no memory in the kernel
    impl_->wait();
}

Watch::~Watch() {
    impl_->over = true;
    impl_->descriptor.release();
}

void Watch::want(Ready wanted) {
    impl_->wanted = wanted;
    impl_->wait();
}

void Loop::Impl::arrange_wake_up() {
    const auto earliest = queue.empty() ? never : queue.begin()->first.first;
    if (earliest == wake_up) return;
    wake_up = earliest;
    itimerspec when{};  // zero disarms
    if (earliest != never) {
        // An instant at or before boot is due now; zero would disarm.
        const auto since_boot = std::max<std::int64_t>(earliest.time_since_epoch().count(), 1);
        when.it_value = {.tv_sec = since_boot / 1'000'000,
                         .tv_nsec = since_boot % 1'000'000 * 1000};
    }
    CHECK(timerfd_settime(timer_fd.get(), TFD_TIMER_ABSTIME, &when, nullptr) == 0);
}

void Loop::Impl::on_time() {
    std::uint64_t expirations = 0;
    if (read(timer_fd.get(), &expirations, sizeof expirations) < 0) return;  // re-armed meanwhile
    wake_up = never;
    const auto now = boot_time();
    while (!queue.empty() && queue.begin()->first.first <= now) {
        const auto timer = queue.begin()->second;
        queue.erase(queue.begin());
        timer->place.first = never;
        timer->callback();  // may arm or destroy any timer
    }
    arrange_wake_up();
}

Loop::Loop() : impl_(std::make_unique<Impl>()) {
    CHECK(impl_->timer_fd);
    impl_->timer_watch =
        std::make_unique<Watch>(*this, impl_->timer_fd.get(), [this](Ready) { impl_->on_time(); });
}

Loop::~Loop() {
    impl_->timer_watch.reset();
    impl_->end_signals();
}

void Loop::run() {
    impl_->io.restart();
    impl_->io.run();
}

void Loop::stop() { impl_->io.stop(); }

bool Loop::run_until(const std::function<bool()>& condition, Duration limit) {
    bool late = false;
    Timer timer{*this, [&] { late = true; }};
    timer.arm(boot_time() + limit);
    impl_->io.restart();
    while (!condition() && !late)
        if (impl_->io.run_one() == 0) break;  // stopped
    return condition();
}

void Loop::post(std::function<void()> work) { asio::post(impl_->io, std::move(work)); }

void Loop::Impl::wait_for_signal(asio::signal_set& signals, std::function<void(int)> callback) {
    signals.async_wait(
        [this, &signals, callback = std::move(callback)](std::error_code error, int number) {
            if (error) return;
            callback(number);
            wait_for_signal(signals, callback);
        });
}

// asio gives the signals back to the system, which would end the process by them: what it has just
// told (its exit code) would not be true. Blocked meanwhile, for asio cannot do it in one step.
void Loop::Impl::end_signals() {
    if (handled_signals.empty()) return;
    sigset_t set;
    sigset_t before;
    sigemptyset(&set);
    for (const int number : handled_signals) sigaddset(&set, number);
    pthread_sigmask(SIG_BLOCK, &set, &before);
    signal_sets.clear();
    for (const int number : handled_signals)
        std::signal(number, SIG_IGN);  // forgets one that waits, too
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void Loop::on_signals(std::span<const int> signals, std::function<void(int signal)> callback) {
    auto& set = impl_->signal_sets.emplace_back(impl_->io);
    for (const auto number : signals) {
        std::error_code error;
        set.add(number, error);
        CHECK(!error);  // no such signal
        impl_->handled_signals.insert(number);
    }
    impl_->wait_for_signal(set, std::move(callback));
}

Timer::Timer(Loop& loop, std::function<void()> callback) : impl_(std::make_shared<Impl>()) {
    impl_->loop = loop.impl_.get();
    impl_->callback = std::move(callback);
}

Timer::~Timer() { stop(); }

void Timer::arm(Instant at) {
    if (impl_->place.first == at) return;
    auto& loop = *impl_->loop;
    if (impl_->place.first != never) loop.queue.erase(impl_->place);
    impl_->place = {at, ++loop.armed_timers};
    if (at != never) loop.queue.emplace(impl_->place, impl_);
    loop.arrange_wake_up();
}

void Timer::stop() { arm(never); }

}  // namespace holdfast::runtime
