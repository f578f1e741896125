// The command on a terminal: the password is asked for without showing it, and the status is drawn
// in place.
#include <gtest/gtest.h>
#include <pty.h>
#include <termios.h>

#include "apps/cli/command_testing.h"

namespace holdfast::cli {
namespace {

using testing::Registrar;

// The command with a pseudo-terminal as its standard input, output and error.
class TerminalRun {
public:
    TerminalRun(const std::string& aor, const std::string& state, bool colour) {
        winsize size{.ws_row = 24, .ws_col = 60, .ws_xpixel = 0, .ws_ypixel = 0};
        pid_ = ::forkpty(&fd_, nullptr, nullptr, &size);
        if (pid_ == 0) {
            ::unsetenv("HOLDFAST_PASSWORD");
            ::setenv("TERM", "xterm", 1);
            if (colour)
                ::unsetenv("NO_COLOR");
            else
                ::setenv("NO_COLOR", "1", 1);
            ::execl(HOLDFAST_COMMAND, HOLDFAST_COMMAND, "register", aor.c_str(), "--transport",
                    "udp", "--state", state.c_str(), nullptr);
            ::_exit(127);
        }
        ::fcntl(fd_, F_SETFL, O_NONBLOCK);
    }
    TerminalRun(const TerminalRun&) = delete;
    TerminalRun& operator=(const TerminalRun&) = delete;
    ~TerminalRun() {
        ::close(fd_);
        if (ended_) return;
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    void type(std::string_view text) const {
        EXPECT_EQ(::write(fd_, text.data(), text.size()), std::ssize(text));
    }
    bool shows(std::string_view text) {
        std::array<char, 65536> buffer{};
        for (ssize_t size = 1; size > 0;)
            if (size = ::read(fd_, buffer.data(), buffer.size()); size > 0)
                screen_.append(buffer.data(), static_cast<std::size_t>(size));
        return screen_.find(text) != std::string::npos;
    }
    bool ended() {
        int status = 0;
        shows("");
        if (!ended_ && ::waitpid(pid_, &status, WNOHANG) == pid_) {
            ended_ = true;
            exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        }
        return ended_;
    }
    [[nodiscard]] int exit_code() const { return exit_code_; }
    [[nodiscard]] const std::string& screen() const { return screen_; }

private:
    pid_t pid_ = -1;
    int fd_ = -1;
    std::string screen_;
    bool ended_ = false;
    int exit_code_ = -1;
};

class CommandTerminalTest : public testing::Bench {
protected:
    std::string state() const { return (directory / "state").string(); }
};

TEST_F(CommandTerminalTest, AsksForThePasswordAndShowsTheStatusInPlace) {
    registrar.answer = [](const std::string& request, const sockaddr_in& from) {
        const bool asks =
            request.starts_with("REGISTER") && request.find("Authorization:") == std::string::npos;
        return asks ? Registrar::challenge(request, from, "n1") : Registrar::accept(request, from);
    };
    TerminalRun run{registrar.aor(), state(), true};
    ASSERT_TRUE(run_until([&] { return run.shows("Password for " + registrar.aor() + ": "); }))
        << run.screen();
    run.type(
        "tops\x7f"
        "secret\n");
    ASSERT_TRUE(run_until([&] { return run.shows("registered since"); })) << run.screen();
    EXPECT_FALSE(run.shows("tops")) << run.screen();
    EXPECT_FALSE(run.shows("secret")) << run.screen();
    EXPECT_TRUE(run.shows("\x1b[J")) << run.screen();
    EXPECT_TRUE(run.shows("\x1b[32m")) << run.screen();
    run.type("\x03");  // ctrl-C
    ASSERT_TRUE(run_until([&] { return run.ended(); })) << run.screen();
    EXPECT_EQ(run.exit_code(), 0) << run.screen();
}

TEST_F(CommandTerminalTest, ControlCAtThePromptEndsItWithItsCode) {
    TerminalRun run{registrar.aor(), state(), false};
    ASSERT_TRUE(run_until([&] { return run.shows("Password for"); })) << run.screen();
    run.type("\x03");
    ASSERT_TRUE(run_until([&] { return run.ended(); })) << run.screen();
    EXPECT_EQ(run.exit_code(), 4) << run.screen();
    EXPECT_TRUE(registrar.requests.empty());
}

TEST_F(CommandTerminalTest, NoColorIsHonoured) {
    TerminalRun run{registrar.aor(), state(), false};
    ASSERT_TRUE(run_until([&] { return run.shows("Password for"); })) << run.screen();
    run.type("secret\n");
    ASSERT_TRUE(run_until([&] { return run.shows("registered since"); })) << run.screen();
    EXPECT_FALSE(run.shows("\x1b[32m")) << run.screen();
    EXPECT_FALSE(run.shows("\x1b[1m")) << run.screen();
}

}  // namespace
}  // namespace holdfast::cli
