// The control socket: lines in and out, the user's alone, one phone at a place, and nothing that a
// client can make grow without end.
#include "runtime/control_socket.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <list>

#include "runtime/test_support.h"

namespace {
bool no_descriptor_for_programs = false;
}

// Whoever connects finds the process without a descriptor while that is set. (To take all of them
// away takes them from UBSan too, which asks the kernel about objects through a pipe.)
extern "C" int accept4(int socket, sockaddr* address, socklen_t* length, int flags) {
    if (no_descriptor_for_programs) {
        errno = EMFILE;
        return -1;
    }
    return static_cast<int>(::syscall(SYS_accept4, socket, address, length, flags));
}

namespace holdfast::runtime {
namespace {

using namespace test;

class Program {  // at the other end
public:
    explicit Program(const std::filesystem::path& path) {
        auto connected = connect_to_control(path);
        EXPECT_TRUE(connected) << connected.error();
        if (connected) socket = *std::move(connected);
    }
    void say(std::string_view text) const {
        EXPECT_EQ(::send(socket.get(), text.data(), text.size(), MSG_NOSIGNAL),
                  static_cast<ssize_t>(text.size()));
    }
    void read() {
        std::array<char, 65536> buffer{};
        for (ssize_t size = 1; size > 0;) {
            size = ::recv(socket.get(), buffer.data(), buffer.size(), 0);
            if (size > 0) heard.append(buffer.data(), static_cast<std::size_t>(size));
            if (size == 0 || (size < 0 && errno == ECONNRESET)) ended = true;
        }
    }
    Descriptor socket;
    std::string heard;
    bool ended = false;
};

class Control : public testing::Test {
protected:
    std::expected<std::unique_ptr<ControlSocket>, std::string> open() {
        return ControlSocket::open(
            loop, path,
            {.line =
                 [this](ControlClient client, std::string_view line) {
                     lines.emplace_back(line);
                     last = client;
                     if (answering != nullptr) answering->send(client, answer);
                 },
             .gone = [this](ControlClient) { ++gone; },
             .notice = [this](std::string sentence) { notices.push_back(std::move(sentence)); },
             .too_long = "too long",
             .too_many = "too many"});
    }
    [[nodiscard]] mode_t mode_of(const std::filesystem::path& file) const {
        struct stat status{};
        EXPECT_EQ(::lstat(file.c_str(), &status), 0);
        return status.st_mode & 07777U;
    }
    bool run_until(const std::function<bool()>& goal) { return loop.run_until(goal, limit); }

