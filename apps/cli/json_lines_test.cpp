// --json is an interface: keys, their order, their types. What is asserted here may be added to,
// not changed.
#include "apps/cli/json_lines.h"

#include <gtest/gtest.h>

namespace holdfast::cli {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view aor = "sip:alice@example.test";

Target target(std::string_view text) { return Target::parse(text).value(); }

TEST(JsonLines, RegisteredHasEverythingThatApplies) {
    Event event{.kind = EventKind::registered};
    event.account = AccountId{1};
    event.target = target("udp:203.0.113.11:5060");
    event.mapping = Endpoint::parse("203.0.113.195:13450");
    event.contact = "sip:alice@203.0.113.195:13450;hf=x";
    event.expires = 300s;
    event.rtt = 12345us;
    event.status = 200;
    event.reg_id = 1;
    event.reason = "first registration";
    EXPECT_EQ(
        json_line(1234567us, event, aor),
        R"({"t":1.234567,"event":"registered","account":"sip:alice@example.test",)"
        R"("target":"udp:203.0.113.11:5060","mapping":"203.0.113.195:13450",)"
        R"("contact":"sip:alice@203.0.113.195:13450;hf=x","expires":300,"rtt":0.012345,"status":200,)"
        R"("reg_id":1,"reason":"first registration"})"
        "\n");
}

TEST(JsonLines, WhatDoesNotApplyIsNotThere) {
    EXPECT_EQ(json_line(0us, Event{.kind = EventKind::stopped}, ""),
              "{\"t\":0.0,\"event\":\"stopped\"}\n");
    Event waiting{.kind = EventKind::waiting};
    waiting.expires = 27300ms;
    EXPECT_EQ(json_line(2s, waiting, aor),
              "{\"t\":2.0,\"event\":\"waiting\",\"account\":\"sip:alice@example.test\",\"expires\":"
              "27.3}\n");
}

TEST(JsonLines, ResolvedListsItsTargetsOrSaysWhyThereAreNone) {
    Event event{.kind = EventKind::resolved};
    event.targets.push_back({.target = target("tls:[2001:db8::1]:5061"),
                             .priority = 10,
                             .weight = 60,
                             .host = "sip1.example.test",
                             .reason = "SRV priority 10"});
    EXPECT_EQ(json_line(5us, event, aor),
              R"({"t":5e-06,"event":"resolved","account":"sip:alice@example.test","targets":[)"
              R"({"address":"2001:db8::1","port":5061,"transport":"tls","priority":10,"weight":60,)"
              R"("host":"sip1.example.test","reason":"SRV priority 10"}]})"
              "\n");
    Event none{.kind = EventKind::resolved};
    none.reason = "example.test does not exist (NXDOMAIN)";
    EXPECT_EQ(json_line(1s, none, ""),
              "{\"t\":1.0,\"event\":\"resolved\",\"reason\":\"example.test does not exist "
              "(NXDOMAIN)\"}\n");
}

TEST(JsonLines, AServersWordsCannotBreakALine) {
    Event event{.kind = EventKind::notice};
    event.reason = "a \"quoted\"\r\nline \xff\x1b[2J";
    const auto line = json_line(0us, event, "");
    EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
    EXPECT_EQ(line,
              "{\"t\":0.0,\"event\":\"notice\",\"reason\":\"a \\\"quoted\\\"\\r\\nline "
              "\xef\xbf\xbd\\u001b[2J\"}\n");
}

TEST(JsonLines, ResolutionIsOneObject) {
    Resolution resolution{
        .account = std::string(aor), .targets = {}, .problem = "no DNS server answered"};
    EXPECT_EQ(json_line(resolution),
              "{\"account\":\"sip:alice@example.test\",\"targets\":[],\"reason\":\"no DNS server "
              "answered\"}\n");
    resolution.problem.clear();
    resolution.targets.push_back(
        {.target = target("udp:203.0.113.11:5060"), .host = "203.0.113.11", .reason = "a number"});
    EXPECT_EQ(
        json_line(resolution),
        R"({"account":"sip:alice@example.test","targets":[{"address":"203.0.113.11","port":5060,)"
        R"("transport":"udp","priority":0,"weight":0,"host":"203.0.113.11","reason":"a number"}]})"
        "\n");
}

}  // namespace
}  // namespace holdfast::cli
