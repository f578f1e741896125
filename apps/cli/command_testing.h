// Runs the real command against a registrar and a DNS server that live in the test process, on
// loopback. One poll loop serves them all; nothing sleeps, and every wait has a limit.
//
//   Bench bench;
//   bench.registrar.answer = …;
//   auto& phone = bench.start({"register", "sip:alice@127.0.0.1:…"}, {{"HOLDFAST_PASSWORD",
//   "secret"}}); bench.run_until([&] { return phone.said("\"registered\""); });
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <list>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace holdfast::cli::testing {

// A UDP socket on a free port of 127.0.0.1.
class UdpSocket {
public:
    UdpSocket() : fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
        socklen_t size = sizeof address;
        EXPECT_EQ(::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size), 0);
        port_ = ntohs(address.sin_port);
    }
    UdpSocket(const UdpSocket&) = delete;
    UdpSocket& operator=(const UdpSocket&) = delete;
    ~UdpSocket() { ::close(fd_); }
    [[nodiscard]] int fd() const { return fd_; }
    [[nodiscard]] std::string port() const { return std::to_string(port_); }
    void send(const std::string& bytes, const sockaddr_in& to) const {
        ::sendto(fd_, bytes.data(), bytes.size(), 0, reinterpret_cast<const sockaddr*>(&to),
                 sizeof to);
    }
    // Answers everything that lies there.
    void serve(
        const std::function<std::string(const std::string&, const sockaddr_in&)>& answer) const {
        std::array<char, 65536> buffer{};
        sockaddr_in from{};
        while (true) {
            socklen_t size = sizeof from;
            const auto read = ::recvfrom(fd_, buffer.data(), buffer.size(), 0,
                                         reinterpret_cast<sockaddr*>(&from), &size);
            if (read < 0) return;
            const auto reply = answer({buffer.data(), static_cast<std::size_t>(read)}, from);
            if (!reply.empty())
                ::sendto(fd_, reply.data(), reply.size(), 0, reinterpret_cast<sockaddr*>(&from),
                         size);
        }
    }

private:
    int fd_;
    std::uint16_t port_ = 0;
};

inline std::vector<std::string> header_lines(const std::string& message, std::string_view name) {
    std::vector<std::string> lines;
    for (std::size_t at = 0; at < message.size();) {
        const auto end = std::min(message.find("\r\n", at), message.size());
        const auto line = message.substr(at, end - at);
        if (line.empty()) break;
        if (line.starts_with(std::string(name) + ":")) lines.push_back(line);
        at = end + 2;
    }
    return lines;
}

// The response that a server behind no NAT gives: Via with received and rport, a To tag, what is
// appended.
inline std::string response_to(const std::string& request, std::string_view status_line,
                               const sockaddr_in& from, std::string_view more = "") {
    std::string text = "SIP/2.0 " + std::string(status_line) + "\r\n";
    auto via = header_lines(request, "Via").at(0);
    const auto rport = via.find(";rport");
    std::array<char, INET_ADDRSTRLEN> address{};
    ::inet_ntop(AF_INET, &from.sin_addr, address.data(), address.size());
    if (rport != std::string::npos)
        via.replace(
            rport, 6,
            ";rport=" + std::to_string(ntohs(from.sin_port)) + ";received=" + address.data());
    text += via + "\r\n";
    for (const auto* name : {"From", "To", "Call-ID", "CSeq"}) {
        text += header_lines(request, name).at(0);
        if (std::string_view(name) == "To") text += ";tag=registrar";
        text += "\r\n";
    }
    return text + std::string(more) + "Content-Length: 0\r\n\r\n";
}

// A registrar of one's own habits: accepts everything unless told otherwise.
struct Registrar {
    UdpSocket socket;
    std::vector<std::string> requests;
    // "" : no answer.
    std::function<std::string(const std::string& request, const sockaddr_in& from)> answer = accept;

