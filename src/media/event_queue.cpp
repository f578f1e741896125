#include "media/event_queue.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <utility>

#include "base/check.h"

namespace holdfast::media {

EventQueue::EventQueue() : descriptor_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    CHECK(descriptor_ >= 0);
}

EventQueue::~EventQueue() { ::close(descriptor_); }

void EventQueue::push(Event event) {
    const std::lock_guard lock{mutex_};
    events_.push_back(std::move(event));
    const std::uint64_t one = 1;
    // It cannot fail: the counter is far from its end, and reset under the same lock.
    CHECK(events_.size() > 1 || ::write(descriptor_, &one, sizeof one) == sizeof one);
}

std::vector<Event> EventQueue::take() {
    const std::lock_guard lock{mutex_};
    std::uint64_t count = 0;
    if (!events_.empty()) CHECK(::read(descriptor_, &count, sizeof count) == sizeof count);
    return std::exchange(events_, {});
}

}  // namespace holdfast::media
