// The simulated internet: virtual time, one queue of what is going to happen, and public addresses.
// Nothing here reads a clock or draws entropy; the seed decides everything.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/time.h"
#include "lab/cuts.h"
#include "lab/ladder.h"
#include "lab/link.h"
#include "lab/packet.h"

namespace holdfast::lab {

// Whoever can be sent a packet.
class Node {
public:
    Node() = default;
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;
    virtual ~Node() = default;
    virtual void receive(const Packet& packet) = 0;
};

// Where a host is plugged in: the public internet, or the inside of a NAT.
class Uplink {
public:
    Uplink() = default;
    Uplink(const Uplink&) = delete;
    Uplink& operator=(const Uplink&) = delete;
    virtual ~Uplink() = default;
    virtual void send(Packet packet) = 0;
    virtual void attach(const IpAddress& address, Node& node, const std::string& name) = 0;
    virtual void detach(const IpAddress& address) = 0;
};

class Internet : public Uplink {
public:
    using Action = std::function<void()>;

    Internet(const Seed& seed, LinkOptions options);

    [[nodiscard]] Instant now() const { return now_; }
    [[nodiscard]] Duration elapsed() const { return now_ - start; }
    void at(Instant when, Action action);
    void after(Duration delay, Action action) { at(now_ + delay, std::move(action)); }
    // Performs the next action if it is due by `limit`; time moves there. False: there is none.
    bool step(Instant limit);
    void advance_to(Instant when);  // with nothing left to do before
    [[nodiscard]] bool idle() const { return queue_.empty(); }
    // When the next action is due; never: there is none.
    [[nodiscard]] Instant next_at() const { return queue_.empty() ? never : queue_.front().at; }

    // A random source of its own for each part: one more draw here changes nothing there.
    Random fork();

    // Public addresses. A packet to an address nobody has is lost in silence.
    void attach(const IpAddress& address, Node& node, const std::string& name) override;
    void detach(const IpAddress& address) override { hosts_.erase(address); }
    void send(Packet packet) override;

    Link& link() { return link_; }
    Cuts& cuts() { return cuts_; }
    [[nodiscard]] const Cuts& cuts() const { return cuts_; }
    Ladder& ladder() { return ladder_; }
    [[nodiscard]] const Ladder& ladder() const { return ladder_; }

    static constexpr Instant start{std::chrono::seconds(1000)};  // engine time when a world begins

private:
    struct Entry {
        Instant at;
        std::uint64_t sequence;
        Action action;
    };
    void deliver_at(Instant when, const Packet& packet);

    Instant now_ = start;
    Random random_;
    Link link_;
    Cuts cuts_;
    Ladder ladder_{start};
    std::vector<Entry>
        queue_;  // a heap: the earliest in front, ties in the order they were asked for
    std::uint64_t sequence_ = 0;
    std::uint64_t steps_at_once_ = 0;
    std::map<IpAddress, Node*> hosts_;
};

}  // namespace holdfast::lab
