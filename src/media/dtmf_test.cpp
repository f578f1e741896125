#include "media/dtmf.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "media/limits.h"

namespace holdfast::media {
namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t clock_rate = 8000;
constexpr std::uint32_t samples = 160;  // 20 ms

// What goes in place of the next `packets` audio packets.
std::vector<std::optional<DtmfSender::Packet>> run(DtmfSender& sender, int packets) {
    std::vector<std::optional<DtmfSender::Packet>> all;
    for (int n = 0; n < packets; ++n)
        all.push_back(sender.replace(static_cast<std::uint32_t>(n) * samples, samples, clock_rate));
    return all;
}

// RFC 4733 §2.5.1: one timestamp, a marker at the begin, a duration that grows, an end said three
// times.
TEST(DtmfSender, OneDigitIsOneEvent) {
    DtmfSender sender;
    ASSERT_TRUE(sender.queue("5", 100ms));
    const auto packets = run(sender, 8);
    for (std::size_t n = 0; n < 7; ++n) {
        ASSERT_TRUE(packets[n]) << n;
        EXPECT_EQ(packets[n]->timestamp, 0U);
        EXPECT_EQ(packets[n]->marker, n == 0);
        EXPECT_EQ(packets[n]->payload[0], 5);
        const auto duration = packets[n]->payload[2] << 8 | packets[n]->payload[3];
        EXPECT_EQ(duration, std::min<int>(static_cast<int>(n + 1) * 160, 800));
        EXPECT_EQ(packets[n]->payload[1] >> 7, n >= 4 ? 1 : 0) << n;
    }
    EXPECT_FALSE(packets[7]) << "sound again";
}

TEST(DtmfSender, DigitsAreApartAndACommaIsASecond) {
    DtmfSender sender;
    ASSERT_TRUE(sender.queue("1,2", 40ms));
    const auto packets = run(sender, 80);
    std::vector<int> begins;
    for (int n = 0; n < 80; ++n) {
        if (packets[static_cast<std::size_t>(n)] && packets[static_cast<std::size_t>(n)]->marker)
            begins.push_back(n);
    }
    // 2 packets of digit, 2 more that say its end, 60 ms, 1 s.
    EXPECT_EQ(begins, (std::vector{0, 4 + 3 + 50}));
    EXPECT_TRUE(sender.idle() || packets.back() == std::nullopt);
}

TEST(DtmfSender, RefusesWhatIsNoDigitAndMoreThanTheLimit) {
    DtmfSender sender;
    EXPECT_FALSE(sender.queue("12e", 100ms));
    EXPECT_TRUE(sender.idle()) << "nothing of it is sent";
    EXPECT_TRUE(sender.queue(std::string(limits::dtmf_digits, '1'), 100ms));
    EXPECT_FALSE(sender.queue("1", 100ms));
}

// RFC 4733 §2.3.5: 16 bits; at 48 kHz that is 1.36 s.
TEST(DtmfSender, DurationFitsItsField) {
    DtmfSender sender;
    ASSERT_TRUE(sender.queue("9", 8s));
    int packets = 0;
    while (sender.replace(0, 960, 48000)) ASSERT_LT(++packets, 100);
    EXPECT_EQ(packets, 65535 / 960 + 1 + 2);
}

TEST(DtmfReceiver, TellsEachDigitOnceWhateverIsLost) {
    DtmfReceiver receiver;
    const std::array<std::uint8_t, 4> begin{11, 10, 0, 160};
    const std::array<std::uint8_t, 4> end{11, 0x8a, 3, 32};
    EXPECT_EQ(receiver.on_packet(1000, begin), '#');
    EXPECT_EQ(receiver.on_packet(1000, end), std::nullopt);
    EXPECT_EQ(receiver.on_packet(1000, end), std::nullopt);
    EXPECT_EQ(receiver.on_packet(3000, end), '#') << "only its end arrived";
    EXPECT_EQ(receiver.on_packet(1000, end), std::nullopt) << "late";
    EXPECT_EQ(receiver.on_packet(5000, std::array<std::uint8_t, 4>{16, 10, 0, 160}), std::nullopt)
        << "flash is no digit";
    EXPECT_EQ(receiver.on_packet(7000, std::array<std::uint8_t, 3>{1, 10, 0}), std::nullopt)
        << "too short";
}

TEST(Dtmf, EveryDigitHasItsEvent) {
    const std::string digits = "0123456789*#ABCD";
    for (std::size_t n = 0; n < digits.size(); ++n) {
        EXPECT_EQ(event_of_digit(digits[n]), n);
        EXPECT_EQ(digit_of_event(static_cast<std::uint8_t>(n)), digits[n]);
    }
    EXPECT_EQ(event_of_digit('d'), 15);
    EXPECT_FALSE(event_of_digit('E'));
    EXPECT_FALSE(digit_of_event(16));
}

}  // namespace
}  // namespace holdfast::media
