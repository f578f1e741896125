// The table of all policy fields.
#include <array>
#include <chrono>

#include "registration/policy_field.h"

namespace holdfast::registration {

namespace {

constexpr std::array styles{Word<Style>{"resilient", Style::resilient},
                            Word<Style>{"plain", Style::plain}};
constexpr std::array orders{Word<LookupOrder>{"rendezvous", LookupOrder::rendezvous},
                            Word<LookupOrder>{"first-listed", LookupOrder::first_listed},
                            Word<LookupOrder>{"weighted-random", LookupOrder::weighted_random}};
constexpr std::array failovers{Word<Failover>{"fast", Failover::fast},
                               Word<Failover>{"on-connect-failure", Failover::on_connect_failure},
                               Word<Failover>{"on-timeout", Failover::on_timeout}};
constexpr std::array rewrites{Word<Rewrite>{"replace", Rewrite::replace},
                              Word<Rewrite>{"outbound", Rewrite::outbound},
                              Word<Rewrite>{"unregister-first", Rewrite::unregister_first},
                              Word<Rewrite>{"off", Rewrite::off}};
constexpr std::array keep_alives{Word<KeepAliveKind>{"auto", KeepAliveKind::automatic},
                                 Word<KeepAliveKind>{"options", KeepAliveKind::options},
                                 Word<KeepAliveKind>{"stun", KeepAliveKind::stun},
                                 Word<KeepAliveKind>{"crlf", KeepAliveKind::crlf},
                                 Word<KeepAliveKind>{"none", KeepAliveKind::none}};
// F8: the words of Poly, and Grandstream's "saved one until …".
constexpr std::array failbacks{Word<Failback>{"auto", Failback::automatic},
                               Word<Failback>{"never", Failback::never},
                               Word<Failback>{"newRequests", Failback::new_requests},
                               Word<Failback>{"DNSTTL", Failback::dns_ttl},
                               Word<Failback>{"registration", Failback::registration},
                               Word<Failback>{"duration", Failback::duration},
                               Word<Failback>{"saved one until no response", Failback::never},
                               Word<Failback>{"saved one until DNS TTL", Failback::dns_ttl}};
// F8: Yealink and Poly register at all servers at once, or at one after the other.
constexpr std::array flow_words{Word<std::uint32_t>{"auto", 0},
                                Word<std::uint32_t>{"successive", 1},
                                Word<std::uint32_t>{"concurrent", 2}};

using P = Policy;

constexpr std::array table{
    Field{"preset", PresetField{},
          "The named set of values that this policy began with; setting it sets every field"},
    Field{
        "style", ChoiceField<Style>{&P::style, styles},
        "Which client is being: the resilient one of the rules, or the plain one that others are"},

    Field{"affinity", FlagField{&P::affinity},
          "L3: stay with the target that works; off: a fresh choice per request"},
    Field{"order", ChoiceField<LookupOrder>{&P::order, orders},
          "L2: by weighted rendezvous hashing, as the DNS answer lists them, or weighted at random "
          "for each request"},
    Field{"use_naptr", FlagField{&P::use_naptr}, "L1: ask for NAPTR records"},
    Field{"use_srv", FlagField{&P::use_srv}, "L1: ask for SRV records"},
    Field{"allow_downgrade", FlagField{&P::allow_downgrade},
          "L1: go to clear text after TLS has worked"},
    Field{"serve_stale", FlagField{&P::serve_stale},
          "L5: use the last good answer while DNS fails"},
    Field{"listed_answers", CountField{&P::listed_answers, 1, 100},
          "L4: a target is listed while it is in one of so many last answers"},
    Field{"listed_for", DurationField{&P::listed_for, 0s, 24h},
          "L4: … or was seen so long ago, whichever is more"},
    Field{
        "failback", ChoiceField<Failback>{&P::failback, failbacks},
        "L7, F8: when to return to a better target: by the rules, or in the words of desk phones"},
    Field{"failback_duration", DurationField{&P::failback_duration, 10s, 24h},
          "F8: with failback = duration, how long to stay away"},

    Field{"failover", ChoiceField<Failover>{&P::failover, failovers},
          "F1-F7; or only when a TCP or TLS connect fails; or as RFC 3263 §4.3 has it: on 503, or "
          "after 32 s"},
    Field{"udp_failover", FlagField{&P::udp_failover}, "F3: leave a silent target on UDP as well"},
    Field{"patience", DurationField{&P::patience, 100ms, 32s},
          "F3: silence longer than this (or 4 RTT) is doubted"},
    Field{"probe", FlagField{&P::probe},
          "F3, F9: ask the others with OPTIONS before leaving a silent target"},
    Field{"probe_spacing", DurationField{&P::probe_spacing, 0s, 10s}, "F3: between two probes"},
    Field{"probe_priority_delay", DurationField{&P::probe_priority_delay, 0s, 10s},
          "F3: before the probes of a lower SRV priority"},
    Field{"probe_timeout", DurationField{&P::probe_timeout, 500ms, 32s},
          "F9: a probe is forgotten after this"},
    Field{"connect_spacing", DurationField{&P::connect_spacing, 10ms, 10s},
          "F4: between the beginnings of two connects in a race"},
    Field{"connect_preference", DurationField{&P::connect_preference, 0s, 10s},
          "F4: so long a better rank may be later and is still preferred"},

    Field{"rewrite", ChoiceField<Rewrite>{&P::rewrite, rewrites},
          "N3: what to do when the mapping is not the one in the Contact"},
    Field{"learn_before_200", FlagField{&P::learn_before_200},
          "N3: a mapping learned from a probe or the 401 goes into the very next REGISTER"},
    Field{"compare_across_servers", FlagField{&P::compare_across_servers},
          "Against N2: compare the mapping with the last one, whatever server told it"},
    Field{"unregister_at_once", FlagField{&P::unregister_at_once},
          "With rewrite = unregister-first: REGISTER without waiting for the un-REGISTER's answer"},
    Field{"keepalive", ChoiceField<KeepAliveKind>{&P::keepalive, keep_alives},
          "K1: what is sent; crlf expects no answer"},
    Field{"keepalive_min", DurationField{&P::keepalive_min, 5s, 1h, nullptr, &P::keepalive_max},
          "K1: the interval on UDP is drawn between this"},
    Field{"keepalive_max", DurationField{&P::keepalive_max, 5s, 1h, &P::keepalive_min, nullptr},
          "K1: … and this"},
    Field{"keepalive_learn", FlagField{&P::keepalive_learn},
          "K4: learn on a spare port how long the NAT keeps a mapping; what is learned takes the "
          "place of keepalive_min and keepalive_max"},
    Field{"stream_keepalive_min",
          DurationField{&P::stream_keepalive_min, 15s, 1h, nullptr, &P::stream_keepalive_max},
          "K1: the interval on TCP and TLS is drawn between this"},
    Field{"stream_keepalive_max",
          DurationField{&P::stream_keepalive_max, 15s, 1h, &P::stream_keepalive_min, nullptr},
          "K1: … and this"},

    Field{"flows", CountField{&P::flows, 0, 2, flow_words},
          "B1: bindings of this phone; auto (0): two where the registrar has outbound, else one"},
    Field{"expires", DurationField{&P::expires, 10s, 24h}, "B4: how long a binding is asked for"},
    Field{"refresh_from", ShareField{&P::refresh_from, 0.1, 0.99, nullptr, &P::refresh_to},
          "B4: refresh after a share of the expiry drawn between this"},
    Field{"refresh_to", ShareField{&P::refresh_to, 0.1, 0.99, &P::refresh_from, nullptr},
          "B4: … and this"},
    Field{"refresh_before", DurationField{&P::refresh_before, 0s, 1h},
          "Refresh so long before the end instead; 0s: by the share"},
    Field{"prove_reachable", FlagField{&P::prove_reachable}, "R1: see our own OPTIONS arrive here"},
    Field{"prove_interval", DurationField{&P::prove_interval, 10s, 24h}, "R1: how often (± 20 %)"},

    Field{"backoff_base", DurationField{&P::backoff_base, 1s, 1h},
          "S1: the base of the wait when all targets have failed and no flow is left"},
    Field{"backoff_base_other_flow", DurationField{&P::backoff_base_other_flow, 1s, 1h},
          "S1: the base while another flow still works"},
    Field{"backoff_max", DurationField{&P::backoff_max, 1s, 24h}, "S1: the longest wait"},
    Field{"first_retry_min",
          DurationField{&P::first_retry_min, 0s, 1h, nullptr, &P::first_retry_max},
          "Plain style: the first retry after a failure comes after this at least"},
    Field{"first_retry_max",
          DurationField{&P::first_retry_max, 0s, 1h, &P::first_retry_min, nullptr},
          "… and this at most"},
    Field{"retry_min", DurationField{&P::retry_min, 0s, 24h, nullptr, &P::retry_max},
          "Plain style: every further retry comes after this at least"},
    Field{"retry_max", DurationField{&P::retry_max, 0s, 24h, &P::retry_min, nullptr},
          "… and this at most; 0s: backoff_base"},
    Field{"spread", DurationField{&P::spread, 0s, 24h},
          "S2: what many phones see at once is acted on after a time drawn from 0 to this"},

    Field{"min_digest", DigestField{}, "§11: weaker digest algorithms are not answered"},
    Field{"accept_direct_calls", FlagField{&P::accept_direct_calls},
          "§11: take requests from anybody, not only from our servers"},
};

}  // namespace

std::span<const Field> policy_fields() { return table; }

}  // namespace holdfast::registration
