#include "engine/incoming_desk.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "engine/limits.h"
#include "engine/message_waiting.h"
#include "engine/test_bench.h"
#include "engine/test_names.h"

namespace holdfast::engine {
namespace {

namespace told = registration::told;
const Endpoint stranger{IpAddress::v4(198, 51, 100, 99), 5060};

struct IncomingDeskTest : testing::Test {
    Bench bench;
    IncomingDesk desk{"Holdfast"};
    FlowId home = bench.open_flow(alice, udp_target(11));
    Addressee addressee{.account = alice,
                        .user = "alice",
                        .aor = "sip:alice@example.test",
                        .view = {},
                        .rules = {},
                        .on_own_flow = true,
                        .sent_it = false};

    // From the account's own server, unless said otherwise.
    void receive(const RequestText& request, std::optional<Endpoint> source = {},
                 FlowId flow = {}) {
        const auto text = request.text();
        const auto message = sip::Message::parse(text);
        ASSERT_TRUE(message) << text;
        const FlowId on = flow ? flow : home;
        const Incoming incoming{*message, source.value_or(udp_target(11).endpoint), on, on};
        if (desk.is_welcome(incoming, {&addressee, 1}))
            desk.on_request(bench.step(), incoming, {&addressee, 1});
    }
    std::vector<int> statuses() { return statuses_of(bench.take_sent()); }
    std::vector<Event> events() { return bench.take_outputs<Event>(); }
    void run_until(Instant end) {
        while (desk.next_deadline().at <= end) {
            bench.now = desk.next_deadline().at;
            desk.on_time(bench.step());
        }
        bench.now = end;
    }
};

RequestText invite() {
    return {.method = "INVITE", .from = "\"Bob B.\" <sip:bob@example.test>;tag=b1"};
}
RequestText cancel() {
    return {.method = "CANCEL", .from = "\"Bob B.\" <sip:bob@example.test>;tag=b1"};
}

// RFC 3261 §11.2: what we can do; RFC 3581 §4: where the request came from.
TEST_F(IncomingDeskTest, OptionsIsAnswered200) {
    receive({});
    const auto sent = bench.take_sent();
    ASSERT_EQ(sent.size(), 1u);
    const auto answer = sip::Message::parse(sent.front());
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status(), 200);
    EXPECT_TRUE(answer->allows(sip::Method::invite));
    EXPECT_TRUE(answer->has(sip::HeaderName::accept));
    EXPECT_TRUE(answer->supports("outbound"));
    EXPECT_FALSE(answer->to().tag().empty());
    EXPECT_EQ(answer->top_via().rport, 5060);
    receive({});
    EXPECT_EQ(bench.take_sent(), sent)
        << "a retransmission gets the same answer (RFC 3261 §17.2.2)";
}

// §11: a stranger gets no answer at all …
TEST_F(IncomingDeskTest, StrangersAreDroppedUnanswered) {
    addressee.on_own_flow = false;
    for (const std::string method :
         {"OPTIONS", "INVITE", "REGISTER", "BYE", "NOTIFY", "CANCEL", "ACK"})
        receive({.method = method, .branch = "z9hG4bK" + method}, stranger);
    EXPECT_TRUE(bench.outbox.empty());
    EXPECT_EQ(desk.size(), 0u);
}

// … unless (b) its address is one of the last good answers, whatever the port: another node of the
// cluster …
TEST_F(IncomingDeskTest, AnotherNodeOfTheClusterIsWelcome) {
    addressee.on_own_flow = false;
    addressee.accepted = {stranger.address};
    receive(invite(), Endpoint{stranger.address, 31337});
    EXPECT_EQ(statuses(), std::vector{180});
}

// … or (c) it knows our Contact's token …
TEST_F(IncomingDeskTest, OurTokenInTheRequestUriIsWelcome) {
    addressee.on_own_flow = false;
    addressee.view.tokens = {"s3cr3t0123456789"};
    auto request = invite();
    request.uri = "sip:alice@192.168.1.20:40000;hf=guessed";
    receive(request, stranger);
    EXPECT_TRUE(bench.outbox.empty());
    request.uri = "sip:alice@192.168.1.20:40000;hf=s3cr3t0123456789";
    receive(request, stranger);
    EXPECT_EQ(statuses(), std::vector{180});
}

// … or direct calls are wanted. A TLS account takes (a) and (d) only.
TEST_F(IncomingDeskTest, TlsAccountsTakeOnlyWhatComesOnTheirFlow) {
    addressee.on_own_flow = false;
    addressee.accepted = {stranger.address};
    addressee.view.tokens = {"token"};
    addressee.rules = {.secure = true, .accept_direct_calls = true};
    auto request = invite();
    request.uri += ";hf=token";
    receive(request, stranger);
    EXPECT_TRUE(bench.outbox.empty());
    addressee.rules = {.secure = false, .accept_direct_calls = true};
    addressee.view = {};
    addressee.accepted = {};
    receive(request, stranger);
    EXPECT_EQ(statuses(), std::vector{180});
}

// RFC 3261 §13.3.1.1: a call rings, and nobody can answer it yet: 480 after 20 s.
TEST_F(IncomingDeskTest, ACallRingsAndEndsAfterTwentySeconds) {
    addressee.view.bindings = {{.reg_id = 1, .contact = "sip:alice@198.51.100.7:13450;hf=x"}};
    receive(invite());
    const Instant begin = bench.now;
    const auto outputs = bench.outbox.take();
    const auto ringing = sip::Message::parse(std::get<out::Send>(outputs.at(0)).bytes);
    EXPECT_EQ(ringing->status(), 180);
    ASSERT_EQ(ringing->contacts().size(), 1u);
    EXPECT_EQ(ringing->contacts()[0].uri.text, "sip:alice@198.51.100.7:13450;hf=x");
    const auto& ring = std::get<Event>(outputs.at(1));
    EXPECT_EQ(ring.kind, EventKind::ring);
    EXPECT_EQ(ring.account, alice);
    EXPECT_EQ(ring.target, udp_target(11));
    EXPECT_EQ(ring.reason, "Bob B. <sip:bob@example.test>");

    run_until(begin + 20s - 1us);
    EXPECT_TRUE(bench.outbox.empty());
    run_until(begin + 20s);
    const auto end = bench.outbox.take();
    ASSERT_EQ(end.size(), 2u);
    EXPECT_EQ(status_of(std::get<out::Send>(end[0]).bytes), 480);
    EXPECT_EQ(std::get<Event>(end[1]).kind, EventKind::call_ended);
    EXPECT_EQ(std::get<Event>(end[1]).status, 480);

    run_until(begin + 20500ms);
    EXPECT_EQ(statuses(), std::vector{480}) << "Timer G: until its ACK (RFC 3261 §17.2.1)";
    receive({.method = "ACK", .from = invite().from});
    run_until(begin + 60s);
    EXPECT_TRUE(bench.outbox.empty());
    EXPECT_EQ(desk.size(), 0u);
}

// RFC 5627 §4.4: an early dialog has our GRUU as its remote target, where the registrar gave one:
// the public one, else the temporary one; RFC 3261 §12.1.1: only a sips URI for a call to one.
// §4.5: a request for a GRUU is for us.
TEST_F(IncomingDeskTest, AGruuIsTheContactOfADialog) {
    const std::string contact = "sip:alice@198.51.100.7:13450;hf=x";
    const std::string ours = "sip:alice@example.test;gr=urn:uuid:1";
    const std::string temporary = "sip:tgruu.7hs@example.test;gr";
    struct Case {
        std::string public_gruu, temporary_gruu, called, expected;
    };
    const std::vector<Case> cases{
        {ours, temporary, contact, ours},
        {"", temporary, contact, temporary},
        {"", "", contact, contact},
        {ours, "", "sips:alice@example.test", contact},
        {"sips:alice@example.test;gr=1", "", "sips:alice@example.test",
         "sips:alice@example.test;gr=1"},
        {ours, temporary, temporary, ours},
    };
    for (const auto& one : cases) {
        addressee.view.bindings = {{.reg_id = 1,
                                    .contact = contact,
                                    .public_gruu = one.public_gruu,
                                    .temporary_gruu = one.temporary_gruu}};
        auto call = invite();
        call.uri = one.called;
        call.call_id = "gruu-" + std::to_string(&one - cases.data());
        call.branch = "z9hG4bK" + call.call_id;
        receive(call);
        const auto sent = bench.take_sent();
        ASSERT_EQ(sent.size(), 1u) << one.called;
        const auto ringing = sip::Message::parse(sent.front());
        ASSERT_EQ(ringing->status(), 180) << one.called;
        ASSERT_EQ(ringing->contacts().size(), 1u);
        EXPECT_EQ(ringing->contacts()[0].uri.text, one.expected);
        desk.hang_up(bench.step(), alice);
        bench.outbox.take();
    }
    // A temporary GRUU of somebody else, over our own flow: not for us.
    auto other = invite();
    other.uri = "sip:tgruu.other@example.test;gr";
    other.call_id = "other";
    receive(other);
    EXPECT_EQ(statuses(), std::vector{404});
}

// RFC 3261 §9.2: 200 to the CANCEL, 487 to the INVITE, with one To tag.
TEST_F(IncomingDeskTest, CancelEndsTheCall) {
    receive(invite());
    const auto ringing = bench.take_sent();
    auto request = cancel();
    request.extra = "Reason: SIP;cause=200;text=\"Call completed elsewhere\"\r\n";
    receive(request);
    const auto outputs = bench.outbox.take();
    ASSERT_EQ(outputs.size(), 3u);
    const auto to_cancel = sip::Message::parse(std::get<out::Send>(outputs[0]).bytes);
    const auto to_invite = sip::Message::parse(std::get<out::Send>(outputs[1]).bytes);
    EXPECT_EQ(to_cancel->status(), 200);
    EXPECT_EQ(to_cancel->method(), sip::Method::cancel);
    EXPECT_EQ(to_invite->status(), 487);
    EXPECT_EQ(to_invite->method(), sip::Method::invite);
    EXPECT_EQ(to_cancel->to().tag(), to_invite->to().tag());
    EXPECT_EQ(std::get<Event>(outputs[2]).reason, "answered elsewhere");
    receive(request);
    EXPECT_EQ(statuses(), std::vector{200}) << "the CANCEL again: the call has ended once only";
}

TEST_F(IncomingDeskTest, CancelOfNothingIs481) {
    receive(cancel());
    EXPECT_EQ(statuses(), std::vector{481});
}

// RFC 3261 §8.2.2.2: the second copy of a forked request is merged: 482. A retransmission is none.
TEST_F(IncomingDeskTest, MergedRequestsGet482) {
    auto request = invite();
    receive(request);
    receive(request);
    EXPECT_EQ(statuses(), (std::vector{180, 180}));
    request.branch = "z9hG4bKother";
    receive(request);
    EXPECT_EQ(statuses(), std::vector{482});
    request.call_id = "another-call";
    request.branch = "z9hG4bKthird";
    receive(request);
    EXPECT_EQ(statuses(), std::vector{180});
}

// RFC 3261 §8.2.1, §12.2.2, §8.2.2.1: not for us, no dialog, not ours to do.
TEST_F(IncomingDeskTest, RefusalsHaveTheirReasons) {
    auto request = invite();
    request.uri = "sip:carol@192.168.1.20:40000";
    receive(request);
    EXPECT_EQ(statuses(), std::vector{404});
    request = invite();
    request.to += ";tag=gone";
    request.branch = "z9hG4bKre";
    receive(request);
    EXPECT_EQ(statuses(), std::vector{481});
    receive({.method = "BYE", .to = "<sip:alice@example.test>;tag=x", .branch = "z9hG4bKbye"});
    EXPECT_EQ(statuses(), std::vector{481});
    receive({.method = "MESSAGE", .branch = "z9hG4bKmessage"});
    EXPECT_EQ(statuses(), std::vector{405});
    receive({.method = "FROBNICATE", .branch = "z9hG4bKfrob"});
    EXPECT_EQ(statuses(), std::vector{501});
    receive({.branch = "z9hG4bKrequire", .extra = "Require: 100rel\r\n"});
    EXPECT_EQ(statuses(), std::vector{420});
    receive({.method = "NOTIFY", .branch = "z9hG4bKpresence", .extra = "Event: presence\r\n"});
    EXPECT_EQ(statuses(), std::vector{489});
}

// NOTIFY: keep-alive 200; check-sync refreshes; message-summary is a notice, on our own flow only
// (§11).
TEST_F(IncomingDeskTest, NotifiesWithoutSubscription) {
    receive({.method = "NOTIFY", .branch = "z9hG4bK1", .extra = "Event: keep-alive\r\n"});
    EXPECT_EQ(statuses(), std::vector{200});
    EXPECT_TRUE(bench.tidings.empty());
    receive({.method = "NOTIFY",
             .call_id = "2",
             .branch = "z9hG4bK2",
             .extra = "Event: check-sync;reboot=false\r\n"});
    EXPECT_EQ(statuses(), std::vector{200});
    EXPECT_EQ(bench.take_told<told::CheckSync>().size(), 1u);

    RequestText summary{
        .method = "NOTIFY",
        .call_id = "3",
        .branch = "z9hG4bK3",
        .extra = "Event: message-summary\r\nContent-Type: application/simple-message-summary\r\n",
        .body = "Messages-Waiting: yes\r\nVoice-Message: 2/8 (0/2)\r\n"};
    receive(summary);
    const auto outputs = bench.outbox.take();
    ASSERT_EQ(outputs.size(), 2u);
    EXPECT_EQ(std::get<Event>(outputs[0]).reason, "2 new and 8 old voice messages");
    EXPECT_EQ(status_of(std::get<out::Send>(outputs[1]).bytes), 200);

    addressee.on_own_flow = false;
    addressee.accepted = {stranger.address};
    summary.branch = "z9hG4bK4";
    summary.call_id = "4";
    receive(summary, stranger);
    EXPECT_EQ(statuses(), std::vector{481});
}

// R1: our own OPTIONS came back. Both copies of a forking proxy are proof, each for the flow it
// came on.
TEST_F(IncomingDeskTest, OurOwnOptionsIsProof) {
    addressee.sent_it = true;
    RequestText own{.from = "<sip:alice@example.test>;tag=me", .call_id = "proof"};
    receive(own);
    own.branch = "z9hG4bKsecond";
    receive(own);
    EXPECT_EQ(statuses(), (std::vector{200, 482}));
    const auto told = bench.take_told<told::Returned>();
    ASSERT_EQ(told.size(), 2u);
    EXPECT_EQ(told[0].second.call_id, "proof");
    EXPECT_EQ(told[0].second.flow, home);
    EXPECT_FALSE(told[0].second.ours_by_from);

    addressee.sent_it = false;  // a B2BUA makes it a new call, from our AOR
    receive({.from = "<sip:alice@EXAMPLE.test>;tag=b2b", .call_id = "b2b", .branch = "z9hG4bKb2b"});
    EXPECT_TRUE(bench.take_told<told::Returned>().at(0).second.ours_by_from);
    receive({.call_id = "bob's", .branch = "z9hG4bKbob"});
    EXPECT_TRUE(bench.take_told<told::Returned>().empty());
}

TEST_F(IncomingDeskTest, HangUpIs486) {
    receive(invite());
    bench.outbox.clear();
    desk.hang_up(bench.step(), AccountId{2});
    EXPECT_TRUE(bench.outbox.empty());
    desk.hang_up(bench.step(), alice);
    EXPECT_EQ(statuses(), std::vector{486});
}

// RFC 3261 §13.3.1: an INVITE that expires while it rings gets 487.
TEST_F(IncomingDeskTest, AnInvitationMayExpire) {
    auto request = invite();
    request.extra = "Expires: 5\r\n";
    receive(request);
    bench.outbox.clear();
    run_until(bench.now + 5s);
    EXPECT_EQ(statuses(), std::vector{487});
}

// limits::calls: at the limit all ring, one past it gets 486.
TEST_F(IncomingDeskTest, OneCallTooManyIsBusy) {
    for (std::size_t i = 0; i <= limits::calls; ++i) {
        auto request = invite();
        request.call_id = "call-" + std::to_string(i);
        request.branch += std::to_string(i);
        receive(request);
    }
    const auto all = statuses();
    ASSERT_EQ(all.size(), limits::calls + 1);
    EXPECT_EQ(std::ranges::count(all, 180), static_cast<std::ptrdiff_t>(limits::calls));
    EXPECT_EQ(all.back(), 486);
}

// limits::server_transactions: at the limit all are answered, one past it is not; later there is
// room again (I8).
TEST_F(IncomingDeskTest, ServerTransactionsHaveALimit) {
    for (std::size_t i = 0; i <= limits::server_transactions; ++i)
        receive({.call_id = std::to_string(i), .branch = "z9hG4bK" + std::to_string(i)});
    EXPECT_EQ(bench.take_sent().size(), limits::server_transactions);
    run_until(bench.now + 32s);
    EXPECT_EQ(desk.size(), 0u) << "Timer J (RFC 3261 §17.2.2)";
    receive({});
    EXPECT_EQ(statuses(), std::vector{200});
}

// R1 of tens of thousands of accounts: their own OPTIONS are proof and are answered past the limit
// as well, without a transaction; nobody else's request is.
TEST_F(IncomingDeskTest, OurOwnOptionsNeedNoTransaction) {
    for (std::size_t i = 0; i < limits::server_transactions; ++i)
        receive({.call_id = std::to_string(i), .branch = "z9hG4bK" + std::to_string(i)});
    bench.take_sent();
    addressee.sent_it = true;
    receive(
        {.from = "<sip:alice@example.test>;tag=me", .call_id = "proof", .branch = "z9hG4bKown"});
    EXPECT_EQ(statuses(), std::vector{200});
    EXPECT_EQ(bench.take_told<told::Returned>().size(), 1u);
    EXPECT_EQ(desk.size(), limits::server_transactions);

    auto call = invite();
    call.branch = "z9hG4bKcall";
    receive(call);
    addressee.sent_it = false;
    receive({.from = "<sip:alice@example.test>;tag=b2b", .call_id = "b2b", .branch = "z9hG4bKb2b"});
    EXPECT_TRUE(bench.take_sent().empty());
    EXPECT_TRUE(bench.take_told<told::Returned>().empty());
}

// R1: each of many accounts may have its proof on the way back at once; the limit grows with them.
TEST_F(IncomingDeskTest, TheLimitLeavesRoomForAProofOfEachAccount) {
    const std::size_t accounts = limits::server_transactions + 10;
    desk.expect(accounts);
    for (std::size_t i = 0; i <= accounts; ++i)
        receive({.call_id = std::to_string(i), .branch = "z9hG4bK" + std::to_string(i)});
    EXPECT_EQ(bench.take_sent().size(), accounts);
}

TEST_F(IncomingDeskTest, AFlowThatEndsTakesItsTransactions) {
    receive(invite());
    receive({.call_id = "x", .branch = "z9hG4bKoptions"});
    desk.on_flow_ended(home);
    EXPECT_EQ(desk.size(), 0u);
    EXPECT_EQ(desk.next_deadline().at, never);
}

TEST(MessagesWaiting, InWords) {
    EXPECT_EQ(messages_waiting_in_words("Messages-Waiting: yes\nVoice-Message: 1/0\n"),
              "1 new and 0 old voice messages");
    EXPECT_EQ(messages_waiting_in_words("messages-waiting:YES\r\n"), "messages are waiting");
    EXPECT_EQ(messages_waiting_in_words("Messages-Waiting: no\r\n"), "no messages are waiting");
    EXPECT_EQ(messages_waiting_in_words("Voice-Message: many\r\n"), "no messages are waiting");
    EXPECT_EQ(messages_waiting_in_words(""), "no messages are waiting");
}

}  // namespace
}  // namespace holdfast::engine
