// How many there are of each: for limits that one peer must not use up for all others.
#pragma once

#include <cstddef>
#include <map>

namespace holdfast::engine {

template <class Key>
class Tally {
public:
    void add(const Key& key) { ++counts_[key]; }
    // One of those that were added.
    void remove(const Key& key) {
        const auto found = counts_.find(key);
        if (found != counts_.end() && --found->second == 0) counts_.erase(found);
    }
    [[nodiscard]] std::size_t of(const Key& key) const {
        const auto found = counts_.find(key);
        return found == counts_.end() ? 0 : found->second;
    }

private:
    std::map<Key, std::size_t> counts_;  // of those that are not 0
};

}  // namespace holdfast::engine
