// Events on their way from media's threads to the owner's loop: a queue and a descriptor that is
// readable while it holds something.
#pragma once

#include <mutex>
#include <vector>

#include "media/engine.h"

namespace holdfast::media {

class EventQueue {
public:
    EventQueue();
    EventQueue(const EventQueue&) = delete;
    EventQueue& operator=(const EventQueue&) = delete;
    ~EventQueue();
    void push(Event event);  // from any thread
    [[nodiscard]] std::vector<Event> take();
    [[nodiscard]] int descriptor() const { return descriptor_; }

private:
    int descriptor_ = -1;  // an eventfd
    std::mutex mutex_;
    std::vector<Event> events_;
};

}  // namespace holdfast::media
