// What is typed at a running command, line by line, and what others find of the descriptor after
// it.
#include "apps/cli/typed_lines.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "runtime/descriptor.h"

namespace holdfast::cli {
namespace {

using namespace std::chrono_literals;

class Typed : public testing::Test {
protected:
    Typed() {
        std::array<int, 2> ends{};
        EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
        reads = runtime::Descriptor{ends[0]};
        writes = runtime::Descriptor{ends[1]};
    }
    void type(const std::string& text) const {
        EXPECT_EQ(::write(writes.get(), text.data(), text.size()),
                  static_cast<ssize_t>(text.size()));
    }
    [[nodiscard]] bool is_blocking() const {
        return (::fcntl(reads.get(), F_GETFL) & O_NONBLOCK) == 0;
    }
    bool run_until(const std::function<bool()>& goal) { return loop.run_until(goal, 10s); }

    runtime::Loop loop;
    runtime::Descriptor reads;
    runtime::Descriptor writes;
    std::vector<std::string> lines;
    int too_long = 0;
    TypedLines::Line take = [this](const std::string& line) { lines.push_back(line); };
    TypedLines::TooLong leave_out = [this] { ++too_long; };
};

TEST_F(Typed, LinesComeWholeHoweverTheyAreCut) {
    const TypedLines typed(loop, reads.get(), take, leave_out);
    type("sta");
    loop.run_until([] { return false; }, 10ms);
    type("tus\nhelp\nqu");
    ASSERT_TRUE(run_until([&] { return lines.size() == 2; }));
    type("it\n");
    ASSERT_TRUE(run_until([&] { return lines.size() == 3; }));
    EXPECT_EQ(lines, (std::vector<std::string>{"status", "help", "quit"}));
}

// The shell that has started us shares it: it must not find it non-blocking, however we end.
TEST_F(Typed, TheDescriptorStaysBlocking) {
    {
        const TypedLines typed(loop, reads.get(), take, leave_out);
        type("status\n");
        ASSERT_TRUE(run_until([&] { return lines.size() == 1; }));
        EXPECT_TRUE(is_blocking()) << "killed now, we could not put it right";
    }
    EXPECT_TRUE(is_blocking());
}

TEST_F(Typed, ALineThatIsTooLongIsLeftOutAndTheNextIsTaken) {
    const TypedLines typed(loop, reads.get(), take, leave_out);
    type(std::string(typed_line_most, 'x') + "\n");
    ASSERT_TRUE(run_until([&] { return lines.size() == 1; }));
    type(std::string(3 * typed_line_most, 'y') + "\nstatus\n");
    ASSERT_TRUE(run_until([&] { return lines.size() == 2; }));
    EXPECT_EQ(lines[1], "status");
    EXPECT_EQ(too_long, 1);
}

// The end of it is no reason to be called for ever.
TEST_F(Typed, TheEndEndsTheReading) {
    const TypedLines typed(loop, reads.get(), take, leave_out);
    ASSERT_TRUE(typed.reads());
    writes = {};
    ASSERT_TRUE(run_until([&] { return !typed.reads(); }));
}

}  // namespace
}  // namespace holdfast::cli