    [[nodiscard]] std::string aor() const { return "sip:alice@127.0.0.1:" + socket.port(); }
    [[nodiscard]] std::size_t count(std::string_view text) const {
        std::size_t found = 0;
        for (const auto& request : requests)
            found += request.find(text) != std::string::npos ? 1U : 0U;
        return found;
    }
    static bool removes_all(const std::string& request) {
        return !header_lines(request, "Expires").empty() &&
               header_lines(request, "Expires")[0] == "Expires: 0";
    }
    static std::string accept(const std::string& request, const sockaddr_in& from) {
        std::string contacts;
        if (request.starts_with("REGISTER") && !removes_all(request))
            for (const auto& line : header_lines(request, "Contact"))
                if (line.find(";expires=0") == std::string::npos)
                    contacts += line.substr(0, line.find(";expires=")) + ";expires=300\r\n";
        return response_to(request, "200 OK", from, contacts);
    }
    static std::string challenge(const std::string& request, const sockaddr_in& from,
                                 const std::string& nonce) {
        return response_to(
            request, "401 Unauthorized", from,
            "WWW-Authenticate: Digest realm=\"test\", qop=\"auth\", nonce=\"" + nonce + "\"\r\n");
    }
};

// One run of the command.
class CommandRun {
public:
    // program: the words that start it, the first with its path.
    CommandRun(const std::vector<std::string>& arguments,
               const std::map<std::string, std::string>& environment,
               const std::vector<std::string>& program = {HOLDFAST_COMMAND}) {
        std::array<int, 2> output{};
        std::array<int, 2> errors{};
        EXPECT_EQ(::pipe2(output.data(), O_CLOEXEC), 0);
        EXPECT_EQ(::pipe2(errors.data(), O_CLOEXEC), 0);
        auto words = program;
        words.insert(words.end(), arguments.begin(), arguments.end());
        std::vector<char*> argv;
        for (auto& word : words) argv.push_back(word.data());
        argv.push_back(nullptr);
        auto variables = environment_with(environment);
        std::vector<char*> envp;
        for (auto& variable : variables) envp.push_back(variable.data());
        envp.push_back(nullptr);
        // Not fork: to copy the sanitizers' memory map takes longer than the command's start.
        posix_spawn_file_actions_t actions{};
        ::posix_spawn_file_actions_init(&actions);
        ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
        ::posix_spawn_file_actions_adddup2(&actions, output[1], 1);
        ::posix_spawn_file_actions_adddup2(&actions, errors[1], 2);
        const int error =
            ::posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), envp.data());
        ::posix_spawn_file_actions_destroy(&actions);
        EXPECT_EQ(error, 0) << argv[0];
        ended_ = error != 0;  // there is nobody to signal
        ::close(output[1]);
        ::close(errors[1]);
        fds_ = {output[0], errors[0]};
        for (const int fd : fds_) ::fcntl(fd, F_SETFL, O_NONBLOCK);
    }
    CommandRun(const CommandRun&) = delete;
    CommandRun& operator=(const CommandRun&) = delete;
    ~CommandRun() {
        close_output();
        ::close(fds_[1]);
        if (ended_) return;
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    [[nodiscard]] pid_t pid() const { return pid_; }
    void signal(int number) const {
        if (!ended_) ::kill(pid_, number);
    }
    void close_output() {  // nobody reads it any more
        if (fds_[0] >= 0) ::close(std::exchange(fds_[0], -1));
    }
    [[nodiscard]] const std::array<int, 2>& fds() const { return fds_; }
    void pause_reading(bool paused) { paused_ = paused; }
    void read() {
        if (paused_) return;
        std::array<char, 65536> buffer{};
        for (std::size_t i = 0; i < 2; ++i)
            for (ssize_t size = 1; fds_[i] >= 0 && size > 0;)
                if (size = ::read(fds_[i], buffer.data(), buffer.size()); size > 0)
                    texts_[i].append(buffer.data(), static_cast<std::size_t>(size));
    }
    bool ended() {
        int status = 0;
        if (!ended_ && ::waitpid(pid_, &status, WNOHANG) == pid_) {
            ended_ = true;
            exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
            read();
        }
        return ended_;
    }
    [[nodiscard]] int exit_code() const { return exit_code_; }
    void forget_output() { texts_ = {}; }
    [[nodiscard]] const std::string& output() const { return texts_[0]; }
    [[nodiscard]] const std::string& errors() const { return texts_[1]; }
    [[nodiscard]] bool said(std::string_view text) const {
        return output().find(text) != std::string::npos;
    }
    [[nodiscard]] bool complained(std::string_view text) const {
        return errors().find(text) != std::string::npos;
    }

private:
    // The test's own environment, but for a password in it, and with this.
    static std::vector<std::string> environment_with(std::map<std::string, std::string> variables) {
        for (char** own = environ; *own != nullptr; ++own) {
            const std::string_view variable{*own};
            const auto name = variable.substr(0, variable.find('='));
            if (name == "HOLDFAST_PASSWORD" || name.size() == variable.size()) continue;
            variables.try_emplace(std::string(name), variable.substr(name.size() + 1));
        }
        std::vector<std::string> lines;
        lines.reserve(variables.size());
        for (const auto& [name, value] : variables) lines.push_back(name + "=" + value);
        return lines;
    }

    pid_t pid_ = -1;
    std::array<int, 2> fds_{};
    std::array<std::string, 2> texts_;
    bool ended_ = false;
    bool paused_ = false;
    int exit_code_ = -1;
};

