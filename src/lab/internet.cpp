#include "lab/internet.h"

#include <algorithm>

#include "base/check.h"

namespace holdfast::lab {

namespace {

constexpr std::uint64_t max_steps_at_once = 100'000;  // a machine that never rests fails loudly

}  // namespace

Internet::Internet(const Seed& seed, LinkOptions options) : random_(seed), link_(options, fork()) {}

Random Internet::fork() {
    Seed seed{};
    random_.fill(seed);
    return Random(seed);
}

void Internet::at(Instant when, Action action) {
    queue_.push_back({std::max(when, now_), ++sequence_, std::move(action)});
    std::ranges::push_heap(queue_, [](const Entry& a, const Entry& b) {
        return std::tie(a.at, a.sequence) > std::tie(b.at, b.sequence);
    });
}

bool Internet::step(Instant limit) {
    if (queue_.empty() || queue_.front().at > limit) return false;
    std::ranges::pop_heap(queue_, [](const Entry& a, const Entry& b) {
        return std::tie(a.at, a.sequence) > std::tie(b.at, b.sequence);
    });
    const auto entry = std::move(queue_.back());
    queue_.pop_back();
    steps_at_once_ = entry.at == now_ ? steps_at_once_ + 1 : 0;
    CHECK(steps_at_once_ < max_steps_at_once);
    now_ = entry.at;
    entry.action();
    return true;
}

void Internet::advance_to(Instant when) { now_ = std::max(now_, when); }

void Internet::attach(const IpAddress& address, Node& node, const std::string& name) {
    hosts_[address] = &node;
    ladder_.name(address, name);
}

void Internet::send(Packet packet) {
    packet.trace = ladder_.record(now_, packet);
    if (cuts_.is_cut(packet.from.address, packet.to.address)) {
        ladder_.fate(packet.trace, "the way is cut");
        return;
    }
    const auto when = link_.arrival(now_, packet);
    if (!when) {
        ladder_.fate(packet.trace, "lost");
        return;
    }
    if (link_.duplicates()) deliver_at(*when, packet);
    deliver_at(*when, packet);
}

void Internet::deliver_at(Instant when, const Packet& packet) {
    at(when, [this, packet] {
        const auto host = hosts_.find(packet.to.address);
        if (host == hosts_.end()) {
            ladder_.fate(packet.trace, "nobody has this address");
            return;
        }
        host->second->receive(packet);
    });
}

}  // namespace holdfast::lab
