// Policies and presets: one table drives set(), describe() and docs/policy.md; F8's words of desk
// phones; the presets are what docs/registration.md says of them. What the presets do is
// plain_test.cpp.
#include "registration/policy.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <type_traits>
#include <utility>

#include "registration/policy_values.h"

namespace holdfast::registration {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// How many members an aggregate has: as many as can be initialised.
struct Anything {
    template <class T>
    operator T() const;  // NOLINT: only named, never called
};
template <class T, std::size_t... I>
consteval bool takes(std::index_sequence<I...>) {
    return requires { T{(static_cast<void>(I), Anything{})...}; };
}
template <class T, std::size_t N = 0>
consteval std::size_t member_count() {
    if constexpr (takes<T>(std::make_index_sequence<N + 1>{}))
        return member_count<T, N + 1>();
    else
        return N;
}

std::string value_of(const Policy& policy, std::string_view key) {
    for (const auto& field : describe(policy))
        if (field.key == key) return field.value;
    return "no such field";
}

Policy changed(std::string_view key, std::string_view value, Policy policy = {}) {
    const auto done = set(policy, key, value);
    EXPECT_TRUE(done.has_value()) << done.error();
    return policy;
}

std::string refusal(std::string_view key, std::string_view value) {
    Policy policy;
    const auto before = describe(policy);
    const auto done = set(policy, key, value);
    EXPECT_FALSE(done.has_value()) << key << " = " << value;
    for (std::size_t i = 0; i < before.size(); ++i)
        EXPECT_EQ(describe(policy)[i].value, before[i].value);
    return done ? "" : done.error();
}

TEST(PolicyTable, HasEveryFieldOfThePolicy) {
    EXPECT_EQ(describe({}).size(), member_count<Policy>())
        << "a field of Policy is not in policy_fields.cpp";
}

// A row that reads one member and prints another would be found here: each preset's values, set one
// by one into the default policy, give the preset.
TEST(PolicyTable, EveryFieldIsReadBackAsItIsPrinted) {
    for (const auto name : preset_names()) {
        const auto original = *preset(name);
        Policy copy;
        for (const auto& field : describe(original)) {
            if (field.key == "preset") continue;  // would do it all at once
            EXPECT_TRUE(set(copy, field.key, field.value)) << field.key << " = " << field.value;
        }
        const auto wanted = describe(original);
        const auto got = describe(copy);
        for (std::size_t i = 1; i < wanted.size(); ++i)
            EXPECT_EQ(got[i].value, wanted[i].value) << wanted[i].key;
    }
}

// Each field changes its own member: setting it shows in its own text and in no other, but for the
// other end of a range.
TEST(PolicyTable, EachFieldChangesItsOwnMember) {
    const auto before = describe({});
    for (std::size_t i = 1; i < before.size(); ++i) {
        const auto& key = before[i].key;
        for (const auto* other : {"on", "off", "1", "11s", "16s", "0.5", "SHA-256", "plain",
                                  "first-listed", "on-timeout", "off", "crlf", "never"}) {
            Policy policy;
            if (!set(policy, key, other)) continue;
            const auto after = describe(policy);
            for (std::size_t j = 0; j < before.size(); ++j) {
                const auto stem = [](std::string_view k) {
                    return k.substr(0, k.find_last_of('_'));
                };
                if (j == i || stem(before[j].key) == stem(key)) continue;
                EXPECT_EQ(after[j].value, before[j].value)
                    << key << " = " << other << " changed " << before[j].key;
            }
        }
    }
}

TEST(PolicyTable, EveryFieldSaysWhatItMeansAndWhatIsAllowed) {
    for (const auto& field : describe({})) {
        EXPECT_FALSE(field.meaning.empty()) << field.key;
        EXPECT_FALSE(field.allowed.empty()) << field.key;
    }
}

TEST(PolicyValues, DurationsTakeUnitsAndBareSeconds) {
    EXPECT_EQ(changed("patience", "1.5s").patience, 1500ms);
    EXPECT_EQ(changed("patience", "500ms").patience, 500ms);
    EXPECT_EQ(changed("patience", "250000us").patience, 250ms);
    EXPECT_EQ(changed("expires", "2min").expires, 2min);
    EXPECT_EQ(changed("expires", "1h").expires, 1h);
    EXPECT_EQ(changed("expires", "90").expires, 90s);
    EXPECT_EQ(changed("patience", "0.25").patience, 250ms);
    EXPECT_EQ(changed("patience", " 2 s ").patience, 2s);
}

TEST(PolicyValues, DurationsThatAreNone) {
    for (const auto* text :
         {"", "s", "soon", "-1s", "+1s", "1x", "1s 2s", "nan", "inf", "1e3", "99999999999h"})
        EXPECT_EQ(parse_duration(text), std::nullopt) << text;
}

TEST(PolicyValues, DurationsArePrintedExactly) {
    EXPECT_EQ(print_duration(0s), "0s");
    EXPECT_EQ(print_duration(1us), "1us");
    EXPECT_EQ(print_duration(1500us), "0.0015s");
    EXPECT_EQ(print_duration(100ms), "100ms");
    EXPECT_EQ(print_duration(1500ms), "1.5s");
    EXPECT_EQ(print_duration(300s), "300s");
    EXPECT_EQ(print_duration(600s), "10min");
    EXPECT_EQ(print_duration(24h), "24h");
    for (const auto duration :
         std::initializer_list<Duration>{1us, 999us, 1001us, 1234567us, 61s, 3601s})
        EXPECT_EQ(parse_duration(print_duration(duration)), duration);
}

TEST(PolicyValues, BooleansInTheWordsOfPeople) {
    for (const auto* yes : {"on", "true", "yes", "1", "ON", "Yes"})
        EXPECT_TRUE(changed("use_srv", yes).use_srv);
    for (const auto* no : {"off", "false", "no", "0", "False"})
        EXPECT_FALSE(changed("use_srv", no).use_srv);
    EXPECT_EQ(refusal("probe", "maybe"), "probe cannot be \"maybe\"; allowed: on, off");
}

TEST(PolicyValues, KeysAndWordsInAnySpelling) {
    EXPECT_EQ(changed("keepalive-min", "12s").keepalive_min, 12s);
    EXPECT_EQ(changed("keepaliveMin", "12s").keepalive_min, 12s);
    EXPECT_EQ(changed("policy.patience", "2s").patience, 2s);
    EXPECT_EQ(changed("order", "First_Listed").order, LookupOrder::first_listed);
    EXPECT_EQ(changed("min_digest", "sha256").min_digest, "SHA-256");
}

// The same answer as with the word made, for every two of the policy's keys, however written.
TEST(PolicyValues, AWordIsComparedAsItWouldBeMade) {
    for (const auto& one : describe(Policy{}))
        for (const auto& other : describe(Policy{}))
            EXPECT_EQ(is_plain_word_of(plain_word(one.key), other.key),
                      plain_word(one.key) == plain_word(other.key));
    EXPECT_TRUE(is_plain_word_of("keepalivemin", " Keep-alive_MIN\t"));
    EXPECT_FALSE(is_plain_word_of("keepalive", "keepalive_min"));
    EXPECT_FALSE(is_plain_word_of("keepalivemin", "keepalive"));
    EXPECT_TRUE(is_plain_word_of("", " -_"));
}

// F8: what users of desk phones bring along.
TEST(PolicyValues, DeskPhonesWordsAreUnderstoodF8) {
    EXPECT_EQ(changed("failback", "newRequests").failback, Failback::new_requests);
    EXPECT_EQ(changed("failback", "DNSTTL").failback, Failback::dns_ttl);
    EXPECT_EQ(changed("failback", "registration").failback, Failback::registration);
    EXPECT_EQ(changed("failback", "duration").failback, Failback::duration);
    EXPECT_EQ(changed("failback", "Saved one until no response").failback, Failback::never);
    EXPECT_EQ(changed("failback", "saved one until DNS TTL").failback, Failback::dns_ttl);
    EXPECT_EQ(changed("flows", "concurrent").flows, 2U);
    EXPECT_EQ(changed("flows", "successive").flows, 1U);
    EXPECT_EQ(changed("flows", "auto").flows, 0U);
}

TEST(PolicyValues, OutOfRangeIsRefusedWithASentence) {
    EXPECT_EQ(refusal("expires", "9s"), "expires cannot be \"9s\"; allowed: 10s to 24h");
    EXPECT_EQ(refusal("expires", "86401"), "expires cannot be \"86401\"; allowed: 10s to 24h");
    EXPECT_EQ(changed("expires", "10").expires, 10s);
    EXPECT_EQ(changed("expires", "86400").expires, 24h);
    EXPECT_EQ(refusal("flows", "3"),
              "flows cannot be \"3\"; allowed: 0 to 2, auto, successive, concurrent");
    EXPECT_EQ(refusal("refresh_from", "1.5"),
              "refresh_from cannot be \"1.5\"; allowed: 0.1 to 0.99");
    EXPECT_EQ(refusal("failover", "never"),
              "failover cannot be \"never\"; allowed: fast, on-connect-failure, on-timeout");
    EXPECT_EQ(refusal("min_digest", "SHA-1"),
              "min_digest cannot be \"SHA-1\"; allowed: MD5, SHA-256");
}

// Whatever the order of a configuration file, a range never turns round: drawing from one needs min
// <= max.
TEST(PolicyValues, TheEndsOfARangeMoveAlong) {
    auto policy = changed("keepalive_min", "40s");
    EXPECT_EQ(policy.keepalive_max, 40s);
    policy = changed("keepalive_max", "50s", policy);
    EXPECT_EQ(policy.keepalive_min, 40s);
    policy = changed("keepalive_max", "10s", policy);
    EXPECT_EQ(policy.keepalive_min, 10s);
    policy = changed("refresh_to", "0.5");
    EXPECT_EQ(policy.refresh_from, 0.5);
    EXPECT_EQ(changed("retry_min", "5s").retry_max, 5s);
}

TEST(PolicyValues, AnUnknownKeyNamesTheNearestOne) {
    EXPECT_EQ(refusal("patiance", "1s"), "there is no policy \"patiance\"; did you mean patience?");
    EXPECT_EQ(refusal("keepalive_mini", "1s"),
              "there is no policy \"keepalive_mini\"; did you mean keepalive_min?");
    EXPECT_EQ(refusal("colour", "red"), "there is no policy \"colour\"");
}

TEST(PolicyPresets, AreFoundByName) {
    EXPECT_THAT(preset_names(), ElementsAre("holdfast", "fleet", "microsip", "microsip-rewrite",
                                            "microsip-3.20", "rfc3263"));
    for (const auto name : preset_names()) EXPECT_EQ(preset(name)->preset, name);
    EXPECT_EQ(preset("MicroSIP")->preset, "microsip");
    const auto unknown = preset("microsipp");
    ASSERT_FALSE(unknown);
    EXPECT_THAT(unknown.error(), HasSubstr("did you mean microsip?"));
    EXPECT_EQ(changed("preset", "microsip").keepalive, KeepAliveKind::crlf);
}

TEST(PolicyPresets, FleetIsHoldfastWithSpread) {
    const auto fleet = *preset("fleet");
    EXPECT_EQ(fleet.spread, 10s);
    const auto one = describe(fleet);
    const auto other = describe(*preset("holdfast"));
    for (std::size_t i = 0; i < one.size(); ++i) {
        if (one[i].key == "preset" || one[i].key == "spread") continue;
        EXPECT_EQ(one[i].value, other[i].value) << one[i].key;
    }
}

TEST(PolicyPresets, MicrosipIsWhatItIs) {
    const auto microsip = *preset("microsip");
    EXPECT_EQ(microsip.style, Style::plain);
    EXPECT_EQ(value_of(microsip, "use_srv"), "off");
    EXPECT_EQ(value_of(microsip, "rewrite"), "off");
    EXPECT_EQ(value_of(microsip, "failover"), "on-connect-failure");
    EXPECT_EQ(value_of(microsip, "refresh_before"), "5s");
    EXPECT_EQ(value_of(microsip, "first_retry_max"), "10s");
    EXPECT_EQ(value_of(microsip, "retry_min"), "290s");
    EXPECT_EQ(value_of(*preset("microsip-rewrite"), "learn_before_200"), "on");
    EXPECT_EQ(value_of(*preset("microsip-3.20"), "learn_before_200"), "off");
    EXPECT_EQ(value_of(*preset("rfc3263"), "order"), "weighted-random");
}

// ---- docs/policy.md is made of describe().

std::string cell(std::string_view text) {
    std::string escaped;
    for (const char c : text) escaped += c == '|' ? std::string("\\|") : std::string(1, c);
    return escaped;
}

std::string page() {
    std::ostringstream out;
    out << "# Policy: every choice, its default and its meaning\n\n"
           "The rules of [registration.md](registration.md) that are choices. A configuration file "
           "has them under\n"
           "`policy`, the command line as `--set policy.patience=1.5s`; `preset` sets them all, so "
           "it comes first.\n"
           "Durations take us, ms, s, min and h; a bare number is seconds. Where two fields are "
           "the ends of one range,\n"
           "the one set last moves the other along. This page is made by `policy_test`, which "
           "fails when it is not\n"
           "true; `HOLDFAST_WRITE_DOCS=1` makes it write the page.\n\n"
           "| field | default | allowed | meaning |\n| --- | --- | --- | --- |\n";
    for (const auto& field : describe({}))
        out << "| `" << field.key << "` | " << cell(field.value) << " | " << cell(field.allowed)
            << " | " << cell(field.meaning) << " |\n";
    out << "\n## Presets\n\nOnly what differs from `holdfast`, which is the default.\n";
    const auto usual = describe({});
    for (const auto name : preset_names()) {
        if (name == "holdfast") continue;
        out << "\n### " << name << "\n\n| field | value |\n| --- | --- |\n";
        const auto fields = describe(*preset(name));
        for (std::size_t i = 1; i < fields.size(); ++i)
            if (fields[i].value != usual[i].value)
                out << "| `" << fields[i].key << "` | " << cell(fields[i].value) << " |\n";
    }
    return out.str();
}

TEST(PolicyPage, IsWhatDescribeSays) {
    const std::string path = HOLDFAST_TEST_DATA "/../../docs/policy.md";
    if (std::getenv("HOLDFAST_WRITE_DOCS") != nullptr) std::ofstream(path) << page();
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    EXPECT_EQ(text.str(), page()) << "run policy_test with HOLDFAST_WRITE_DOCS=1";
}

}  // namespace
}  // namespace holdfast::registration
