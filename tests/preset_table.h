// Scenario × preset → what is expected, at a glance. A cell says the reference figure as it was
// measured on the real client (or the rule it follows from), and the range that a run must be in.
//
//   about, from_to   the reference, give or take 10 %, or 2 s if that is more (counts: 10 %)
//   drawn            the client draws a random wait: all that it may draw, where the reference (2–3
//                    runs) is some of it; give or take 0.5 s
//   never            not within the row's time
//   at_most          Holdfast's promise, and what a standard demands: no tolerance
//   none             not checked, and why
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

#include "tests/preset_rows.h"

namespace holdfast::lab {

inline constexpr std::array preset_columns{"holdfast", "fleet",         "microsip-rewrite",
                                           "microsip", "microsip-3.20", "rfc3263"};

enum class Unit : std::uint8_t { seconds, count, percent, milliseconds };

struct Expected {
    enum class Kind : std::uint8_t { none, never, range };
    std::string_view reference;
    Kind kind = Kind::none;
    double low = 0;
    double high = 0;
    bool tolerant = false;
    std::string_view why{};

    [[nodiscard]] double tolerance(double of, Unit unit) const {
        constexpr double share = 0.1;
        constexpr double seconds = 2;
        if (!tolerant) return 0;
        return unit == Unit::seconds ? std::max(share * of, seconds) : share * of;
    }
    [[nodiscard]] bool accepts(double value, Unit unit) const {
        switch (kind) {
        case Kind::none: return true;
        case Kind::never: return value == Figure::never;
        case Kind::range:
            return value >= low - tolerance(low, unit) && value <= high + tolerance(high, unit);
        }
        return false;
    }
};

constexpr Expected none(std::string_view why, std::string_view reference = "–") {
    return {.reference = reference, .why = why};
}
constexpr Expected never(std::string_view reference) {
    return {.reference = reference, .kind = Expected::Kind::never};
}
constexpr Expected from_to(std::string_view reference, double low, double high) {
    return {reference, Expected::Kind::range, low, high, true};
}
constexpr Expected about(std::string_view reference, double value) {
    return from_to(reference, value, value);
}
constexpr Expected drawn(std::string_view reference, double low, double high) {
    constexpr double slack = 0.5;
    return {reference, Expected::Kind::range, std::max(0.0, low - slack), high + slack, false};
}
constexpr Expected at_most(std::string_view reference, double limit) {
    return {reference, Expected::Kind::range, 0, limit, false};
}

struct Row {
    std::string_view id;
    std::string_view title;
    Unit unit;
    Figure (*measure)(const PresetRun&);
    std::array<Expected, preset_columns.size()> expected;
};

// Reasons that several cells share.
inline constexpr std::string_view not_measured = "the reference was not measured";
inline constexpr std::string_view no_rewrite = "rewrite is off: its Contact is private";
// How the drawn figures come about, for pjsip's clients: silence ends after Timer F, 32 s; the
// first retry comes 0–10 s later, each further one 300 ± 10 s after a failure; a request that is
// under way when the silence ends gets through with its next retransmission (every 4 s). S10 and
// S10l, bound with expires 30: refresh 19 s after the fault, 32 s, 0–10 s, 32 s, 290–310 s, less
// the outage: 223–253. For rfc3263 (RFC 3263 §4.3, RFC 2782): equal priorities and no weights, so
// the order is DNS's; a silent target costs 32 s (a stream that breaks or does not open, 10 s), a
// 503 or a refusal nothing; after a round without success 30–60 s; refresh at 75–90 % of E, which
// is 39–48 s after the fault of S5, 133–178 s after that of S9 (whose first 32 s count) and 83–101
// s after that of S7.
// clang-format off
inline constexpr std::array preset_rows_table{
    //                      holdfast, fleet,
    //                      microsip-rewrite, microsip, microsip-3.20,
    //                      rfc3263
    Row{"S1", "cold start, DNS fixed, ip1 silent", Unit::seconds, rows::s1_silent_first,
        {at_most("≤ 1.5", 1.5), at_most("≤ 1.5", 1.5),
         never("never (150)"), never("never"), never("never"),
         drawn("32", 32, 32)}},
    Row{"S1r", "the same, DNS rotates per query", Unit::seconds, rows::s1r_silent_first_rotating,
        {at_most("≤ 1.5", 1.5), at_most("≤ 1.5", 1.5),
         drawn("34–40", 32, 42), drawn("36–40", 32, 42), drawn("36", 32, 42),
         drawn("32", 32, 32)}},
    Row{"S2", "ip1 and ip2 silent", Unit::seconds, rows::s2_two_silent,
        {at_most("≤ 1.5", 1.5), at_most("≤ 1.5", 1.5),
         never("never"), never("never"), never("never"),
         drawn("64", 64, 64)}},
    Row{"S3", "ip1 refuses (ICMP)", Unit::seconds, rows::s3_refused_by_icmp,
        {at_most("≤ 0.2", 0.2), at_most("≤ 0.2", 0.2),
         never("never"), never("never"), never("never"),
         at_most("at once", 0.2)}},
    Row{"S4", "TCP, SYN dropped by ip1", Unit::seconds, rows::s4_syn_dropped,
        {at_most("≤ 0.6", 0.6), at_most("≤ 0.6", 0.6),
         never("never"), never("never"), never("never"),
         drawn("10", 10, 10)}},
    Row{"S4b", "TCP refused", Unit::seconds, rows::s4b_tcp_refused,
        {at_most("≤ 0.05", 0.05), at_most("≤ 0.05", 0.05),
         about("0.03", 0.03), about("0.03", 0.03), about("0.1", 0.1),
         at_most("at once", 0.2)}},
    Row{"S5", "bound, its node goes silent, DNS fixed, expires 60: not reachable for", Unit::seconds,
        rows::s5_node_silent,
        {at_most("≤ keep-alive + 3", 32), at_most("≤ keep-alive + 3", 32),
         never("never (240)"), never("never"), never("never"),
         drawn("71–80", 39 + 32, 48 + 32)}},
    Row{"S5r", "the same, DNS rotates", Unit::seconds, rows::s5r_node_silent_rotating,
        {at_most("≤ keep-alive + 3", 32), at_most("≤ keep-alive + 3", 32),
         about("49", 49), about("49", 49), about("49", 49),
         drawn("39–48", 39, 48)}},
    Row{"S5t", "the same over TCP, DNS fixed", Unit::seconds, rows::s5t_tcp_node_silent,
        {at_most("≤ keep-alive + 12", 112), at_most("the same, + 10 (S2)", 122),
         never("never"), never("never"), never("never"),
         drawn("49–58", 39 + 10, 48 + 10)}},
    Row{"S5c", "TCP, node restarts (RST, then refused)", Unit::seconds, rows::s5c_tcp_node_restarts,
        {at_most("≤ 0.1", 0.1), at_most("0–10 (S2)", 10.1),
         drawn("2–6", 0, 10), drawn("4–8", 0, 10), drawn("2", 0, 10),
         drawn("30–60", 30, 60)}},
    Row{"S6", "DNS rotates, expires 30, 5 min, endpoint-dependent NAT: refreshes", Unit::count,
        rows::s6_refreshes,
        {none("any number", "n"), none("any number", "n"),
         about("11", 11), about("11", 11), about("17", 17),
         from_to("11–13", 11, 13)}},
    Row{"S6", "moves", Unit::count, rows::s6_moves,
        {at_most("0", 0), at_most("0", 0),
         about("11", 11), about("11", 11), about("17", 17),
         from_to("11–13", 11, 13)}},
    Row{"S6", "un-REGISTERs", Unit::count, rows::s6_unregisters,
        {at_most("0", 0), at_most("0", 0),
         at_most("0", 0), at_most("0", 0), about("6", 6),
         at_most("0", 0)}},
    Row{"S6", "share of time in which the Contact is the real mapping", Unit::percent,
        rows::s6_contact_is_mapping,
        {from_to("100", 100, 100), from_to("100", 100, 100),
         about("100", 100), at_most("0", 0), about("49.8", 49.8),
         at_most("0", 0)}},
    Row{"S6", "stale bindings at most (all but the newest)", Unit::count, rows::s6_stale,
        {at_most("0", 0), at_most("0", 0),
         about("1", 1), at_most("0", 0), at_most("0", 0),
         at_most("0", 0)}},
    Row{"S12n", "10 min, expires 120, NAT timeout 30 s, a location service per node: all answer",
        Unit::percent, rows::s12n_all_bindings_answer,
        {from_to("100", 100, 100), from_to("100", 100, 100),
         about("100", 100), about("100", 100), about("23.5", 23.5),
         none("no keep-alive: RFC 3263 has none")}},
    Row{"S7", "NAT rebinding while bound, expires 120: until right again", Unit::seconds,
        rows::s7_nat_rebinding,
        {at_most("≤ keep-alive + 1", 30), at_most("≤ keep-alive + 1", 30),
         about("108", 108), about("108", 108), about("108", 108),
         drawn("83–101", 83, 101)}},
    Row{"S8a", "ip1 answers 503", Unit::seconds, rows::s8a_unavailable,
        {at_most("≤ 0.05", 0.05), at_most("≤ 0.05", 0.05),
         never("never"), never("never"), never("never"),
         at_most("at once", 0.2)}},
    Row{"S8b", "503 with Retry-After 20", Unit::seconds, rows::s8b_unavailable_with_retry_after,
        {at_most("≤ 0.05", 0.05), at_most("≤ 0.05", 0.05),
         never("never"), never("never"), never("never"),
         at_most("at once", 0.2)}},
    Row{"S9", "SRV: priority 10 silent, 20 alive: to 20", Unit::seconds, rows::s9_to_second_priority,
        {at_most("≤ 1.5", 1.5), at_most("≤ 1.5", 1.5),
         never("nothing sent"), none(not_measured), none(not_measured),
         drawn("32", 32, 32)}},
    Row{"S9", "requests sent in 150 s", Unit::count, rows::s9_requests,
        {none("any number", "n"), none("any number", "n"),
         at_most("0: no SRV by default", 0), none(not_measured), none(not_measured),
         none("any number", "n")}},
    Row{"S9", "then 10 returns: back", Unit::seconds, rows::s9_back,
        {at_most("≤ 75", 75), at_most("≤ 75", 75),
         none("it never got to 20"), none(not_measured), none(not_measured),
         drawn("133–178", 133, 178)}},
    Row{"S10", "all silent for 60 s, then back", Unit::seconds, rows::s10_all_silent_60_s,
        {at_most("≤ 10", 10), at_most("≤ 10", 10),
         drawn("0–3 (luck)", 0, 4), drawn("0.1–0.4", 0, 4), drawn("1–3", 0, 4),
         drawn("0–4", 0, 4)}},
    Row{"S10l", "all silent for 150 s, then back", Unit::seconds, rows::s10l_all_silent_150_s,
        {at_most("≤ 10", 10), at_most("≤ 10", 10),
         drawn("239–242", 223, 253), drawn("249", 223, 253), drawn("228–247", 223, 253),
         drawn("0–27", 0, 27)}},
    Row{"S11", "mapping ≠ Contact: un-REGISTERs", Unit::count, rows::s11_unregisters,
        {at_most("0", 0), at_most("0", 0),
         at_most("0", 0), none(no_rewrite, "private Contact"), about("1", 1),
         none(no_rewrite)}},
    Row{"S11", "time without a binding", Unit::milliseconds, rows::s11_unbound,
        {at_most("0", 0), at_most("0", 0),
         at_most("0", 0), none(no_rewrite, "private Contact"), from_to("0.2–0.6", 0.2, 0.6),
         none(no_rewrite)}},
    Row{"S11", "a stale binding for, first refresh included", Unit::seconds, rows::s11_stale_for,
        {at_most("0", 0), at_most("0", 0),
         about("5", 5), none(no_rewrite, "private Contact"), none(not_measured),
         none(no_rewrite)}},
};
// clang-format on

}  // namespace holdfast::lab
