#include "bench/peers/peers.h"

#include <array>

namespace holdfast::bench {

#if defined(HOLDFAST_BENCH_SOFIA) || defined(HOLDFAST_BENCH_OSIP) || defined(HOLDFAST_BENCH_LIBRE)
std::span<const Peer> peers() {
    static constexpr std::array all = {
#ifdef HOLDFAST_BENCH_SOFIA
        Peer{"sofia_sip", sofia_sip_parse, sofia_sip_takes, sofia_sip_printed,
             sofia_sip_transactions},
#endif
#ifdef HOLDFAST_BENCH_OSIP
        // It checks nothing that its parser does not.
        Peer{"osip2", osip2_parse, osip2_parse, osip2_printed, osip2_transactions},
#endif
#ifdef HOLDFAST_BENCH_LIBRE
        // Its transactions come with its own loop, of which a process has but one.
        Peer{"libre", libre_parse, libre_takes, libre_printed, nullptr},
#endif
    };
    return all;
}
#else
std::span<const Peer> peers() { return {}; }
#endif

const Peer* find_peer(std::string_view name) {
    for (const auto& peer : peers())
        if (peer.name == name) return &peer;
    return nullptr;
}

}  // namespace holdfast::bench
