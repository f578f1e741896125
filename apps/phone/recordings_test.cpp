#include "apps/phone/recordings.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "live/scratch.h"

namespace holdfast::phone {
namespace {

std::string end_of(const std::string& name) { return name.substr(name.find("_", 11) + 1); }

// What an other side is called comes from the net: of a path it chooses nothing.
TEST(Recordings, ANameSaysWhenAndWhoAndIsHarmless) {
    const auto name = recording_name(1'800'000'000, true, "Bob <sip:bob@example.test>", "wav");
    EXPECT_EQ(end_of(name), "from_bob.wav") << name;
    EXPECT_EQ(name.substr(0, 5), "2027-") << name;
    EXPECT_EQ(end_of(recording_name(0, false, "tel:+49-30-1234;ext=5", "opus")),
              "to_+49-30-1234.opus");
    EXPECT_EQ(end_of(recording_name(0, true, "sip:../../etc/pass wd\n@h", "mp3")),
              "from_______etc_pass_wd_.mp3");
    EXPECT_EQ(end_of(recording_name(0, true, "<sip:@h>", "wav")), "from_unknown.wav");
    EXPECT_EQ(end_of(recording_name(0, true, "sip:" + std::string(300, 'x') + "@h", "wav")),
              "from_" + std::string(64, 'x') + ".wav");
}

TEST(Recordings, TheFormatIsTheNamesEnd) {
    EXPECT_EQ(recording_format_of("/a/b.WAV"), "wav");
    EXPECT_EQ(recording_format_of("/a/b.opus"), "opus");
    EXPECT_EQ(recording_format_of("/a/b.ogg"), "ogg");
    EXPECT_EQ(recording_format_of("/a/b.mp3"), "mp3");
    for (const auto* other : {"/a/b", "/a/.wav", "/a/b.wave", "/a.wav/b", ""})
        EXPECT_EQ(recording_format_of(other), "") << other;
}

// Nothing that is there is written over, also by two who come at once; a link is not followed.
TEST(Recordings, NothingIsWrittenOver) {
    const live::ScratchDirectory scratch;
    const auto path = scratch.path() / "call.wav";
    EXPECT_EQ(claim_recording(scratch.path(), "call.wav"), path);
    EXPECT_EQ(std::filesystem::status(path).permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    std::filesystem::create_symlink(scratch.path() / "elsewhere", scratch.path() / "call-2.wav");
    EXPECT_EQ(claim_recording(scratch.path(), "call.wav"), scratch.path() / "call-3.wav");
    EXPECT_FALSE(std::filesystem::exists(scratch.path() / "elsewhere"));
    const auto refused = claim_recording(path);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().find("there already"), std::string::npos) << refused.error();
}

TEST(Recordings, WhatCannotBeRecordedToIsSaid) {
    const live::ScratchDirectory scratch;
    const auto why = [](const std::filesystem::path& path) {
        const auto claimed = claim_recording(path);
        return claimed ? "" : claimed.error();
    };
    EXPECT_NE(why("call.wav").find("is relative"), std::string::npos);
    EXPECT_NE(why(scratch.path() / "call.flac").find("ends in none"), std::string::npos);
    EXPECT_NE(why(scratch.path() / "none" / "call.wav").find("No such file"), std::string::npos);
    EXPECT_NE(why(scratch.path() / std::string("a\0.wav", 6)).find("control"), std::string::npos);
    EXPECT_NE(why(scratch.path() / "a\n.wav").find("control"), std::string::npos);
    EXPECT_FALSE(std::filesystem::exists(scratch.path() / "a"));
    EXPECT_EQ(why(scratch.path() / "call.wav"), "");
    const auto nowhere = claim_recording(scratch.path() / "none", "call.wav");
    ASSERT_FALSE(nowhere);
    EXPECT_NE(nowhere.error().find("No such file"), std::string::npos) << nowhere.error();
}

}  // namespace
}  // namespace holdfast::phone
