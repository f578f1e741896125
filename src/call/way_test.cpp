// What was sent and did not get there, or got there too late (RFC 3261 §8.1.3.1, §9.1, §13.2.2.4,
// §14.1): told as in call_test.cpp. Not tested here: which way a request takes
// (engine/call_way_test.cpp, tests/calls_moving_test.cpp).
#include <gtest/gtest.h>

#include "call/call_stories.h"
#include "call/limits.h"

namespace holdfast::call {
namespace {

// RFC 3261 §17.1.1.2, §9.1: after a 1xx no transaction ends a re-INVITE. Nothing rings in a call:
// one that is not answered in 32 s is cancelled, and without an answer to that the dialog is gone.
TEST(LostWay, AChangeThatIsAnsweredWith100AndNoMore) {
    tell_dialled({
        {"200a+ hold RE:100 wait>31", "ACK answered media re-INVITE"},
        {"200a+ hold RE:100 wait>33", "ACK answered media re-INVITE CANCEL"},
        {"200a+ hold RE:100 wait>33 RE:487a resume hold RE:200a+",
         "ACK answered media re-INVITE CANCEL notice re-INVITE ACK media held"},
        {"200a+ hold RE:100 wait>33 RE:200a+",
         "ACK answered media re-INVITE CANCEL ACK media held"},
        {"200a+ hold RE:100 wait>33 silence",
         "ACK answered media re-INVITE CANCEL BYE silence call_ended", over},
        {"200a+ hold RE:100 wait>20 RE:183a wait>20", "ACK answered media re-INVITE"},
        {"200a+ hold RE:100 wait>33 RE:100 wait>40", "ACK answered media re-INVITE CANCEL"},
        {"200a+ hold RE:100 RE:407a RE:200a+ wait>40",
         "ACK answered media re-INVITE re-INVITE ACK media held"},
        // Whoever says 100 for ever does not keep what the user has ended.
        {"200a+ hold RE:100 hangup wait>20 RE:100 wait>13",
         "ACK answered media re-INVITE BYE silence call_ended CANCEL", ending},
        {"200a+ hold RE:100 hangup BYE:200 RE:487a wait>33",
         "ACK answered media re-INVITE BYE silence call_ended", over},
        {"200a+ hold RE:100 hangup BYE:200 wait>33 silence",
         "ACK answered media re-INVITE BYE silence call_ended CANCEL", over},
    });
}

// F1: an INVITE that was given up on one server may ring there. However the next one answers, the
// call stays until it is cancelled, or an answer to it hung up, or nothing can come any more.
TEST(LostWay, AnInviteThatWasGivenUpIsSettled) {
    tell_dialled({
        {"left way 486", "INVITE call_ended", ending},
        {"left way 486 OLD:180b", "INVITE call_ended CANCEL", ending},
        {"left way 486 OLD:180b OLD:180b OLD:487b", "INVITE call_ended CANCEL", over},
        {"left way 486 OLD:200b+", "INVITE call_ended ACK BYE", ending},
        {"left way 486 OLD:200b+ OLD:200b+ BYE:200 wait>33", "INVITE call_ended ACK BYE ACK", over},
        {"left way 486 OLD:404b", "INVITE call_ended", over},
        {"left way 486 silence", "INVITE call_ended", over},
        {"left way hangup 200a+ OLD:180b", "INVITE call_ended ACK BYE CANCEL", ending},
        {"left OLD:180b", "CANCEL", calling},
        {"left OLD:200b+", "ACK BYE", calling},
        {"left hangup OLD:180b OLD:487b", "call_ended CANCEL", over},
        {"left way OLD:180b OLD:180b 200a+ OLD:487b", "INVITE CANCEL ACK answered media"},
        // Its connection is gone: nothing can come.
        {"unheard way 486", "INVITE call_ended", over},
    });
}

// RFC 3263 §4.3: an INVITE goes to one target after the other, up to a limit, and ends with what
// the last one said. Where there is no way at all it does not wait so often.
TEST(LostWay, AnInviteGoesToEachTarget) {
    for (const auto& [lost, status] : {std::pair("unavailable", 503), std::pair("unheard", 408)}) {
        Bench bench = Bench::direct();
        for (std::size_t i = 0; i < limits::targets; ++i) {
            bench.play(lost);
            bench.play("way");
        }
        EXPECT_EQ(bench.state(), calling) << bench.log();
        bench.play(lost);
        EXPECT_EQ(bench.state(), over) << bench.log();
        EXPECT_EQ(bench.events().back().status, status) << bench.log();
    }
    Bench bench = Bench::direct();
    bench.play("unheard way");
    for (std::size_t i = 0; i < limits::ways; ++i) bench.play("noway way");
    EXPECT_EQ(bench.state(), calling) << bench.log();
    bench.play("noway");
    EXPECT_EQ(bench.state(), over) << bench.log();
}

// RFC 3261 §13.2.2.4: who has accepted a re-INVITE that was given up waits for its ACK.
TEST(LostWay, AChangeThatWasGivenUpIsSettled) {
    tell_dialled({
        {"200a+ hold left OLDER:200a+", "ACK answered media re-INVITE ACK"},
        {"200a+ hold left way RE:200a+ OLDER:200a+ OLDER:200a+",
         "ACK answered media re-INVITE ACK re-INVITE ACK media held ACK ACK"},
        {"200a+ hold left way OLDER:100 OLDER:180a",
         "ACK answered media re-INVITE ACK re-INVITE CANCEL"},
        {"200a+ hold left hangup BYE:200 OLDER:200a+ wait>33",
         "ACK answered media re-INVITE BYE silence call_ended ACK", over},
        {"200a+ hold left hangup BYE:200 wait>33",
         "ACK answered media re-INVITE BYE silence call_ended", ending},
    });
}

// L8: a new Contact that was refused is told again later, which holds nothing else up; what goes
// out meanwhile tells it as well. Nobody is kept from it for longer than limits::longest_wait.
TEST(LostWay, ARefusedContactHoldsNothingUp) {
    tell_dialled({
        {"200a+ moved UPDATE:503a>4000 hold RE:200a+ wait>400",
         "ACK answered media UPDATE notice re-INVITE ACK media held"},
        {"200a+ moved UPDATE:488a hold RE:488a wait>11",
         "ACK answered media UPDATE notice re-INVITE notice"},
        {"200a+ moved UPDATE:488a hold RE:488a wait>21",
         "ACK answered media UPDATE notice re-INVITE notice UPDATE"},
        {"200a+ moved UPDATE:503a>4000 wait>319", "ACK answered media UPDATE notice"},
        {"200a+ moved UPDATE:503a>4000 wait>321", "ACK answered media UPDATE notice UPDATE"},
        // Nor is it forgotten, or hurried, when the refusal could not be read.
        {"200a+ moved UPDATE:405a long>488 moved wait>9",
         "ACK answered media UPDATE re-INVITE notice"},
        {"200a+ moved UPDATE:405a long>488 wait>11",
         "ACK answered media UPDATE re-INVITE notice re-INVITE"},
    });
}

}  // namespace
}  // namespace holdfast::call
