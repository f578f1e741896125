// For the worlds that tests live in: the one fault that tools/run-with-faults wants in each life.
//
//     HOLDFAST_HOST_FAULT="send_refused 3" build/debug/src/engine/engine_test --gtest_filter=…
//
// A test's own expectations are about a life without it, and fail as they may. What holds all the
// same is said with complain(); the tool counts these alone.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/host_fault.h"
#include "base/text.h"

namespace holdfast {

inline void complain(const std::string& what) { ADD_FAILURE() << "PROMISE BROKEN: " << what; }

// Nothing: an ordinary run. "none 0" is a life with all that is demanded, and no fault.
inline std::optional<HostFaultPlan> wanted_host_fault() {
    constexpr std::array<std::pair<std::string_view, HostFault>, 7> kinds{{
        {"none", HostFault::none},
        {"send_lost", HostFault::send_lost},
        {"send_refused", HostFault::send_refused},
        {"open_refused", HostFault::open_refused},
        {"open_times_out", HostFault::open_times_out},
        {"dns_servfail", HostFault::dns_servfail},
        {"dns_times_out", HostFault::dns_times_out},
    }};
    const char* const wanted = std::getenv("HOLDFAST_HOST_FAULT");
    if (wanted == nullptr) return std::nullopt;
    const std::string_view text(wanted);
    const auto space = text.find(' ');
    for (const auto& [name, kind] : kinds)
        if (name == text.substr(0, space) && space != std::string_view::npos)
            if (const auto nth = parse_number<std::uint32_t>(text.substr(space + 1)))
                return HostFaultPlan(kind, *nth);
    complain("HOLDFAST_HOST_FAULT=\"" + std::string(text) + "\" is no KIND and NUMBER");
    return std::nullopt;
}

// That this life has seen its fault: the tool goes on with the next of its kind.
inline void note_host_fault_has_come() { testing::Test::RecordProperty("host_fault", "came"); }

}  // namespace holdfast
