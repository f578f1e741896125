// A Printer that keeps never waits for its reader, and says how much it had to leave out.
#include "apps/cli/terminal.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <csignal>

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

}  // namespace
}  // namespace holdfast::cli
