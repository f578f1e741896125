// What `holdfast demo` shows: the cases, who goes through them, and what came of it. The same case
// runs on loopback sockets in real time and in the lab in virtual time.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "lab/caller.h"
#include "lab/cluster.h"
#include "lab/dns_zone.h"
#include "lab/nat.h"

namespace holdfast::cli {

enum class DemoFault : std::uint8_t {
    none,
    first_choice_dead,  // the server that the phone would take first never answers
    server_dies,        // the one it is registered at falls silent
    nat_rebinds,        // the NAT loses its mappings: new public ports, the old ones lead nowhere
};

struct DemoCase {
    std::string_view name;   // in a table, at most 28 characters
    std::string_view story;  // one line
    DemoFault fault = DemoFault::none;
    bool dns_rotates = true;
    std::uint32_t granted = 0;  // by the registrar, seconds; 0: what the phone asks
    std::vector<std::string_view> presets;
    Duration limit{};  // without reachability, for Holdfast
};
const std::vector<DemoCase>& demo_cases();

constexpr std::string_view demo_aor = "sip:alice@example.test";
constexpr Duration demo_length = std::chrono::seconds(50);
constexpr Duration fault_time = std::chrono::seconds(4);   // after the start
constexpr Duration lab_length = std::chrono::minutes(10);  // of virtual time
constexpr Duration call_interval = std::chrono::milliseconds(200);
constexpr Duration lab_call_interval = std::chrono::milliseconds(500);
constexpr std::size_t demo_servers = 3;

lab::ClusterOptions cluster_options(const DemoCase& demo_case);
lab::NatOptions nat_options();
lab::RecordOptions record_options(const DemoCase& demo_case);
lab::CallerOptions caller_options(Duration every);

// The longest time in which no call rang.
struct Unreachable {
    Duration length{};
    bool still = false;  // it has not ended
    std::size_t calls = 0;
    std::size_t lost = 0;  // after the first that rang
};
Unreachable unreachable_of(const lab::Caller& caller, Instant started, Instant now);

// A registration as the location service has it.
struct DemoRegistration {
    Duration at{};
    std::size_t server = 0;  // from 0
    Endpoint seen_as;        // public address and port
};

struct DemoOutcome {
    const DemoCase* of = nullptr;
    std::string_view preset;
    Unreachable live;
    Unreachable lab;  // in virtual time
    std::vector<DemoRegistration> registrations;
    std::size_t moves = 0;
    std::size_t removals = 0;       // un-REGISTERs
    std::size_t most_bindings = 0;  // at once
    std::optional<Duration> registered_after;
};
bool keeps_promise(const DemoOutcome& outcome);  // of Holdfast's; others promised nothing

// The whole case in lab::World, ten minutes in milliseconds.
Unreachable in_virtual_time(const DemoCase& demo_case, std::string_view preset);

}  // namespace holdfast::cli
