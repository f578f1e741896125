// Recordings and conferences of a phone, one event after another (phone_of_notes.h). What is heard
// is in running_sound_test.cpp.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "apps/phone/phone_of_notes.h"
#include "live/scratch.h"
#include "media/limits.h"
#include "sdp/agreement.h"

namespace holdfast::phone {
namespace {

class PhoneSound : public PhoneOfNotes {
protected:
    void talks(std::uint32_t number) {
        rings(number);
        ASSERT_TRUE(phone->answer(CallRef{number}));
        sound_is_ready(number);
        happens(number, EventKind::answered);
        is_agreed(number);
    }
    void is_agreed(std::uint32_t number) {
        sdp::Agreement agreement;
        agreement.streams.push_back({.local = std::size_t{0}});
        phone->on_step(now, in::Time{},
                       {out::Media{.call = CallRef{number},
                                   .agreed = std::make_shared<const sdp::Agreement>(agreement)}});
    }
    template <class What>
    [[nodiscard]] std::vector<What> commands() const {
        std::vector<What> found;
        for (const auto& command : media.commands)
            if (const auto* what = std::get_if<What>(&command)) found.push_back(*what);
        return found;
    }
    CallView view(std::uint32_t number) {
        for (const auto& call : phone->calls())
            if (call.call == CallRef{number}) return call;
        ADD_FAILURE() << "no call " << number;
        return {};
    }
    void joined(std::uint32_t number, const std::vector<std::uint32_t>& members) {
        media::out::Joined event{.session = media::SessionId{number}};
        for (const auto member : members) event.members.emplace_back(member);
        sound_says(event);
    }
    static std::string error_of(const Done<CallRef>& done) { return done ? "" : done.error(); }

