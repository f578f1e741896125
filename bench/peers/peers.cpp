#include "bench/peers/peers.h"

#include <array>

namespace holdfast::bench {

#if defined(HOLDFAST_BENCH_SOFIA) || defined(HOLDFAST_BENCH_OSIP)
std::span<const Peer> peers() {
    static constexpr std::array all = {
#ifdef HOLDFAST_BENCH_SOFIA
        Peer{"sofia_sip", sofia_sip_parse},
#endif
#ifdef HOLDFAST_BENCH_OSIP
        Peer{"osip2", osip2_parse},
#endif
    };
    return all;
}
#else
std::span<const Peer> peers() { return {}; }
#endif

}  // namespace holdfast::bench
