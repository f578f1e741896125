// A phone without an account, one event after another (phone_of_notes.h). Whole ones call each
// other in running_direct_test.cpp.
#include <gtest/gtest.h>

#include "apps/phone/phone_of_notes.h"
#include "registration/waiting.h"

namespace holdfast::phone {
namespace {

constexpr AccountId host{1};
constexpr AccountId of_the_call{2};

class PhoneWithoutAccount : public PhoneOfNotes {
protected:
    PhoneWithoutAccount() {
        auto& account = settings.accounts.front();
        account.aor = "sip:alice@0.0.0.0";
        account.direct_to = registration::waits_at(5060);
        account.transport = Transport::udp;
        account.policy.accept_direct_calls = true;
        begin();
        phone->begin();
    }
    void account_says(EventKind kind, const std::string& reason = "") {
        Event event{.kind = kind, .account = of_the_call};
        event.target = Target{Transport::udp, {IpAddress::v4(192, 0, 2, 7), 5060}};
        event.reason = reason;
        phone->on_event(now, event);
    }
    [[nodiscard]] std::size_t sounds_opened() const {
        std::size_t found = 0;
        for (const auto& command : media.commands)
            found += std::holds_alternative<media::in::Open>(command) ? 1U : 0U;
        return found;
    }
};

// RFC 3263: the way is found for the URI that is called; the account goes with the call. Nobody but
// whom it calls is heard by it (§11 d).
TEST_F(PhoneWithoutAccount, MakesAnAccountForEachCall) {
    const auto call = phone->dial("sip:bob@192.0.2.7", "");
    ASSERT_TRUE(call) << call.error();
    const auto added = submitted<in::AddAccount>();
    ASSERT_EQ(added.size(), 2u);
    EXPECT_EQ(added[0].account, host);
    EXPECT_EQ(added[1].account, of_the_call);
    EXPECT_EQ(added[1].config.direct_to, "sip:bob@192.0.2.7");
    EXPECT_EQ(added[1].config.transport, std::nullopt);
    EXPECT_FALSE(added[1].config.policy.accept_direct_calls);
    EXPECT_TRUE(added[1].config.takes_calls);
    EXPECT_EQ(sounds_opened(), 0u) << "which address leads there is not known yet";
    account_says(EventKind::connected);
    ASSERT_EQ(sounds_opened(), 1u);
    account_says(EventKind::connected);  // by another way: the call goes on
    EXPECT_EQ(sounds_opened(), 1u);
    sound_is_ready(call->value);
    const auto dialled = submitted<in::Dial>();
    ASSERT_EQ(dialled.size(), 1u);
    EXPECT_EQ(dialled[0].account, of_the_call);
    EXPECT_EQ(dialled[0].uri, "sip:bob@192.0.2.7");
    EXPECT_TRUE(submitted<in::RemoveAccount>().empty());
    happens(call->value, EventKind::call_ended);
    sound_says(media::out::Closed{media::SessionId{call->value}});
    ASSERT_EQ(pasts.size(), 1u);
    EXPECT_EQ(pasts[0].account, direct_call);
    const auto removed = submitted<in::RemoveAccount>();
    ASSERT_EQ(removed.size(), 1u);
    EXPECT_EQ(removed[0].account, of_the_call);
}

// Nobody is there, or the user does not wait for it: the call ends, and with it its account.
TEST_F(PhoneWithoutAccount, ACallWithoutAWayEnds) {
    for (const bool hangs_up : {false, true}) {
        const auto call = phone->dial("sip:bob@no-such-name.test", "");
        ASSERT_TRUE(call) << call.error();
        if (hangs_up) {
            EXPECT_TRUE(phone->hang_up(*call));
        } else {
            account_says(EventKind::not_connected, "no-such-name.test does not exist");
        }
        EXPECT_TRUE(phone->calls().empty());
        ASSERT_FALSE(told_of(EventKind::call_ended).empty() || pasts.empty());
        EXPECT_EQ(told_of(EventKind::call_ended).back().reason,
                  hangs_up ? "hung up" : "no-such-name.test does not exist");
        EXPECT_EQ(pasts.back().outcome, hangs_up ? "cancelled" : "failed");
    }
    EXPECT_EQ(submitted<in::RemoveAccount>().size(), 2u);
    EXPECT_EQ(sounds_opened(), 0u);
}

// RFC 3891: another call that its other side has put into its place is the account's too.
TEST_F(PhoneWithoutAccount, TheAccountGoesWithItsLastCall) {
    const auto call = phone->dial("sip:bob@192.0.2.7", "");
    ASSERT_TRUE(call) << call.error();
    account_says(EventKind::connected);
    sound_is_ready(call->value);
    constexpr std::uint32_t second = 0x8000'0001;
    Event ring{.kind = EventKind::ring, .account = of_the_call, .call = CallRef{second}};
    ring.reason = "sip:carol@192.0.2.8";
    phone->on_event(now, ring);
    happens(call->value, EventKind::call_ended);
    sound_says(media::out::Closed{media::SessionId{call->value}});
    ASSERT_EQ(phone->calls().size(), 1u);
    EXPECT_TRUE(submitted<in::RemoveAccount>().empty()) << "carol would be hung up on";
    happens(second, EventKind::call_ended);
    EXPECT_TRUE(phone->calls().empty());
    EXPECT_EQ(submitted<in::RemoveAccount>().size(), 1u);
}

// There is no domain that a number or a name could be of.
TEST_F(PhoneWithoutAccount, CallsWholeUrisAlone) {
    for (const auto* const whom : {"bob", "0301234", "tel:+49301234"}) {
        const auto call = phone->dial(whom, "");
        ASSERT_FALSE(call) << whom;
        EXPECT_NE(call.error().find("Without an account only a whole URI can be called"),
                  std::string::npos)
            << call.error();
    }
    EXPECT_EQ(phone->call_voicemail("").error(),
              "This phone, without an account, has no voicemail number: say it with --voicemail, "
              "or as voicemail = \"NUMBER\" in the configuration");
    EXPECT_EQ(submitted<in::AddAccount>().size(), 1u);
}

TEST_F(PhoneWithoutAccount, RingsForWhoeverCalls) {
    rings(0x8000'0001, "sip:bob@192.0.2.7");
    ASSERT_EQ(phone->calls().size(), 1u);
    EXPECT_EQ(phone->calls()[0].account, direct_call);
    ASSERT_EQ(phone->accounts().size(), 1u);
    EXPECT_EQ(phone->accounts()[0].aor, direct_call);
    EXPECT_TRUE(phone->answer(std::nullopt));
    EXPECT_EQ(sounds_opened(), 1u);
    EXPECT_TRUE(submitted<in::RemoveAccount>().empty());
}

}  // namespace
}  // namespace holdfast::phone