    live::ScratchDirectory scratch;
    const std::string path = (scratch.path() / "talk.wav").string();
};

TEST_F(PhoneSound, ACallIsRecordedUntilItIsNot) {
    EXPECT_NE(error_of(phone->record({}, path)), "") << "no call is answered";
    talks(11);
    EXPECT_NE(error_of(phone->stop_recording({})), "") << "nothing is recorded";
    ASSERT_TRUE(phone->record({}, path));
    ASSERT_EQ(commands<media::in::Record>().size(), 1U);
    EXPECT_EQ(commands<media::in::Record>()[0].session, media::SessionId{11});
    EXPECT_EQ(commands<media::in::Record>()[0].path, path);
    EXPECT_EQ(view(11).recording, path);
    EXPECT_NE(error_of(phone->record({}, path + ".mp3")).find("already, to \"" + path),
              std::string::npos);
    ASSERT_TRUE(phone->stop_recording({}));
    EXPECT_EQ(commands<media::in::StopRecording>().size(), 1U);
    EXPECT_EQ(view(11).recording, path) << "until its file is whole";
    sound_says(media::out::Recorded{.session = media::SessionId{11}, .path = path, .length = 3s});
    EXPECT_EQ(view(11).recording, "");
    is_agreed(11);
    EXPECT_EQ(commands<media::in::Record>().size(), 1U) << "a re-INVITE begins none anew";
    EXPECT_FALSE(phone->record({}, path)) << "it would be written over";
    EXPECT_TRUE(phone->record({}, (scratch.path() / "again.wav").string()));
}

// A full disk ends the recording, and not the call.
TEST_F(PhoneSound, ARecordingThatFailsIsNoneAnyMore) {
    talks(11);
    ASSERT_TRUE(phone->record({}, path));
    media::out::Failed failed{.session = media::SessionId{11}};
    failed.kind = media::out::FailureKind::dtmf;
    sound_says(failed);
    EXPECT_EQ(view(11).recording, path) << "something else has failed";
    failed.kind = media::out::FailureKind::recording;
    failed.sentence = "the disk is full";
    sound_says(failed);
    EXPECT_EQ(view(11).recording, "");
    EXPECT_EQ(view(11).stage, Stage::talking);
    EXPECT_EQ(told_of(EventKind::sound_failed).back().reason, "the disk is full");
}

TEST_F(PhoneSound, ADeviceThatGoesAndComesIsSaidAndEndsNoCall) {
    talks(11);
    const media::AudioEnd headset{.kind = media::EndKind::pulse, .name = "headset"};
    sound_says(media::out::DeviceLost{
        .session = media::SessionId{11}, .end = headset, .sentence = "pulse:headset: it is gone"});
    ASSERT_FALSE(told_of(EventKind::sound_failed).empty());
    EXPECT_EQ(told_of(EventKind::sound_failed).back().reason, "pulse:headset: it is gone");
    sound_says(media::out::DeviceFound{.session = media::SessionId{11}, .end = headset});
    ASSERT_FALSE(told_of(EventKind::notice).empty());
    EXPECT_EQ(told_of(EventKind::notice).back().reason, "pulse:headset is there again");
    EXPECT_EQ(view(11).stage, Stage::talking);
}

// Where there is no room for a file any more, the call goes on, and the user is told.
TEST_F(PhoneSound, AFileThatCannotBeMadeIsSaid) {
    settings.recordings = {.folder = scratch.path() / "gone", .format = "wav"};
    begin();
    talks(11);
    EXPECT_TRUE(commands<media::in::Record>().empty());
    const auto failed = told_of(EventKind::sound_failed);
    ASSERT_EQ(failed.size(), 1U);
    EXPECT_NE(failed[0].reason.find("is not recorded"), std::string::npos);
    EXPECT_EQ(view(11).stage, Stage::talking);
}

// From the answer on, each in a file of its own, also the call that follows another (RFC 3515).
TEST_F(PhoneSound, EveryCallIsRecordedIfThatIsWanted) {
    settings.recordings = {.folder = scratch.path(), .format = "opus"};
    begin();
    rings(11);
    ASSERT_TRUE(phone->answer({}));
    sound_is_ready(11);
    is_agreed(11);
    EXPECT_TRUE(commands<media::in::Record>().empty()) << "early media: it is not answered";
    happens(11, EventKind::answered);
    Event referred{.kind = EventKind::referred, .account = AccountId{1}, .call = CallRef{11}};
    referred.contact = "sip:carol@example.test";
    phone->on_event(now, referred);  // begins call 1
    sound_is_ready(1);
    happens(1, EventKind::answered);
    EXPECT_EQ(commands<media::in::Record>().size(), 1U) << "an offer that comes late: no sound yet";
    is_agreed(1);
    is_agreed(1);  // and a re-INVITE
    const auto recorded = commands<media::in::Record>();
    ASSERT_EQ(recorded.size(), 2U);
    EXPECT_TRUE(recorded[0].path.ends_with("_from_bob.opus")) << recorded[0].path;
    EXPECT_TRUE(recorded[1].path.ends_with("_to_carol.opus")) << recorded[1].path;
    EXPECT_EQ(std::filesystem::path(recorded[0].path).parent_path(), scratch.path());
    EXPECT_EQ(recorded[1].session, media::SessionId{1});
}

TEST_F(PhoneSound, CallsAreBroughtTogetherAndTakenApart) {
    talks(11);
    EXPECT_FALSE(phone->confer({})) << "of one call";
    talks(12);
    happens(12, EventKind::held, "by us");
    rings(13);
    EXPECT_FALSE(phone->confer({CallRef{11}, CallRef{13}})) << "it only rings";
    const auto members = phone->confer({});
    ASSERT_TRUE(members);
    EXPECT_EQ(*members, (std::vector{CallRef{11}, CallRef{12}}));
    ASSERT_EQ(commands<media::in::Join>().size(), 1U);
    EXPECT_EQ(commands<media::in::Join>()[0].session, media::SessionId{12});
    EXPECT_EQ(commands<media::in::Join>()[0].with, media::SessionId{11});
    const auto resumed = submitted<in::Resume>();  // nothing happens to one that is not on hold
    ASSERT_EQ(resumed.size(), 2U);
    EXPECT_EQ(resumed[1].call, CallRef{12}) << "who is on hold hears nobody";

    joined(12, {11, 12});
    EXPECT_EQ(view(11).conference, std::vector{CallRef{12}});
    EXPECT_EQ(view(12).conference, std::vector{CallRef{11}});
    EXPECT_EQ(told_of(EventKind::notice).back().reason,
              "a conference: calls 11 and 12 hear each other");
    talks(14);
    ASSERT_TRUE(phone->confer({CallRef{11}, CallRef{14}}));
    joined(14, {11, 12, 14});
    EXPECT_EQ(view(12).conference, (std::vector{CallRef{11}, CallRef{14}}));

    EXPECT_NE(error_of(phone->split({})).find("several"), std::string::npos);
    ASSERT_TRUE(phone->split(CallRef{12}));
    EXPECT_EQ(commands<media::in::Split>().size(), 1U);
    sound_says(media::out::Parted{media::SessionId{12}});
    EXPECT_TRUE(view(12).conference.empty());
    EXPECT_EQ(view(11).conference, std::vector{CallRef{14}});
    EXPECT_NE(error_of(phone->split(CallRef{12})), "") << "it is in none";
    happens(14, EventKind::call_ended, "hung up", 200);
    sound_says(media::out::Closed{media::SessionId{14}, {}});
    EXPECT_TRUE(view(11).conference.empty()) << "nobody is left";
}

// Who waits hears none of the others, and they nothing of what his phone plays meanwhile.
TEST_F(PhoneSound, WhoIsPutOnHoldLeavesTheConference) {
    for (const std::uint32_t number : {11U, 12U, 13U}) talks(number);
    ASSERT_TRUE(phone->confer({}));
    joined(12, {11, 12});
    joined(13, {11, 12, 13});
    happens(12, EventKind::held, "by the other side");
    EXPECT_TRUE(commands<media::in::Split>().empty());
    happens(12, EventKind::held, "by us");
    ASSERT_EQ(commands<media::in::Split>().size(), 1U);
    EXPECT_EQ(commands<media::in::Split>()[0].session, media::SessionId{12});
}

// A call whose sound is gone is in no conference, whenever that is told.
TEST_F(PhoneSound, WhoseSoundFailsIsInNoConference) {
    for (const std::uint32_t number : {11U, 12U, 13U}) talks(number);
    ASSERT_TRUE(phone->confer({}));
    joined(12, {11, 12});
    sound_fails(12, "the device is gone", true);
    EXPECT_TRUE(view(11).conference.empty());
    joined(13, {11, 12, 13});
    EXPECT_EQ(view(11).conference, std::vector{CallRef{13}});
}

// I8, and who is named twice is there once.
TEST_F(PhoneSound, AConferenceHasItsLimit) {
    std::vector<CallRef> all;
    for (std::uint32_t n = 1; n <= media::limits::parties + 1; ++n) {
        talks(100 + n);
        all.emplace_back(100 + n);
    }
    const auto refused = phone->confer({});
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().find("at most"), std::string::npos) << refused.error();
    EXPECT_TRUE(commands<media::in::Join>().empty()) << "all or nothing";
    all.back() = all.front();
    EXPECT_EQ(phone->confer(all)->size(), media::limits::parties);
    EXPECT_EQ(commands<media::in::Join>().size(), media::limits::parties - 1);
    EXPECT_FALSE(phone->confer({CallRef{101}, CallRef{101}}));
    joined(102, {101, 102, 103, 104, 105, 106, 107});
    const auto joins = commands<media::in::Join>().size();
    EXPECT_FALSE(phone->confer({CallRef{101}, CallRef{108}, CallRef{109}}))
        << "there are seven already";
    EXPECT_EQ(commands<media::in::Join>().size(), joins);
}

}  // namespace
}  // namespace holdfast::phone
