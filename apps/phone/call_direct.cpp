// Calls whose account is made for them, and looks for its way first (registration/direct.h).
#include <utility>

#include "apps/phone/calls.h"

namespace holdfast::phone {

CallRef Calls::dial_when_connected(AccountId account, const std::string& uri,
                                   CallSettings settings) {
    const CallRef ref{++last_call_};
    calls_[ref] = {.account = account, .incoming = false, .peer = uri};
    looking_.emplace(ref, std::move(settings));
    return ref;
}

// Its sound is told which of our addresses leads there: so the way comes first.
void Calls::on_way(Instant now, const Event& event) {
    const bool is_found = event.kind == EventKind::connected;
    if (!is_found && event.kind != EventKind::not_connected) return;
    std::vector<CallRef> its;
    for (const auto& [ref, settings] : looking_)
        if (calls_.at(ref).account == event.account) its.push_back(ref);
    for (const auto ref : its) {
        if (!is_found) {
            stop_looking(now, ref, event.reason);
            continue;
        }
        auto settings = std::move(looking_.extract(ref).mapped());
        open_sound(ref, std::move(settings), event.target);
    }
}

// Neither the engine nor the media know of it. false: they do.
bool Calls::stop_looking(Instant now, CallRef ref, std::string why) {
    if (looking_.erase(ref) == 0) return false;
    end_unknown(now, ref, std::move(why));
    over(now, ref);
    return true;
}

}  // namespace holdfast::phone
