#include "registration/extensions.h"

#include <algorithm>

namespace holdfast::registration {

Extensions Extensions::all() {
    Extensions every;
    every.held_.set();
    return every;
}

std::size_t Extensions::index_of(std::string_view option_tag) {
    return static_cast<std::size_t>(std::ranges::find(option_tags, option_tag) -
                                    option_tags.begin());
}

bool Extensions::contains(std::string_view option_tag) const {
    const auto index = index_of(option_tag);
    return index < held_.size() && held_[index];
}

bool Extensions::insert(std::string_view option_tag) {
    const auto index = index_of(option_tag);
    if (index == held_.size() || held_[index]) return false;
    held_.set(index);
    return true;
}

bool Extensions::erase(std::string_view option_tag) {
    if (!contains(option_tag)) return false;
    held_.reset(index_of(option_tag));
    return true;
}

std::string Extensions::list() const {
    std::string list;
    for (std::size_t i = 0; i < option_tags.size(); ++i)
        if (held_[i]) list.append(list.empty() ? "" : ", ").append(option_tags[i]);
    return list;
}

}  // namespace holdfast::registration
