// A Printer that keeps never waits for its reader, and says how much it had to leave out.
#include "apps/cli/terminal.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <memory>

#include "runtime/descriptor.h"

namespace holdfast::cli {
namespace {

class PrinterTest : public ::testing::Test {
protected:
    PrinterTest() {
        EXPECT_EQ(::pipe(ends.data()), 0);
        ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
    }
    ~PrinterTest() override {
        ::close(ends[0]);
        ::close(ends[1]);
    }
    std::size_t read_all() const {
        std::array<char, 65536> text{};
        std::size_t total = 0;
        for (ssize_t size = 1; size > 0; total += size > 0 ? static_cast<std::size_t>(size) : 0)
            size = ::read(ends[0], text.data(), text.size());
        return total;
    }
    std::array<int, 2> ends{};
};

// I8: what a server says is shown, not obeyed by the terminal, whatever octets it is made of.
TEST(Printable, ShowsWhatWouldBeObeyed) {
    EXPECT_EQ(printable("Not found\n\t– nicht gefünden €, 𝄞"),
              "Not found\n\t– nicht gefünden €, 𝄞");
    EXPECT_EQ(printable("\x1b[2J\x07\x7f"), "\\x1b[2J\\x07\\x7f");
    EXPECT_EQ(printable(std::string_view("a\0b", 3)), "a\\x00b");
    EXPECT_EQ(printable("\xc2\x9b"
                        "2J"),
              "\\xc2\\x9b"
              "2J")
        << "C1, both octets: the second alone is a control in an 8-bit terminal";
    EXPECT_EQ(printable("\u202eabc\u2066\u2028"),
              "\\xe2\\x80\\xaeabc\\xe2\\x81\\xa6\\xe2\\x80\\xa8");
}

TEST(Printable, ShowsWhatIsNoUtf8) {
    EXPECT_EQ(printable("\x9b"), "\\x9b");
    EXPECT_EQ(printable("\xff\xfe"), "\\xff\\xfe");
    EXPECT_EQ(printable("\xc0\x80"), "\\xc0\\x80") << "not the shortest form";
    EXPECT_EQ(printable("\xe0\x80\xaf"), "\\xe0\\x80\\xaf");
    EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "a surrogate";
    EXPECT_EQ(printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80") << "above U+10FFFF";
    EXPECT_EQ(printable("\xe2\x82"), "\\xe2\\x82") << "cut off";
    EXPECT_EQ(printable("\xe2 x"), "\\xe2 x");
}

TEST_F(PrinterTest, KeepsWhatCannotBeWrittenAndLosesNothing) {
    Printer printer(ends[1], Printer::Patience::keeps);
    const std::string line(1000, 'x');
    for (int i = 0; i < 500; ++i) printer.write(line);
    EXPECT_TRUE(printer.has_kept());
    std::size_t seen = 0;
    for (int i = 0; i < 100 && printer.has_kept(); ++i) {
        seen += read_all();
        printer.flush();
    }
    EXPECT_EQ(seen + read_all(), 500'000U);
    EXPECT_EQ(printer.take_lost(), 0U);
    EXPECT_FALSE(printer.broken());
}

TEST_F(PrinterTest, CountsWhatIsTooMuchAndTellsOnce) {
    Printer printer(ends[1], Printer::Patience::keeps);
    const std::string line(100'000, 'x');
    for (int i = 0; i < 20; ++i) printer.write(line);
    EXPECT_EQ(printer.take_lost(), 0U) << "not before there is room to say it";
    for (int i = 0; i < 100 && printer.has_kept(); ++i) {
        read_all();
        printer.flush();
    }
    EXPECT_GE(printer.take_lost(), 8U);
    EXPECT_EQ(printer.take_lost(), 0U);
}

TEST_F(PrinterTest, BreaksWhenTheReaderHasGone) {
    std::signal(SIGPIPE, SIG_IGN);
    ::close(ends[0]);
    ends[0] = -1;
    Printer printer(ends[1]);
    printer.write("x");
    EXPECT_TRUE(printer.broken());
}

// A log on a full disk; here a file that may not grow, which takes half a line before it says so.
TEST(PrinterOnAFullDisk, KeepsWhatItDoesNotTakeAndSaysSoOnce) {
    std::signal(SIGXFSZ, SIG_IGN);
    const auto file = std::unique_ptr<std::FILE, int (*)(std::FILE*)>(std::tmpfile(), std::fclose);
    ASSERT_NE(file, nullptr);
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
    rlimit small = before;
    small.rlim_cur = 1500;
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    Printer printer(::fileno(file.get()), Printer::Patience::keeps);
    for (const char c : {'a', 'b', 'c'}) printer.write(std::string(1000, c));
    const auto trouble = printer.take_trouble();
    const auto again = printer.take_trouble();
    printer.finish();
    const auto unwritten = printer.unwritten();
    const std::string much(1024 * 1024, 'd');
    printer.write(much);
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
    EXPECT_TRUE(trouble.starts_with("The output cannot be written: File too large. Make room"))
        << trouble;
    EXPECT_EQ(again, "");
    EXPECT_EQ(unwritten, "The output lacks its end, 1500 octets: File too large");
    EXPECT_FALSE(printer.broken());
    printer.flush();
    EXPECT_FALSE(printer.has_kept());
    EXPECT_EQ(printer.unwritten(), "");
    EXPECT_EQ(printer.take_lost(), 1U) << "what was too much";
    EXPECT_EQ(printer.why_lost(), "File too large");
    std::string text(4000, '\0');
    ASSERT_EQ(std::fseek(file.get(), 0, SEEK_SET), 0);
    text.resize(std::fread(text.data(), 1, text.size(), file.get()));
    EXPECT_EQ(text, std::string(1000, 'a') + std::string(1000, 'b') + std::string(1000, 'c'));
}

// A command that prints and ends does not wait for room.
TEST(PrinterOnAFullDisk, WhoWaitsForNobodyIsBroken) {
    const runtime::Descriptor full{::open("/dev/full", O_WRONLY | O_CLOEXEC)};
    ASSERT_TRUE(full);
    Printer printer(full.get());
    printer.write("x");
    EXPECT_TRUE(printer.broken());
}

}  // namespace
}  // namespace holdfast::cli
