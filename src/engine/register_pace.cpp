#include "engine/register_pace.h"

#include <algorithm>
#include <utility>

namespace holdfast::engine {

void RegisterPace::push(AccountId account, registration::act::Send request) {
    line_.push_back({account, std::move(request)});
}

std::optional<RegisterPace::Waiting> RegisterPace::take(Instant now) {
    if (line_.empty() || now < next_) return std::nullopt;
    next_ = now + spacing_;  // from now: time that nobody used is not saved up for a burst
    auto first = std::move(line_.front());
    line_.pop_front();
    return first;
}

void RegisterPace::forget(AccountId account) {
    std::erase_if(line_, [account](const Waiting& waiting) { return waiting.account == account; });
}

Deadline RegisterPace::next_deadline() const {
    if (line_.empty()) return {};
    return {next_, "REGISTERs wait for their turn (S3)"};
}

}  // namespace holdfast::engine
