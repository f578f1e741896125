// A call and a peer that says what it likes, in any order: each row is a story of messages and what
// must come of it (RFC 3261 §9, §13 – §15; RFC 3262; RFC 3311; RFC 4028). Not tested here: calls
// that come (call_incoming_test.cpp), the texts on the wire (tests/calls_test.cpp), transactions
// (src/transaction).
#include "call/call.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "call/call_stories.h"
#include "call/limits.h"

namespace holdfast::call {
namespace {

// RFC 3261 §13.2.2: provisional answers, the answer, its copies.
TEST(Call, AnInviteAndItsAnswers) {
    tell_dialled({
        {"", "", calling},
        {"100", "", calling},
        {"100 180a 200a+", "ringing ACK answered media"},
        {"200a+ 200a+ 200a+", "ACK answered media ACK ACK"},
        {"180a 180a 180a", "ringing", calling},
        {"181a 182a", "ringing", calling},
        {"183a", "", calling},
        {"200a-", "ACK BYE call_ended", ending},
        {"200a!", "ACK BYE call_ended", ending},
        {"200a! BYE:200 wait>33", "ACK BYE call_ended", over},
        {"486", "call_ended", over},
        {"180a 486 486", "ringing call_ended", over},
        {"lost", "call_ended", over},
        {"wait>181 lost", "call_ended", over},
        {"486 180a 200a+", "call_ended", over},
        // F1: nobody has answered, and its connection is gone: the same goes another way.
        {"unheard", "", calling},
        {"unheard way", "INVITE", calling},
        {"unheard wait>6 200a+", "INVITE ACK answered media"},
        {"unheard way noway way noway way noway way lost", "INVITE INVITE INVITE INVITE call_ended",
         over},
        {"unheard way unheard way unheard way unheard way unheard way",
         "INVITE INVITE INVITE INVITE call_ended", over},
        {"unheard hangup way", "call_ended", over},
        {"noway", "call_ended", over},
        {"180a underway", "ringing call_ended", over},
        {"left way OLD:180b", "INVITE CANCEL", calling},
        {"left way OLD:200b+ 200a+", "INVITE ACK BYE ACK answered media"},
        {"left way 200a+ OLD:200b+ OLD:200b+", "INVITE ACK answered media ACK BYE ACK"},
        // I8, §13.2.2.4: who has accepted with an answer past a limit does not sit in a call alone.
        {"180a long>200a BYE:200 wait>33", "ringing call_ended ACK BYE", over},
        {"180a long>200a long>LATE:200a", "ringing call_ended ACK BYE ACK", ending},
        {"183a+ long>200a", "media early_media silence call_ended ACK BYE", ending},
        {"200a+ long>LATE:200b", "ACK answered media ACK BYE"},
        {"180a hangup long>LATE:200a", "ringing CANCEL call_ended ACK BYE", ending},
        {"left way long>OLD:200b long>OLD:200b 200a+", "INVITE ACK BYE ACK ACK answered media"},
        {"left way long>OLD:486b 200a+", "INVITE ACK answered media"},
        {"180a cut>200", "ringing call_ended", over},
        {"180a long>486", "ringing call_ended", over},
    });
}

// RFC 3261 §13.2.2.4, §12.1: several branches are one call.
TEST(Call, AForkedInvite) {
    tell_dialled({
        {"180a 180b 200b+", "ringing ringing ACK answered media"},
        {"180a 180b 200b+ 200a+", "ringing ringing ACK answered media ACK BYE"},
        {"200a+ 200b+ BYE:200 200b+", "ACK answered media ACK BYE ACK"},
        {"200a+ 200b+ 200c+", "ACK answered media ACK BYE ACK BYE"},
        {"200a+ hangup 200b+", "ACK answered media BYE silence call_ended ACK BYE", ending},
        {"180a 180b 486", "ringing ringing call_ended", over},
        {"183a+ 183b+ 200a+", "media early_media media early_media ACK answered media"},
        {"200b! 200a+", "ACK BYE call_ended ACK BYE", ending},
    });
}

// RFC 3261 §13.2.1: an answer before the answer.
TEST(Call, EarlyMedia) {
    tell_dialled({
        {"183a+", "media early_media", calling},
        {"183a+ 183a+ 180a", "media early_media ringing", calling},
        {"183a+ 200a-", "media early_media ACK answered media"},
        {"183a+ 200a+", "media early_media ACK answered media"},
        {"183a! 200a+", "ACK answered media"},
        {"183a+ 200b-", "media early_media ACK BYE silence call_ended", ending},
        {"183a+ 486", "media early_media silence call_ended", over},
        {"183a+ hangup 487", "media early_media CANCEL silence call_ended", over},
    });
}

// RFC 3261 §9.1, §15: giving up, and what crosses it on its way.
TEST(Call, GivingUp) {
    tell_dialled({
        {"hangup", "call_ended", ending},
        {"hangup hangup", "call_ended", ending},
        {"hangup 100", "call_ended CANCEL", ending},
        {"hangup 100 180a 180b", "call_ended CANCEL", ending},
        {"180a hangup", "ringing CANCEL call_ended", ending},
        {"180a hangup 487", "ringing CANCEL call_ended", over},
        {"180a hangup 180b 487", "ringing CANCEL call_ended", over},
        {"180a hangup 200a+", "ringing CANCEL call_ended ACK BYE", ending},
        {"180a hangup 200a+ 200a+", "ringing CANCEL call_ended ACK BYE ACK", ending},
        {"180a hangup 200a+ BYE:200 wait>33", "ringing CANCEL call_ended ACK BYE", over},
        {"hangup 200a+", "call_ended ACK BYE", ending},
        {"hangup 407", "call_ended", over},
        {"hangup 302>sip:carol@example.test", "call_ended", over},
        {"hangup 422>3600", "call_ended", over},
        {"hangup lost", "call_ended", over},
        // A BYE that did not get there is owed, for a while.
        {"200a+ hangup noway way BYE:200 wait>33", "ACK answered media BYE silence call_ended BYE",
         over},
        {"200a+ hangup noway wait>6 noway wait>6 noway wait>6 noway wait>6 noway wait>33",
         "ACK answered media BYE silence call_ended BYE BYE BYE BYE notice", over},
        {"180a wait>181", "ringing CANCEL call_ended", ending},
        {"wait>181", "call_ended", ending},
        {"180a hangup 180a#1 487", "ringing CANCEL call_ended PRACK", ending},
    });
}

// RFC 3261 §22.2, §8.1.3.4; RFC 4028 §7.4: the INVITE goes again, but not for ever.
TEST(Call, ChallengesRedirectsAndIntervals) {
    tell_dialled({
        {"407 180a 200a+", "INVITE ringing ACK answered media"},
        {"401 407 200a+", "INVITE INVITE ACK answered media"},
        {"407 407 407 407 407", "INVITE INVITE INVITE INVITE call_ended", over},
        {"407x", "call_ended", over},
        {"407 486", "INVITE call_ended", over},
        {"302>sip:carol@example.test 200a+", "dialling INVITE ACK answered media"},
        {"302>sip:carol@example.test 486", "dialling INVITE call_ended", over},
        {"302>tel:+15551234 180a", "dialling INVITE ringing", calling},
        {"302", "call_ended", over},
        {"302>sip:bob@example.test", "call_ended", over},
        {"302>mailto:bob@example.test", "call_ended", over},
        {"302>sip:c1@x.test 302>sip:c2@x.test 302>sip:c3@x.test 302>sip:c4@x.test "
         "302>sip:c5@x.test 302>sip:c6@x.test",
         "dialling INVITE dialling INVITE dialling INVITE dialling INVITE dialling INVITE "
         "call_ended",
         over},
        {"422>3600 200a+", "INVITE ACK answered media"},
        {"422>90", "call_ended", over},
        {"422", "call_ended", over},
        {"422>3600 422>3600", "INVITE call_ended", over},
        {"422>2000 422>3000 422>4000 422>5000 422>6000", "INVITE INVITE INVITE INVITE call_ended",
         over},
    });
}

// RFC 3262 §4: each reliable provisional answer once, in order.
TEST(Call, ReliableProvisionalAnswers) {
    tell_dialled({
        {"180a#7", "PRACK ringing", calling},
        {"180a#7 180a#7", "PRACK ringing", calling},
        {"180a#7 180a#9", "PRACK ringing", calling},
        {"180a#7 PRACK:200a 180a#9 180a#8 PRACK:200a 180a#9", "PRACK ringing PRACK PRACK", calling},
        {"180a#7 180a#8 180a#9", "PRACK ringing", calling},  // RFC 3262 §3: one at a time
        {"180a#7 180a#6", "PRACK ringing", calling},
        {"180a#7 180b#1", "PRACK ringing PRACK ringing", calling},
        {"180a#7 PRACK:200 200a+", "PRACK ringing ACK answered media"},
        {"180a#7 PRACK:481 200a+", "PRACK ringing ACK answered media"},
        {"180a#7 PRACK:407 PRACK:200 200a+", "PRACK ringing PRACK ACK answered media"},
        {"180a#7 lost 200a+", "PRACK ringing ACK answered media"},
        {"200a+ 180a#7", "ACK answered media"},
    });
}

// RFC 3261 §15.1: the end, from either side, and from both.
TEST(Call, HangingUp) {
    tell_dialled({
        {"200a+ bye", "ACK answered media 200 silence call_ended", ending},
        {"200a+ bye wait>33", "ACK answered media 200 silence call_ended", over},
        {"200a+ bye bye", "ACK answered media 200 silence call_ended 200", ending},
        {"200a+ hangup", "ACK answered media BYE silence call_ended", ending},
        {"200a+ hangup BYE:200 wait>33", "ACK answered media BYE silence call_ended", over},
        {"200a+ hangup BYE:481 wait>33", "ACK answered media BYE silence call_ended", over},
        {"200a+ hangup BYE:407 BYE:200 wait>33", "ACK answered media BYE silence call_ended BYE",
         over},
        {"200a+ hangup lost wait>33", "ACK answered media BYE silence call_ended", over},
        {"200a+ hangup bye", "ACK answered media BYE silence call_ended 200", ending},
        {"200a+ hangup inv+ info upd", "ACK answered media BYE silence call_ended 481 481 481",
         ending},
        {"200a+ hold bye RE:200a+", "ACK answered media re-INVITE 200 silence call_ended ACK",
         ending},
        {"200a+ hold bye RE:407a", "ACK answered media re-INVITE 200 silence call_ended", ending},
        {"180a bye", "ringing 200", calling},
        {"200a+ bye-b", "ACK answered media 481"},
        {"200a+ 200b+ inv+-b", "ACK answered media ACK BYE 481"},  // it has our BYE
        {"200a+ 200b+ upd+-b", "ACK answered media ACK BYE 481"},
        {"200a+ 200b+ bye-b", "ACK answered media ACK BYE 200"},
        {"200a+ inv+ hangup wait>33", "ACK answered media 200 media BYE silence call_ended",
         ending},
    });
}

// RFC 3261 §12.2.2, §14.2; RFC 3311 §5.2: what the peer may ask in a dialog, and when.
TEST(Call, RequestsOfThePeer) {
    tell_dialled({
        {"200a+ info old", "ACK answered media 200 500"},
        {"200a+ msg", "ACK answered media 405"},
        {"200a+ inv+ ack", "ACK answered media 200 media"},
        {"200a+ inv+ inv+", "ACK answered media 200 media 491"},
        {"200a+ inv+ ack inv+ ack", "ACK answered media 200 media 200 media"},
        {"200a+ inv- ack+", "ACK answered media 200 media"},
        {"200a+ inv- ack", "ACK answered media 200"},
        {"200a+ inv- upd+", "ACK answered media 200 491"},
        {"200a+ inv! inv+ ack", "ACK answered media 488 200 media"},
        {"200a+ invh ack inv+ ack", "ACK answered media 200 media held 200 media resumed"},
        {"200a+ upd", "ACK answered media 200"},
        {"200a+ upd+", "ACK answered media 200 media"},
        {"200a+ upd!", "ACK answered media 488"},
        {"200a+ updh", "ACK answered media 200 media held"},
        {"200a+ prack#0", "ACK answered media 481"},
        {"180a inv+", "ringing 491", calling},
        {"180a upd+", "ringing 491", calling},
        {"180a upd", "ringing 200", calling},
        {"200a+ inv+ wait>33",
         "ACK answered media 200 media 200 200 200 200 200 200 200 200 200 200 BYE silence "
         "call_ended",
         ending},
    });
}

// RFC 3261 §14.1, RFC 3311 §5.1: what we ask, and what may be answered.
TEST(Call, RequestsOfOurs) {
    tell_dialled({
        {"200a+ hold RE:200a+", "ACK answered media re-INVITE ACK media held"},
        {"200a+ hold RE:200a+ RE:200a+", "ACK answered media re-INVITE ACK media held ACK"},
        {"200a+ hold hold", "ACK answered media re-INVITE"},
        {"200a+ resume", "ACK answered media"},
        {"200a+ hold RE:200a+ resume RE:200a+",
         "ACK answered media re-INVITE ACK media held re-INVITE ACK media resumed"},
        {"200a+ hold RE:491a", "ACK answered media re-INVITE"},
        {"200a+ hold RE:491a wait>5 RE:200a+",
         "ACK answered media re-INVITE re-INVITE ACK media held"},
        {"200a+ hold RE:500a>3 wait>4", "ACK answered media re-INVITE re-INVITE"},
        {"200a+ hold RE:488a", "ACK answered media re-INVITE notice"},
        {"200a+ hold RE:488a resume", "ACK answered media re-INVITE notice"},
        {"200a+ hold RE:200a!", "ACK answered media re-INVITE ACK notice"},
        {"200a+ hold RE:200a! hold RE:200a+",
         "ACK answered media re-INVITE ACK notice re-INVITE ACK media held"},
        // A hold that came while another change was out is none of those that are refused.
        {"200a+ media hold RE:488a RE:200a+",
         "ACK answered media re-INVITE notice re-INVITE ACK media held"},
        // RFC 3261 §8.1.3.1: what did not get there says nothing of the dialog.
        {"200a+ hold noway", "ACK answered media re-INVITE"},
        {"200a+ hold noway wait>6 RE:200a+",
         "ACK answered media re-INVITE re-INVITE ACK media held"},
        {"200a+ moved noway wait>6 UPDATE:200a", "ACK answered media UPDATE UPDATE"},
        // When there is a way again, nothing waits for its time; a glare does (§14.1).
        {"200a+ moved noway way", "ACK answered media UPDATE UPDATE"},
        {"200a+ hold noway way RE:200a+", "ACK answered media re-INVITE re-INVITE ACK media held"},
        {"200a+ moved UPDATE:491a way", "ACK answered media UPDATE"},
        // The peer may have accepted what was lost on its way back: it gets the ACK it waits for.
        {"200a+ hold underway way RE:200a+",
         "ACK answered media re-INVITE ACK re-INVITE ACK media held"},
        {"200a+ hold unheard way RE:491a wait>5 RE:200a+ resume",
         "ACK answered media re-INVITE ACK re-INVITE ACK ACK re-INVITE ACK media held "
         "re-INVITE"},
        {"200a+ moved underway way", "ACK answered media UPDATE UPDATE"},
        {"200a+ way", "ACK answered media"},
        // A new Contact is told together with what waits, and again if it was refused (L8).
        {"200a+ media noway moved way RE:200a+",
         "ACK answered media re-INVITE re-INVITE ACK media"},
        {"200a+ hold moved RE:200a+ UPDATE:200a",
         "ACK answered media re-INVITE ACK media held UPDATE"},
        {"200a+ moved UPDATE:488a wait>11 UPDATE:488a wait>11",
         "ACK answered media UPDATE notice UPDATE notice"},
        {"200a+ moved UPDATE:405a RE:503a wait>11",
         "ACK answered media UPDATE re-INVITE notice re-INVITE"},
        // I8: an answer past a limit: its status is all that is known.
        {"200a+ hold long>200 hold RE:200a+",
         "ACK answered media re-INVITE ACK notice re-INVITE ACK media held"},
        {"200a+ hold long>200 long>RE:200a", "ACK answered media re-INVITE ACK notice ACK"},
        {"200a+ hold long>488", "ACK answered media re-INVITE notice"},
        {"200a+ hold long>481", "ACK answered media re-INVITE silence call_ended", ending},
        {"200a+ moved long>200 wait>11", "ACK answered media UPDATE notice UPDATE"},
        {"200a+ hold hangup long>200 BYE:200",
         "ACK answered media re-INVITE BYE silence call_ended", ending},
        {"200a+ moved UPDATE:503a wait>11", "ACK answered media UPDATE notice UPDATE"},
        {"200a+ hold RE:407a RE:200a+", "ACK answered media re-INVITE re-INVITE ACK media held"},
        {"200a+ hold RE:481a", "ACK answered media re-INVITE silence call_ended", ending},
        {"200a+ hold RE:408a", "ACK answered media re-INVITE BYE silence call_ended", ending},
        {"200a+ hold lost", "ACK answered media re-INVITE BYE silence call_ended", ending},
        {"200a+ hold inv+", "ACK answered media re-INVITE 491"},
        {"200a+ hold upd+ upd", "ACK answered media re-INVITE 491 200"},
        {"200a+ inv+ hold ack", "ACK answered media 200 media re-INVITE"},
        {"200a+ media RE:200a+", "ACK answered media re-INVITE ACK media"},
        {"200a+ moved UPDATE:200a", "ACK answered media UPDATE"},
        {"200a+ moved UPDATE:405a RE:200a+", "ACK answered media UPDATE re-INVITE ACK media"},
        {"200a+ moved UPDATE:491a wait>5", "ACK answered media UPDATE UPDATE"},
        {"200a+ moved UPDATE:481a", "ACK answered media UPDATE silence call_ended", ending},
        {"hold resume media moved", "", calling},
    });
}

// RFC 3261 §8.1.3.4, §20.10: the target that is liked best is tried first; or none, as the user
// wants it.
TEST(Call, RedirectsGoByTheirWorthAndByPolicy) {
    const std::string targets =
        "302>sip:c@other.test>;q=0.2,<sip:d@example.test>;q=0.8,<sip:e@x.test";
    Bench bench;
    bench.play(targets);
    EXPECT_EQ(bench.last(sip::Method::invite).request.request_uri, "sip:e@x.test")
        << "without q it is 1";
    bench.play("486a");
    EXPECT_EQ(bench.last(sip::Method::invite).request.request_uri, "sip:d@example.test");
    Bench same{{.redirects = Redirects::same_domain}};
    same.play(targets);
    EXPECT_EQ(same.last(sip::Method::invite).request.request_uri, "sip:d@example.test");
    same.play("486a");
    EXPECT_EQ(same.log(), "dialling INVITE dialling INVITE call_ended");
    Bench refused{{.redirects = Redirects::refuse}};
    refused.play(targets);
    EXPECT_EQ(refused.log(), "dialling INVITE call_ended");
}

// RFC 3261 §20.43, RFC 3326: what does not fit is said, and why a call was ended.
TEST(Call, WarningsAndReasonsAreSent) {
    auto bench = Bench::incoming({}, sdp_of_peer("97 nonsense"));
    bench.play("answer");
    EXPECT_EQ(bench.responses().back().status, 488);
    EXPECT_NE(bench.responses().back().headers.find("Warning: 30"), std::string::npos)
        << bench.responses().back().headers;
    Bench dialled;
    dialled.play("200a!");
    EXPECT_NE(dialled.last(sip::Method::bye).request.headers.find("Reason: SIP;cause=488"),
              std::string::npos)
        << dialled.last(sip::Method::bye).request.headers;
}

// Early dialogs are limited: what a proxy gone mad sends does not pile up.
TEST(Call, EarlyDialogsHaveALimit) {
    Bench bench;
    for (char tag = 'a'; tag < 'a' + 20; ++tag)
        bench.play(std::string("180").append(1, tag).append("#1"));
    EXPECT_EQ(std::ranges::count(bench.events(), EventKind::ringing, &Event::kind),
              static_cast<std::ptrdiff_t>(20))
        << "it rings, whether we keep the dialog or not";
    std::size_t pracks = 0;
    for (auto at = bench.log().find("PRACK"); at != std::string::npos;
         at = bench.log().find("PRACK", at + 1))
        ++pracks;
    EXPECT_EQ(pracks, limits::early_dialogs);
    bench.play("200t+");
    EXPECT_EQ(bench.state(), State::established) << "the answer of one that was not kept counts";
}

// limits::unwanted_answers: so many further branches get ACK and BYE, all others only their ACK.
TEST(Call, UnwantedAnswersHaveALimit) {
    Bench bench;
    bench.play("200a+");
    const auto count = [&](const std::string& word) {
        std::size_t found = 0;
        for (auto at = bench.log().find(word); at != std::string::npos;
             at = bench.log().find(word, at + 1))
            ++found;
        return found;
    };
    const auto tag = [](std::size_t n) {
        return std::string(1, static_cast<char>('b' + n / 10)).append(std::to_string(n % 10));
    };
    // The call itself is one of those that are kept.
    const std::size_t kept = limits::early_dialogs + limits::unwanted_answers - 1;
    for (std::size_t n = 0; n < kept; ++n) bench.play("LATE:200_" + tag(n) + "+");
    EXPECT_EQ(count("BYE"), kept) << bench.log();
    EXPECT_EQ(count("ACK"), kept + 1);
    bench.play("LATE:200_" + tag(kept) + "+");
    EXPECT_EQ(count("BYE"), kept) << "one past the limit";
    EXPECT_EQ(count("ACK"), kept + 2);
    EXPECT_EQ(bench.state(), State::established);
}

// RFC 3261 §14.1: who dialled waits 2.1 to 4 s, the other 0 to 2 s.
TEST(Call, WaitsAfterAGlare) {
    Bench ours;
    ours.play("200a+ hold RE:491a");
    auto before = ours.log();
    ours.pass(2099ms);
    EXPECT_EQ(ours.log(), before);
    ours.pass(1901ms);
    EXPECT_EQ(ours.log(), before + " re-INVITE");
    auto theirs = Bench::incoming();
    theirs.play("answer ack hold RE:491a");
    before = theirs.log();
    theirs.pass(2s);
    EXPECT_EQ(theirs.log(), before + " re-INVITE");
}

}  // namespace
}  // namespace holdfast::call
