// Which exit code a story leads to.
#include "apps/cli/outcome.h"

#include <gtest/gtest.h>

namespace holdfast::cli {
namespace {

Event event_of(EventKind kind, int reg_id = 1, int status = 0, std::string reason = {}) {
    return {.kind = kind, .status = status, .reg_id = reg_id, .reason = std::move(reason)};
}

TEST(Outcome, IsUndecidedAtFirst) {
    const Outcome outcome;
    EXPECT_EQ(outcome.code(), ExitCode::undecided);
    EXPECT_FALSE(outcome.decided());
}

TEST(Outcome, RegisteredAndUnregisteredIsWell) {
    Outcome outcome;
    outcome.on_event(event_of(EventKind::registered));
    EXPECT_TRUE(outcome.decided());
    outcome.leaving();
    outcome.on_event(event_of(EventKind::unregistered, 1, 0, "un-registered on exit"));
    EXPECT_EQ(outcome.code(), ExitCode::ok);
}

TEST(Outcome, UnregisteringWithoutAnAnswerIsSaid) {
    Outcome outcome;
    outcome.on_event(event_of(EventKind::registered));
    outcome.leaving();
    outcome.on_event(
        event_of(EventKind::unregistered, 1, 0, "the server did not answer the un-REGISTER"));
    EXPECT_EQ(outcome.code(), ExitCode::not_unregistered);
}

TEST(Outcome, StoppingWithABindingMeansThatItIsStillThere) {
    Outcome outcome;
    outcome.on_event(event_of(EventKind::registered));
    outcome.leaving();
    outcome.on_event(event_of(EventKind::stopped, 0));
    EXPECT_EQ(outcome.code(), ExitCode::not_unregistered);
}

TEST(Outcome, NamesAndDnsAreToldApartByTheAnswers) {
    Outcome name;
    name.on_input(
        in::DnsAnswer{QueryId{1}, {.status = dns::Status::nxdomain, .records = {}, .ttl = {}}});
    name.on_event(event_of(EventKind::resolved, 0, 0, "example.test does not exist (NXDOMAIN)"));
    EXPECT_EQ(name.code(), ExitCode::name_leads_nowhere);
    EXPECT_TRUE(name.decided());

    Outcome dns;
    dns.on_input(
        in::DnsAnswer{QueryId{1}, {.status = dns::Status::timed_out, .records = {}, .ttl = {}}});
    dns.on_event(event_of(EventKind::resolved));
    EXPECT_EQ(dns.code(), ExitCode::no_dns);
    Event found{.kind = EventKind::resolved};
    found.targets.emplace_back();
    dns.on_event(found);
    EXPECT_EQ(dns.code(), ExitCode::undecided) << "DNS is back";
}

TEST(Outcome, RefusalsAndChallengesAreToldApart) {
    Outcome refused;
    refused.on_event(event_of(EventKind::refused, 1, 403));
    EXPECT_EQ(refused.code(), ExitCode::refused);
    Outcome unanswerable;
    unanswerable.on_event(event_of(EventKind::auth_failed, 1, 401));
    EXPECT_FALSE(unanswerable.decided()) << "another server may be tried first";
    unanswerable.on_event(event_of(EventKind::refused, 1, 401));
    EXPECT_EQ(unanswerable.code(), ExitCode::auth_failed);
    EXPECT_TRUE(unanswerable.decided());
}

TEST(Outcome, ACertificateIsTheReasonToNameWhenNobodyRegistersUs) {
    Outcome outcome;
    outcome.on_input(in::FlowFailed{FlowId{1}, FlowError::certificate, "it is for other.example"});
    outcome.on_event(event_of(EventKind::attempt_failed));
    outcome.on_event(event_of(EventKind::waiting));
    EXPECT_EQ(outcome.code(), ExitCode::certificate);
    Outcome silence;
    silence.on_event(event_of(EventKind::waiting));
    EXPECT_EQ(silence.code(), ExitCode::no_server);
}

TEST(Outcome, OneBindingThatHoldsIsEnough) {
    Outcome outcome;
    outcome.on_event(event_of(EventKind::registered, 1));
    outcome.on_event(event_of(EventKind::waiting, 2));
    EXPECT_EQ(outcome.code(), ExitCode::ok);
    outcome.on_event(event_of(EventKind::unregistered, 1, 0, "the binding has lapsed"));
    EXPECT_EQ(outcome.code(), ExitCode::no_server);
}

TEST(Outcome, OfAPlainClientEndsItsOnlyBinding) {
    Outcome outcome;
    outcome.on_event(event_of(EventKind::registered, 1));
    outcome.on_event(event_of(EventKind::waiting, 0));
    EXPECT_EQ(outcome.code(), ExitCode::no_server);
}

}  // namespace
}  // namespace holdfast::cli
