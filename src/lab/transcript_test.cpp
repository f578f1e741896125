// A transcript keeps what a page shows of a run, whole, and no more than it may: of each chapter
// the first lines, and where others were, how many.
#include "lab/transcript.h"

#include <gtest/gtest.h>

namespace holdfast::lab {
namespace {

using namespace std::chrono_literals;

Packet packet(std::string bytes) {
    return {.kind = PacketKind::datagram,
            .from = *Endpoint::parse("192.0.2.20:40000"),
            .to = *Endpoint::parse("203.0.113.11:5060"),
            .bytes = std::move(bytes)};
}

Instant at(Duration since_zero) { return Instant{since_zero}; }

const std::string a_register = "REGISTER sip:example.test SIP/2.0\r\n\r\n";
const std::string a_call =
    "OPTIONS sip:alice@example.test SIP/2.0\r\nFrom: <sip:caller@caller.test>;tag=c1\r\n\r\n";

TEST(Transcript, KnowsWhatAPacketIsAbout) {
    Transcript transcript({});
    auto segment = packet("");
    segment.kind = PacketKind::ack;
    auto reset = packet("");
    reset.kind = PacketKind::reset;
    const std::vector<Packet> packets{packet(a_register),
                                      packet(a_call),
                                      packet("\r\n\r\n"),
                                      packet(std::string(4, '\0')),
                                      packet(std::string("\0\1", 2)),
                                      segment,
                                      reset};
    for (std::size_t i = 0; i < packets.size(); ++i)
        transcript.record(i, {}, packets[i], "alice", "node1");
    std::vector<About> seen;
    for (const auto& line : transcript.lines()) seen.push_back(line.about);
    EXPECT_EQ(seen, (std::vector<About>{About::signalling, About::call, About::keep_alive,
                                        About::keep_alive, About::keep_alive, About::segment,
                                        About::signalling}));
}

TEST(Transcript, AFateFindsItsLineAndNoOther) {
    Transcript transcript({});
    transcript.record(7, {}, packet(a_register), "alice", "node1");
    transcript.note(8, {}, "something happens");
    transcript.record(9, {}, packet(a_register), "node1", "home");
    transcript.fate(9, "dropped by NAT");
    transcript.fate(8, "lost");    // a note has none
    transcript.fate(100, "lost");  // nor has what is not kept
    transcript.handed_on(7, *Endpoint::parse("10.0.0.1:5060"), "alice");
    const auto& lines = transcript.lines();
    ASSERT_EQ(lines.size(), 3U);
    EXPECT_EQ(lines[0].fate, "");
    EXPECT_EQ(lines[0].to, "alice");
    EXPECT_EQ(lines[0].inside, Endpoint::parse("10.0.0.1:5060"));
    EXPECT_EQ(lines[1].fate, "");
    EXPECT_EQ(lines[2].fate, "dropped by NAT");
}

// Ten lines for two chapters: five for each, and calls do not take them from REGISTERs.
TEST(Transcript, OfEachChapterTheFirstLinesAreKeptAndTheOthersCounted) {
    Transcript transcript(
        {.signalling_most = 10, .routine_most = 4, .answers_most = 1, .chapters = {at(100s)}});
    std::size_t number = 0;
    for (int second = 0; second < 200; ++second) {
        transcript.record(number++, at(second * 1s), packet(a_register), "alice", "node1");
        transcript.record(number++, at(second * 1s), packet(a_call), "caller1", "node1");
    }
    const auto& lines = transcript.lines();
    ASSERT_EQ(lines.size(), 16U);  // ten, four, and two gaps
    EXPECT_EQ(lines[4].at, at(2s));
    EXPECT_TRUE(lines[5].is_gap);  // the third call of the first chapter
    EXPECT_EQ(lines[5].left_out, 95U);
    EXPECT_EQ(lines[5].left_out_routine, 98U);
    EXPECT_EQ(lines[8].at, at(100s));
    EXPECT_TRUE(lines[13].is_gap);
    EXPECT_EQ(lines[13].left_out, 95U);
    EXPECT_EQ(lines[13].left_out_routine, 98U);
}

// A quiet chapter leaves the rest of its lines to the next one.
TEST(Transcript, WhatOneChapterDoesNotUseTheNextMay) {
    Transcript transcript({.signalling_most = 10, .routine_most = 2, .chapters = {at(100s)}});
    transcript.record(0, at(1s), packet(a_register), "alice", "node1");
    for (std::size_t i = 1; i < 21; ++i)
        transcript.record(i, at(100s), packet(a_register), "alice", "node1");
    EXPECT_EQ(transcript.lines().size(), 11U);
    EXPECT_EQ(transcript.lines().back().left_out, 11U);
}

TEST(Transcript, AnswersAreBoundedToo) {
    Transcript transcript({.answers_most = 2});
    for (int i = 0; i < 5; ++i) transcript.answer({at(i * 1s), "alice", {"example.test"}, {}});
    EXPECT_EQ(transcript.answers().size(), 2U);
    EXPECT_EQ(transcript.answers_left_out(), 3U);
}

}  // namespace
}  // namespace holdfast::lab
