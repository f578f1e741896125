// Every rule of the design that is a choice, with its default, and the named presets
// (docs/registration.md, "Policies and presets").
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "location/rank.h"

namespace holdfast::registration {

using namespace std::chrono_literals;

// Which client is being: the resilient one of the rules, or the plain one that other clients are
// (the presets).
enum class Style : std::uint8_t { resilient, plain };
using location::LookupOrder;  // L2
enum class Failover : std::uint8_t {
    fast,                // F1–F7
    on_connect_failure,  // pjsip: only when a TCP/TLS connect fails; never over UDP
    on_timeout,          // RFC 3263 §4.3: 503, or 32 s of silence
};
enum class Rewrite : std::uint8_t { replace, outbound, unregister_first, off };    // N3
enum class KeepAliveKind : std::uint8_t { automatic, options, stun, crlf, none };  // K1
enum class Failback : std::uint8_t {
    automatic,
    never,
    new_requests,
    dns_ttl,
    registration,
    duration
};  // F8, L7

struct Policy {
    std::string preset = "holdfast";
    Style style = Style::resilient;

    // Location (L)
    bool affinity = true;
    LookupOrder order = LookupOrder::rendezvous;
    bool use_naptr = true;
    bool use_srv = true;
    bool allow_downgrade = false;
    bool serve_stale = true;
    std::uint32_t listed_answers = 3;
    Duration listed_for = 10min;
    Failback failback = Failback::automatic;
    Duration failback_duration = 10min;

    // Failover (F)
    Failover failover = Failover::fast;
    bool udp_failover = true;
    Duration patience = 1s;
    bool probe = true;
    Duration probe_spacing = 100ms;
    Duration probe_priority_delay = 500ms;
    Duration probe_timeout = 2s;
    Duration connect_spacing = 250ms;
    Duration connect_preference = 100ms;

    // NAT (N) and keep-alive (K)
    Rewrite rewrite = Rewrite::replace;
    bool learn_before_200 = true;  // N3: a mapping from a probe or 401 goes into the next REGISTER
    bool compare_across_servers = false;  // against N2: what "Allow IP rewrite" does
    bool unregister_at_once = false;  // MicroSIP 3.20: un-REGISTER and REGISTER in the same moment
    KeepAliveKind keepalive = KeepAliveKind::automatic;
    Duration keepalive_min = 24s;
    Duration keepalive_max = 29s;
    bool keepalive_learn = false;  // K4
    Duration stream_keepalive_min = 80s;
    Duration stream_keepalive_max = 100s;

    // Bindings (B) and proof (R)
    std::uint32_t flows = 0;  // 0: auto (B1)
    Duration expires = 300s;
    double refresh_from = 0.75;
    double refresh_to = 0.90;
    Duration refresh_before = 0s;  // not 0: so long before the end instead of the share
    bool prove_reachable = true;
    Duration prove_interval = 10min;

    // Waiting (S)
    Duration backoff_base = 30s;
    Duration backoff_base_other_flow = 90s;
    Duration backoff_max = 1800s;
    Duration first_retry_min = 0s;  // plain clients: the first retry, then the others
    Duration first_retry_max = 0s;
    Duration retry_min = 0s;
    Duration retry_max = 0s;
    Duration spread = 0s;

    // Security
    std::string min_digest = "MD5";  // "MD5" or "SHA-256"
    bool accept_direct_calls = false;

    friend bool operator==(const Policy&, const Policy&) = default;
};

// The named preset: holdfast, fleet, microsip, microsip-rewrite, microsip-3.20, rfc3263. The error
// names them.
std::expected<Policy, std::string> preset(std::string_view name);
std::vector<std::string_view> preset_names();

// Sets one field by its name ("patience", "1.5s"). Durations take us, ms, s, min, h; a bare number
// is seconds. "preset" sets all fields, so it comes first. The lower end of a range never lies
// above its upper end: whichever is set last moves the other one along, so that both can be set in
// any order. The error says what is wrong, what is allowed, and the nearest known key; the policy
// is then unchanged.
std::expected<void, std::string> set(Policy& policy, std::string_view key, std::string_view value);

struct FieldText {
    std::string key;
    std::string value;
    std::string meaning;
    std::string allowed;  // "10s to 24h"
};
std::vector<FieldText> describe(const Policy& policy);  // every field, in order

}  // namespace holdfast::registration
