#include "media/service.h"

#include <dlfcn.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <iterator>
#include <utility>

#include "base/check.h"
#include "media/module.h"

namespace holdfast::media {

namespace {

void watch(int poll, int descriptor) {
    epoll_event event{};
    event.events = EPOLLIN;
    CHECK(::epoll_ctl(poll, EPOLL_CTL_ADD, descriptor, &event) == 0);
}

struct Loaded {
    std::unique_ptr<Engine> engine;
    std::string why;  // there is none
};

Loaded load_module(const std::vector<std::filesystem::path>& modules) {
    std::string why = "there is no libholdfast-media.so: install the package holdfast-calls";
    for (const auto& path : modules) {
        std::error_code ignored;
        if (!std::filesystem::exists(path, ignored)) continue;
        // It stays: GLib cannot be unloaded. Its symbols are nobody else's.
        void* handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
        if (!handle) {
            const char* error = ::dlerror();
            return {.engine = nullptr,
                    .why = "calls have no sound: " + std::string{error ? error : path.string()} +
                           "; is GStreamer installed (libgstreamer1.0-0, "
                           "libgstreamer-plugins-base1.0-0)?"};
        }
        const auto make = std::bit_cast<MakeEngine>(::dlsym(handle, module_symbol));
        if (!make)
            return {.engine = nullptr, .why = path.string() + " is not a module of holdfast"};
        std::array<char, 512> words{};
        std::unique_ptr<Engine> engine{make(HOLDFAST_VERSION, words.data(), words.size())};
        if (engine) return {.engine = std::move(engine), .why = {}};
        why = "calls have no sound: " + std::string{words.data()};
        break;
    }
    return {.engine = nullptr, .why = std::move(why)};
}

}  // namespace

Service::Service(std::vector<std::filesystem::path> modules)
    : modules_(std::move(modules)), poll_(::epoll_create1(EPOLL_CLOEXEC)) {
    CHECK(poll_ >= 0);
    watch(poll_, own_events_.descriptor());
}

Service::~Service() {
    if (loader_.joinable()) loader_.join();
    engine_.reset();
    ::close(poll_);
}

void Service::submit(Command command) {
    const std::lock_guard lock{mutex_};
    if (engine_) return engine_->submit(std::move(command));
    if (!failure_.empty()) return refuse(command);
    waiting_.push_back(std::move(command));
    if (std::exchange(loading_, true)) return;
    loader_ = std::thread{[this] { load(); }};
}

void Service::load() {
    auto loaded = load_module(modules_);
    const std::lock_guard lock{mutex_};
    engine_ = std::move(loaded.engine);
    failure_ = std::move(loaded.why);
    if (engine_) watch(poll_, engine_->descriptor());
    for (auto& command : std::exchange(waiting_, {})) {
        if (engine_)
            engine_->submit(std::move(command));
        else
            refuse(command);
    }
}

void Service::refuse(const Command& command) {
    if (const auto* open = std::get_if<in::Open>(&command)) {
        own_events_.push(out::Failed{.session = open->session,
                                     .kind = out::FailureKind::no_module,
                                     .sentence = failure_,
                                     .ends = true});
    }
    if (const auto* play = std::get_if<in::Play>(&command); play && play->signal != Signal::none)
        own_events_.push(out::NotPlayed{.signal = play->signal, .sentence = failure_});
    if (std::holds_alternative<in::List>(command))
        own_events_.push(out::Listed{.codecs = {}, .devices = {}, .missing = {failure_}});
}

std::vector<Event> Service::take() {
    auto events = own_events_.take();
    const std::lock_guard lock{mutex_};
    if (engine_) std::ranges::move(engine_->take(), std::back_inserter(events));
    return events;
}

}  // namespace holdfast::media
