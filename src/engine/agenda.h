// Many deadlines, one each for many keys: the soonest is known without looking at the others.
#pragma once

#include <map>
#include <set>
#include <utility>
#include <vector>

#include "base/time.h"

namespace holdfast::engine {

template <class Key>
class Agenda {
public:
    // Replaces the key's deadline; `never` removes it.
    void put(const Key& key, Deadline deadline) {
        const auto found = deadlines_.find(key);
        if (found != deadlines_.end()) {
            if (found->second.at == deadline.at) {
                found->second.reason = deadline.reason;
                return;
            }
            auto place = order_.extract({found->second.at, key});
            if (deadline.at == never) {
                deadlines_.erase(found);
                return;
            }
            place.value().first = deadline.at;
            order_.insert(std::move(place));
            found->second = deadline;
        } else if (deadline.at != never) {
            order_.emplace(deadline.at, key);
            deadlines_.emplace(key, deadline);
        }
    }
    void remove(const Key& key) { put(key, Deadline{}); }

    // The keys whose time has come, the oldest first, removed: what they do next puts them back.
    // Each is handed out once a call, so that one that wants the same instant again cannot spin
    // here.
    std::vector<Key> take_due(Instant now) {
        std::vector<Key> due;
        while (!order_.empty() && order_.begin()->first <= now) {
            due.push_back(order_.begin()->second);
            deadlines_.erase(due.back());
            order_.erase(order_.begin());
        }
        return due;
    }

    [[nodiscard]] Deadline next() const {
        if (order_.empty()) return {};
        return deadlines_.find(order_.begin()->second)->second;
    }
    [[nodiscard]] bool empty() const { return order_.empty(); }
    [[nodiscard]] std::size_t size() const { return order_.size(); }

private:
    std::map<Key, Deadline> deadlines_;
    std::set<std::pair<Instant, Key>> order_;
};

}  // namespace holdfast::engine
