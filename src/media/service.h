// Calls' sound as a program has it: an engine that is loaded, with GStreamer, when the first call
// needs it, by a thread of its own. A phone that only waits for calls maps none of it
// (docs/decisions/0010).
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "media/engine.h"
#include "media/event_queue.h"

namespace holdfast::media {

class Service final : public Engine {
public:
    // `modules`: where libholdfast-media.so is looked for, in this order.
    explicit Service(std::vector<std::filesystem::path> modules);
    Service(const Service&) = delete;
    Service& operator=(const Service&) = delete;
    ~Service() override;

    // The first command loads the module; until it is there, commands wait in order.
    void submit(Command command) override;
    // One descriptor for the program's whole life.
    [[nodiscard]] int descriptor() const override { return poll_; }
    std::vector<Event> take() override;

private:
    void load();
    void refuse(const Command& command);

    std::vector<std::filesystem::path> modules_;
    EventQueue own_events_;  // before the module's, and without it
    int poll_ = -1;          // an epoll of own_events_ and of the module's
    std::mutex mutex_;       // guards what follows
    std::vector<Command> waiting_;
    std::unique_ptr<Engine> engine_;
    std::string failure_;  // why there is no module
    bool loading_ = false;
    std::thread loader_;
};

}  // namespace holdfast::media
