// Calls on a host whose addresses change (K5): where the sound of each is received, and what the
// other side is told of it.
#include <utility>

#include "apps/phone/calls.h"
#include "engine/input.h"

namespace holdfast::phone {

// Our address as the socket has it that leads there.
std::optional<IpAddress> Calls::exact_address_towards(const std::optional<Target>& target) const {
    for (const auto& [id, flow] : flows_)
        if (flow.local && target && flow.target == *target) return flow.local->address;
    return std::nullopt;
}

// Of any other flow if there is none.
std::optional<IpAddress> Calls::address_towards(const std::optional<Target>& target) const {
    if (auto exact = exact_address_towards(target)) return exact;
    for (const auto& [id, flow] : flows_)
        if (flow.local) return flow.local->address;
    return std::nullopt;
}

// The sound's sockets are bound to no address (media::SessionOptions::bind), so they receive at the
// new one already, and what we send leaves from it; all that is missing is that the other side
// knows. Not so where somebody chose the address, or where it is of the other family, which the
// sockets are not. The engine sends it when there is a way (L8).
void Calls::follow_network() {
    for (auto& [ref, sound] : sounds_) {
        const auto* const call = find(ref);
        if (call == nullptr || !sound.is_open || !sound.stream || !sound.follows_host) continue;
        const auto at = registered_at_.find(call->account);
        const auto own = exact_address_towards(
            at == registered_at_.end() ? call->via : std::optional(at->second));
        auto& rtp = sound.stream->rtp.address;
        if (!own || *own == rtp || own->family() != rtp.family()) continue;
        rtp = *own;
        if (sound.stream->rtcp) sound.stream->rtcp->address = *own;
        driver_.submit(in::MediaChanged{.call = ref, .streams = {*sound.stream}});
    }
}

}  // namespace holdfast::phone
