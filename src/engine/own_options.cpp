#include "engine/own_options.h"

#include <algorithm>

#include "engine/limits.h"

namespace holdfast::engine {

void OwnOptions::note(Instant now, AccountId account, std::string_view call_id) {
    const auto most = std::max(limits::own_options, accounts_);
    while (!order_.empty() && (order_.size() >= most || sent_.at(order_.front()).until <= now)) {
        sent_.erase(order_.front());
        order_.pop_front();
    }
    // Asked again with credentials it keeps its Call-ID.
    if (sent_.try_emplace(std::string(call_id), Sent{account, now + limits::own_options_life})
            .second)
        order_.emplace_back(call_id);
}

AccountId OwnOptions::sender(Instant now, std::string_view call_id) const {
    const auto found = sent_.find(call_id);
    return found == sent_.end() || found->second.until <= now ? AccountId{} : found->second.account;
}

}  // namespace holdfast::engine
