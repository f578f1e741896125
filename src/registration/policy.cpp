#include "registration/policy.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "registration/policy_field.h"
#include "registration/policy_values.h"

namespace holdfast::registration {

namespace {

Policy holdfast_preset() { return {}; }

Policy fleet_preset() {
    Policy policy;
    policy.preset = "fleet";
    policy.spread = 10s;  // S2
    return policy;
}

// What no plain client has.
Policy plain_preset(std::string_view name) {
    Policy policy;
    policy.preset = name;
    policy.style = Style::plain;
    policy.affinity = false;
    policy.serve_stale = false;
    policy.failback = Failback::never;
    policy.probe = false;
    policy.rewrite = Rewrite::off;
    policy.learn_before_200 = false;
    policy.flows = 1;
    policy.prove_reachable = false;
    return policy;
}

// MicroSIP 3.22.3 as it is installed, on pjsip.
Policy microsip_preset(std::string_view name) {
    auto policy = plain_preset(name);
    policy.order = LookupOrder::first_listed;  // getaddrinfo's first address, for every request
    policy.use_naptr = false;
    policy.use_srv = false;  // without a nameserver setting
    policy.failover = Failover::on_connect_failure;
    policy.udp_failover = false;
    policy.compare_across_servers = true;
    policy.unregister_at_once = true;
    policy.keepalive = KeepAliveKind::crlf;
    policy.keepalive_min = 12s;  // 80-100 % of 15 s
    policy.keepalive_max = 15s;
    policy.stream_keepalive_min = 72s;  // 80-100 % of 90 s
    policy.stream_keepalive_max = 90s;
    policy.refresh_before = 5s;
    policy.first_retry_min = 0s;  // 0 s, drawn ± 10 s
    policy.first_retry_max = 10s;
    policy.retry_min = 290s;  // 300 ± 10 s
    policy.retry_max = 310s;
    policy.accept_direct_calls = true;
    return policy;
}

// "Allow IP rewrite" of 3.22.3: ALWAYS_UPDATE | UNREGISTER.
Policy microsip_rewrite_preset() {
    auto policy = microsip_preset("microsip-rewrite");
    policy.rewrite = Rewrite::unregister_first;
    policy.learn_before_200 = true;
    return policy;
}

// "Allow IP rewrite" of 3.20.5: UNREGISTER.
Policy microsip_3_20_preset() {
    auto policy = microsip_preset("microsip-3.20");
    policy.rewrite = Rewrite::unregister_first;
    return policy;
}

// RFC 3263 and nothing else: a fresh choice per request (§4.2, RFC 2782), the next target on 503, a
// dead transport or 32 s of silence (§4.3). RFC 3261 §10.2.7 wants a "reasonable time interval"
// before the next round.
Policy rfc3263_preset() {
    auto policy = plain_preset("rfc3263");
    policy.order = LookupOrder::weighted_random;
    policy.failover = Failover::on_timeout;
    policy.keepalive = KeepAliveKind::none;
    policy.stream_keepalive_min = 95s;  // RFC 5626 §4.4.1, for who sets another kind
    policy.stream_keepalive_max = 120s;
    policy.first_retry_min = 30s;
    policy.first_retry_max = 60s;
    policy.retry_min = 30s;
    policy.retry_max = 60s;
    return policy;
}

struct Preset {
    std::string_view name;
    Policy (*make)();
};
constexpr std::array presets{
    Preset{"holdfast", holdfast_preset},
    Preset{"fleet", fleet_preset},
    Preset{"microsip", [] { return microsip_preset("microsip"); }},
    Preset{"microsip-rewrite", microsip_rewrite_preset},
    Preset{"microsip-3.20", microsip_3_20_preset},
    Preset{"rfc3263", rfc3263_preset},
};

std::string did_you_mean(std::string_view text, const std::vector<std::string_view>& known) {
    const auto nearest = nearest_word(text, known);
    return nearest.empty() ? "" : "; did you mean " + std::string(nearest) + "?";
}

}  // namespace

std::expected<Policy, std::string> preset(std::string_view name) {
    const auto wanted = lower_case(trimmed(name));
    const auto found = std::ranges::find(presets, wanted, &Preset::name);
    if (found != presets.end()) return found->make();
    std::string names;
    for (const auto known : preset_names())
        names += (names.empty() ? "" : ", ") + std::string(known);
    return std::unexpected("there is no preset \"" + std::string(name) + "\": there are " + names +
                           did_you_mean(name, preset_names()));
}

std::vector<std::string_view> preset_names() {
    std::vector<std::string_view> names;
    names.reserve(presets.size());
    for (const auto& known : presets) names.push_back(known.name);
    return names;
}

std::expected<void, std::string> set(Policy& policy, std::string_view key, std::string_view value) {
    constexpr std::string_view prefix = "policy.";  // as it stands in a configuration file
    const auto wanted = plain_word(key.starts_with(prefix) ? key.substr(prefix.size()) : key);
    for (const auto& field : policy_fields()) {
        if (!is_plain_word_of(wanted, field.key)) continue;
        if (field.read(policy, value)) return {};
        return std::unexpected(std::string(field.key) + " cannot be \"" + std::string(value) +
                               "\"; allowed: " + field.allowed());
    }
    std::vector<std::string_view> keys;
    for (const auto& field : policy_fields()) keys.push_back(field.key);
    return std::unexpected("there is no policy \"" + std::string(key) + "\"" +
                           did_you_mean(key, keys));
}

std::vector<FieldText> describe(const Policy& policy) {
    std::vector<FieldText> texts;
    for (const auto& field : policy_fields())
        texts.push_back({std::string(field.key), field.print(policy), std::string(field.meaning),
                         field.allowed()});
    return texts;
}

}  // namespace holdfast::registration
