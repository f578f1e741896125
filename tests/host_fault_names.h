// Names of what a host can do wrong, for tests that have a parameter of it.
#pragma once

#include <array>
#include <string>

#include "base/host_fault.h"

namespace holdfast::lab {

inline constexpr std::array host_faults{HostFault::send_lost,    HostFault::send_refused,
                                        HostFault::open_refused, HostFault::open_times_out,
                                        HostFault::dns_servfail, HostFault::dns_times_out};

inline std::string name_of(HostFault fault) {
    switch (fault) {
    case HostFault::none: return "nothing";
    case HostFault::send_lost: return "SendLost";
    case HostFault::send_refused: return "SendRefused";
    case HostFault::open_refused: return "OpenRefused";
    case HostFault::open_times_out: return "OpenTimesOut";
    case HostFault::dns_servfail: return "DnsServfail";
    case HostFault::dns_times_out: return "DnsTimesOut";
    }
    return "?";
}

}  // namespace holdfast::lab