// Whether a process can be dumped and traced shows in whose /proc/PID/environ is: root's and root's
// group's, or its own (proc(5)). So that the two differ for root too, it gets another group.
inline std::vector<std::string> as_another_than_root(std::string program) {
    if (::geteuid() != 0) return {std::move(program)};
    return {"/usr/bin/setpriv", "--regid", "65534", "--clear-groups", std::move(program)};
}
inline bool is_dumpable(pid_t pid) {
    struct stat owner{};
    const auto file = "/proc/" + std::to_string(pid) + "/environ";
    return ::stat(file.c_str(), &owner) == 0 && (owner.st_uid != 0 || owner.st_gid != 0);
}

class Bench : public ::testing::Test {
protected:
    Bench() {
        auto name = (std::filesystem::temp_directory_path() / "holdfast-command-XXXXXX").string();
        EXPECT_NE(::mkdtemp(name.data()), nullptr);
        directory = name;
    }
    ~Bench() override {
        runs.clear();
        std::filesystem::remove_all(directory);
    }
    CommandRun& start(std::vector<std::string> arguments,
                      const std::map<std::string, std::string>& environment = {}) {
        return runs.emplace_back(arguments, environment);
    }
    // `register` of the registrar's account, with a state of its own.
    CommandRun& phone(const std::vector<std::string>& more = {}, std::string_view state = "state") {
        std::vector<std::string> arguments{"register",    registrar.aor(),
                                           "--transport", "udp",
                                           "--state",     (directory / state).string()};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return start(std::move(arguments), {{"HOLDFAST_PASSWORD", "secret"}});
    }
    bool run_until(const std::function<bool()>& goal,
                   std::chrono::seconds limit = std::chrono::seconds{30}) {
        const auto end = std::chrono::steady_clock::now() + limit;
        while (!goal()) {
            if (std::chrono::steady_clock::now() > end) return false;
            std::vector<pollfd> watched{{registrar.socket.fd(), POLLIN, 0}, {dns.fd(), POLLIN, 0}};
            for (const auto& run : runs)
                for (const int fd : run.fds()) watched.push_back({fd, POLLIN, 0});
            ::poll(watched.data(), watched.size(), 20);
            registrar.socket.serve([&](const std::string& request, const sockaddr_in& from) {
                if (request.find("SIP/2.0") == std::string::npos)
                    return std::string{};  // keep-alive
                registrar.requests.push_back(request);
                return registrar.answer(request, from);
            });
            dns.serve([&](const std::string& question, const sockaddr_in&) {
                return dns_answer(question);
            });
            for (auto& run : runs) run.read();
        }
        return true;
    }
    bool run_until_end(CommandRun& run) {
        return run_until([&] { return run.ended(); });
    }
    // As a server that knows no name at all.
    static std::string nxdomain(const std::string& question) {
        auto reply = question;
        if (reply.size() < 12) return {};
        reply[2] = static_cast<char>(0x85);  // response, authoritative, recursion desired
        reply[3] = static_cast<char>(0x83);  // NXDOMAIN
        reply[10] = reply[11] = 0;           // without the additional section (EDNS)
        const auto name_end = reply.find('\0', 12);
        return reply.substr(0, name_end + 5);
    }

    std::filesystem::path directory;
    Registrar registrar;
    UdpSocket dns;
    std::function<std::string(const std::string&)> dns_answer = nxdomain;
    std::list<CommandRun> runs;
};

}  // namespace holdfast::cli::testing