    TemporaryDirectory directory;
    std::filesystem::path path = directory.path() / "holdfast" / "phone.sock";
    Loop loop;
    std::vector<std::string> lines;
    std::vector<std::string> notices;
    ControlClient last;
    ControlSocket* answering = nullptr;  // each line with the answer, if there is one
    std::string answer;
    int gone = 0;
};

// No more descriptors than are open now.
class NoDescriptorLeft {
public:
    NoDescriptorLeft() {
        EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &before_), 0);
        const Descriptor next{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
        auto none = before_;
        none.rlim_cur = static_cast<rlim_t>(next.get());
        EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
    }
    NoDescriptorLeft(const NoDescriptorLeft&) = delete;
    NoDescriptorLeft& operator=(const NoDescriptorLeft&) = delete;
    ~NoDescriptorLeft() { ::setrlimit(RLIMIT_NOFILE, &before_); }

private:
    rlimit before_{};
};

TEST_F(Control, LinesComeWholeHoweverTheyAreCutAndAnswersGoBack) {
    auto socket = open();
    ASSERT_TRUE(socket) << socket.error();
    Program program(path);
    program.say("fir");
    ASSERT_TRUE(run_until([&] { return (*socket)->clients() == 1; }));
    program.say("st\nsecond\r\n\nthi");
    program.say("rd\n");
    ASSERT_TRUE(run_until([&] { return lines.size() == 3; }));
    EXPECT_EQ(lines, (std::vector<std::string>{"first", "second", "third"}));
    (*socket)->send(last, "an answer");
    program.read();
    EXPECT_EQ(program.heard, "an answer\n");
}

// Whoever could connect could call at somebody else's cost.
TEST_F(Control, IsTheUsersAlone) {
    const auto mask = ::umask(0);
    auto socket = open();
    ::umask(mask);
    ASSERT_TRUE(socket) << socket.error();
    EXPECT_EQ(mode_of(path), 0600U);
    EXPECT_EQ(mode_of(path.parent_path()), 0700U);
}

TEST_F(Control, ASecondPhoneIsToldThatOneListens) {
    auto socket = open();
    ASSERT_TRUE(socket);
    const auto second = open();
    ASSERT_FALSE(second);
    EXPECT_NE(second.error().find("another phone listens there already"), std::string::npos);
    EXPECT_NE(second.error().find("--socket"), std::string::npos);
    Program program(path);  // and the first is still there
}

// Whatever listens there, without our lock.
TEST_F(Control, AnotherProgramsSocketStays) {
    std::filesystem::create_directories(path.parent_path());
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, path.c_str());
    const Descriptor other{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    ASSERT_EQ(::bind(other.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(::listen(other.get(), 4), 0);
    EXPECT_FALSE(open());
    EXPECT_TRUE(std::filesystem::exists(path));
}

TEST_F(Control, WhatADeadPhoneLeftIsRemoved) {
    std::filesystem::create_directories(path.parent_path());
    {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strcpy(address.sun_path, path.c_str());
        const Descriptor dead{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
        ASSERT_EQ(::bind(dead.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    }
    auto socket = open();
    ASSERT_TRUE(socket) << socket.error();
    Program program(path);
    program.say("there\n");
    EXPECT_TRUE(run_until([&] { return lines.size() == 1; }));
    socket->reset();
    EXPECT_FALSE(std::filesystem::exists(path)) << "it goes with the phone";
}

TEST_F(Control, AFileIsNeverRemoved) {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << "somebody's";
    const auto socket = open();
    ASSERT_FALSE(socket);
    EXPECT_NE(socket.error().find("no socket"), std::string::npos);
    EXPECT_TRUE(std::filesystem::exists(path));
}

TEST_F(Control, ALineAtTheLimitIsTakenAndOnePastItEndsTheClient) {
    auto socket = open();
    ASSERT_TRUE(socket);
    Program program(path);
    const std::string longest(control_line_most, 'x');
    const auto say = [&](const std::string& text) {
        std::size_t sent = 0;
        return run_until([&] {
            const auto size =
                ::send(program.socket.get(), text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
            if (size < 0) return errno != EAGAIN;
            sent += static_cast<std::size_t>(size);
            return sent == text.size();
        });
    };
    ASSERT_TRUE(say(longest + "\n"));
    ASSERT_TRUE(run_until([&] { return lines.size() == 1; }));
    EXPECT_EQ(lines.front(), longest);
    ASSERT_TRUE(say(longest + "x"));
    ASSERT_TRUE(run_until([&] { return gone == 1; }));
    EXPECT_EQ(lines.size(), 1U);
    ASSERT_EQ(notices.size(), 1U);
    EXPECT_NE(notices.front().find("65536"), std::string::npos);
}

TEST_F(Control, OneClientTooManyIsTurnedAwayAndTheOthersStay) {
    auto socket = open();
    ASSERT_TRUE(socket);
    std::list<Program> programs;
    for (std::size_t i = 0; i < control_clients_most; ++i) programs.emplace_back(path);
    ASSERT_TRUE(run_until([&] { return (*socket)->clients() == control_clients_most; }));
    Program extra(path);
    ASSERT_TRUE(run_until([&] {
        extra.read();
        return extra.ended;
    }));
    EXPECT_EQ(extra.heard, "too many\n");
    EXPECT_EQ((*socket)->clients(), control_clients_most);
    EXPECT_EQ(notices.size(), 1U);
    programs.pop_back();
    ASSERT_TRUE(run_until([&] { return gone == 1; }));
    Program next(path);
    next.say("in\n");
    EXPECT_TRUE(run_until([&] { return lines.size() == 1; }));
}

// The phone waits for nobody, and keeps a bounded amount for whoever is slow.
TEST_F(Control, WhoDoesNotReadIsDroppedAndItIsSaid) {
    auto socket = open();
    ASSERT_TRUE(socket);
    Program sleeper(path);
    sleeper.say("subscribe\n");
    ASSERT_TRUE(run_until([&] { return lines.size() == 1; }));
    const auto slow = last;
    Program other(path);
    other.say("hello\n");
    ASSERT_TRUE(run_until([&] { return lines.size() == 2; }));
    const std::string event(1000, 'e');
    std::size_t told = 0;
    constexpr std::size_t far_too_many = 100'000;
    for (; told < far_too_many && notices.empty(); ++told) (*socket)->send(slow, event);
    ASSERT_EQ(notices.size(), 1U);
    EXPECT_NE(notices.front().find("does not read"), std::string::npos);
    EXPECT_GE(told * (event.size() + 1), control_queue_most);
    ASSERT_TRUE(run_until([&] { return gone == 1; }));
    (*socket)->send(last, "still here");
    other.read();
    EXPECT_EQ(other.heard, "still here\n");
}

// What counts is what waits for the client, not what it has been sent at once.
TEST_F(Control, AnAnswerLongerThanTheQueueDropsNobodyWhoReads) {
    auto socket = open();
    ASSERT_TRUE(socket);
    Program program(path);
    program.say("status\n");
    ASSERT_TRUE(run_until([&] { return lines.size() == 1; }));
    const std::string longest(control_queue_most + 1, 'a');  // the system takes some at once
    (*socket)->send(last, longest);
    EXPECT_TRUE(run_until([&] {
        program.read();
        return program.heard.size() == longest.size() + 1;
    }));
    EXPECT_TRUE(notices.empty());
    EXPECT_FALSE(program.ended);
}

// `printf status | socat - UNIX-CONNECT:…`: no end of the line, and nothing more will be said; the
// answer comes nevertheless, whole.
TEST_F(Control, TheLastLineNeedsNoEndAndIsAnswered) {
    auto socket = open();
    ASSERT_TRUE(socket);
    answering = socket->get();
    answer.assign(control_queue_most / 2, 'a');
    Program program(path);
    program.say("status");
    ASSERT_EQ(::shutdown(program.socket.get(), SHUT_WR), 0);
    ASSERT_TRUE(run_until([&] {
        program.read();
        return program.ended;
    }));
    EXPECT_EQ(lines, std::vector<std::string>{"status"});
    EXPECT_EQ(program.heard.size(), answer.size() + 1);
    EXPECT_TRUE(run_until([&] { return gone == 1; }));
}

// Without a descriptor for who calls, the phone does not spin: it says so once, and takes him
// later. Nothing of the fixture here while none is left: the sanitizer needs some to look at it.
TEST_F(Control, WithoutADescriptorProgramsWait) {
    std::vector<std::string> said;
    int taken = 0;
    Loop own_loop;
    auto socket = ControlSocket::open(
        own_loop, path,
        {.line = [&](ControlClient, std::string_view) { ++taken; },
         .gone = [](ControlClient) {},
         .notice = [&](std::string sentence) { said.push_back(std::move(sentence)); },
         .too_long = "",
         .too_many = ""});
    ASSERT_TRUE(socket);
    Program program(path);
    program.say("status\n");
    int turns = 0;
    {
        no_descriptor_for_programs = true;
        own_loop.run_until([&] { return !said.empty() || ++turns > 10'000; }, limit);
        turns = 0;
        own_loop.run_until([&] { return ++turns > 100; }, accept_again_after / 4);
        no_descriptor_for_programs = false;
    }
    EXPECT_LE(turns, 100);
    ASSERT_TRUE(own_loop.run_until([&] { return taken == 1; }, limit));
    ASSERT_EQ(said.size(), 1U);
    EXPECT_NE(said.front().find("ulimit -n"), std::string::npos) << said.front();
}

TEST_F(Control, WhoFindsNoPhoneIsToldWhatToDo) {
    const auto connected = connect_to_control(path);
    ASSERT_FALSE(connected);
    EXPECT_NE(connected.error().find("No phone listens on"), std::string::npos);
    EXPECT_NE(connected.error().find("holdfast phone"), std::string::npos);
}

// Each of these sentences says what can be done about it.
TEST_F(Control, WhoCannotConnectIsToldWhatToDo) {
    const auto too_long = connect_to_control(directory.path() / std::string(108, 'x'));
    ASSERT_FALSE(too_long);
    EXPECT_NE(too_long.error().find("107"), std::string::npos);
    EXPECT_NE(too_long.error().find("--socket PATH"), std::string::npos);
    const auto no_directory = connect_to_control("/dev/null/phone.sock");
    ASSERT_FALSE(no_directory);
    EXPECT_NE(no_directory.error().find("--socket PATH"), std::string::npos);
    const NoDescriptorLeft none;
    const auto no_socket = connect_to_control(path);
    ASSERT_FALSE(no_socket);
    EXPECT_NE(no_socket.error().find("ulimit -n"), std::string::npos) << no_socket.error();
}

TEST_F(Control, APathThatIsTooLongIsSaid) {
    path = directory.path() / std::string(108, 'x');
    const auto socket = open();
    ASSERT_FALSE(socket);
    EXPECT_NE(socket.error().find("107"), std::string::npos);
}

}  // namespace
}  // namespace holdfast::runtime
