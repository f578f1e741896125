#include "runtime/child.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "runtime/clock.h"
#include "runtime/descriptor.h"

namespace holdfast::runtime {

namespace {

constexpr int first_free = 10;       // our ends lie above what the child is given
constexpr int extra_descriptor = 3;  // ChildPlan::extra
constexpr int reads_at_once = 16;    // a child that never stops writing does not hold up the loop
constexpr int reaping_limit_ms = 1000;  // SIGKILL is immediate, unless the kernel itself hangs

// dup2 in the child must not hit one that is still to be copied, even if we were started without
// standard descriptors.
Descriptor above_standard(Descriptor low) {
    return Descriptor{fcntl(low.get(), F_DUPFD_CLOEXEC, first_free)};
}

// A file without a name: reading it never waits for us, and nobody must read it.
Descriptor file_in_memory(std::string_view content) {
    Descriptor file{memfd_create("holdfast", MFD_CLOEXEC)};
    while (file && !content.empty()) {
        const auto size = write(file.get(), content.data(), content.size());
        if (size < 0 && errno == EINTR) continue;
        if (size <= 0) return {};
        content.remove_prefix(static_cast<std::size_t>(size));
    }
    if (!file || lseek(file.get(), 0, SEEK_SET) != 0) return {};
    return above_standard(std::move(file));
}

struct Pipe {
    Descriptor read_end, write_end;
};

Pipe pipe_for_errors() {
    std::array<int, 2> ends{-1, -1};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) return {};
    Pipe pipe{above_standard(Descriptor{ends[0]}), above_standard(Descriptor{ends[1]})};
    if (pipe.read_end) fcntl(pipe.read_end.get(), F_SETFL, O_NONBLOCK);  // ours alone
    return pipe;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    pointers.reserve(texts.size() + 1);
    for (auto& text : texts) pointers.push_back(text.data());
    pointers.push_back(nullptr);
    return pointers;
}

// By its number: glibc 2.36 declares pidfd_open for C alone.
Descriptor end_of(pid_t pid) {
    return Descriptor{static_cast<int>(syscall(SYS_pidfd_open, pid, 0))};
}

// What the child is: its descriptors, a process group of its own, all signals as they are by
// default.
class SpawnSettings {
public:
    SpawnSettings(int input, int errors, std::optional<int> extra) {
        posix_spawn_file_actions_init(&actions_);
        posix_spawnattr_init(&attributes_);
        note(posix_spawn_file_actions_adddup2(&actions_, input, STDIN_FILENO));
        note(posix_spawn_file_actions_addopen(&actions_, STDOUT_FILENO, "/dev/null", O_WRONLY, 0));
        note(posix_spawn_file_actions_adddup2(&actions_, errors, STDERR_FILENO));
        if (extra) note(posix_spawn_file_actions_adddup2(&actions_, *extra, extra_descriptor));
        note(posix_spawn_file_actions_addclosefrom_np(
            &actions_, extra ? extra_descriptor + 1 : extra_descriptor));
        sigset_t all, none;
        sigfillset(&all);
        sigemptyset(&none);
        note(posix_spawnattr_setflags(
            &attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK));
        note(posix_spawnattr_setpgroup(&attributes_, 0));
        note(posix_spawnattr_setsigdefault(&attributes_, &all));
        note(posix_spawnattr_setsigmask(&attributes_, &none));
    }
    SpawnSettings(const SpawnSettings&) = delete;
    SpawnSettings& operator=(const SpawnSettings&) = delete;
    ~SpawnSettings() {
        posix_spawn_file_actions_destroy(&actions_);
        posix_spawnattr_destroy(&attributes_);
    }

    std::expected<pid_t, int> spawn(ChildPlan& plan) {
        const auto arguments = pointers_to(plan.command);
        const auto environment = pointers_to(plan.environment);
        pid_t pid = 0;
        if (error_ == 0)
            error_ = posix_spawnp(&pid, arguments.front(), &actions_, &attributes_,
                                  arguments.data(), environment.data());
        if (error_ != 0) return std::unexpected(error_);
        return pid;
    }

private:
    void note(int error) {
        if (error_ == 0) error_ = error;
    }

    posix_spawn_file_actions_t actions_{};
    posix_spawnattr_t attributes_{};
    int error_ = 0;
};

}  // namespace

std::string ChildEnd::in_words() const {
    std::string words;
    switch (how) {
    case How::exited: words = "exit code " + std::to_string(code); break;
    case How::killed: {
        const char* name = sigabbrev_np(code);
        words = "killed by signal " + std::to_string(code) +
                (name == nullptr ? "" : " (SIG" + std::string(name) + ")");
        break;
    }
    case How::timed_out: words = "killed, for its time was over"; break;
    }
    auto output = error_output.substr(0, error_output.find_last_not_of(" \t\r\n") + 1);
    for (auto& c : output)
        if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = ' ';
    return output.empty() ? words : words + ": " + output;
}

std::string path_of_command(std::string_view command) {
    const auto may_run = [](const std::string& path) { return access(path.c_str(), X_OK) == 0; };
    if (command.empty()) return {};
    if (command.find('/') != std::string_view::npos) {
        std::string path{command};
        return may_run(path) ? path : "";
    }
    const char* variable = std::getenv("PATH");
    std::string_view folders = variable == nullptr ? "/bin:/usr/bin" : variable;  // as execvp
    for (;;) {
        const auto end = folders.find(':');
        const auto folder = folders.substr(0, end);
        auto path = (folder.empty() ? "." : std::string(folder)) + "/" + std::string(command);
        if (may_run(path)) return path;
        if (end == std::string_view::npos) return {};
        folders.remove_prefix(end + 1);
    }
}

class Child::Impl {
public:
    Impl(Loop& loop, pid_t pid, Descriptor pidfd, Descriptor errors, Duration timeout, Ended ended)
        : pid_(pid),
          pidfd_(std::move(pidfd)),
          errors_(std::move(errors)),
          ended_(std::move(ended)),
          timer_(loop, [this] { on_time(); }),
          errors_watch_(
              std::make_unique<Watch>(loop, errors_.get(), [this](Ready) { read_errors(); })),
          end_watch_(std::make_unique<Watch>(loop, pidfd_.get(), [this](Ready) { on_end(); })) {
        timer_.arm(boot_time() + timeout);
    }
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;
    ~Impl() {
        if (pid_ == 0) return;
        kill_group(SIGKILL);
        pollfd end{.fd = pidfd_.get(), .events = POLLIN, .revents = 0};
        if (poll(&end, 1, reaping_limit_ms) == 1) reap();
    }

private:
    // The group's number is the child's, which stays taken until the child is reaped.
    void kill_group(int signal) const { ::kill(-pid_, signal); }

    void on_time() {
        kill_group(late_ ? SIGKILL : SIGTERM);
        if (!std::exchange(late_, true)) timer_.arm(boot_time() + child_grace);
    }

    void read_errors() {
        std::array<char, 4096> space{};
        for (int i = 0; i < reads_at_once; ++i) {
            const auto size = read(errors_.get(), space.data(), space.size());
            if (size < 0 && errno == EINTR) continue;
            if (size < 0 && errno == EAGAIN) return;
            if (size <= 0) return errors_watch_.reset();
            const auto room = error_output_most - end_.error_output.size();
            end_.error_output.append(space.data(), std::min(room, static_cast<std::size_t>(size)));
        }
    }

    void reap() {
        siginfo_t info{};
        const bool known =
            waitid(P_PIDFD, static_cast<id_t>(pidfd_.get()), &info, WEXITED | WNOHANG) == 0;
        pid_ = 0;
        end_.code = known ? info.si_status : -1;
        end_.how = late_                                 ? ChildEnd::How::timed_out
                   : known && info.si_code != CLD_EXITED ? ChildEnd::How::killed
                                                         : ChildEnd::How::exited;
    }

    void on_end() {
        if (late_) kill_group(SIGKILL);  // whatever of it did not heed SIGTERM
        reap();
        // What it has left in the background may keep its end open: what is there counts.
        if (errors_watch_) read_errors();
        timer_.stop();
        end_watch_.reset();
        errors_watch_.reset();
        const auto ended = std::move(ended_);
        const auto end = std::move(end_);
        ended(end);  // may destroy us
    }

    pid_t pid_;  // 0: reaped
    Descriptor pidfd_, errors_;
    Ended ended_;
    ChildEnd end_;
    bool late_ = false;
    Timer timer_;
    std::unique_ptr<Watch> errors_watch_, end_watch_;
};

std::expected<std::unique_ptr<Child>, int> Child::start(Loop& loop, ChildPlan plan, Ended ended) {
    if (plan.command.empty()) return std::unexpected(ENOENT);
    const auto input = file_in_memory(plan.input);
    if (!input) return std::unexpected(errno);
    Descriptor extra;
    if (plan.extra) {
        extra = file_in_memory(*plan.extra);
        if (!extra) return std::unexpected(errno);
    }
    auto [errors, childs_errors] = pipe_for_errors();
    if (!errors || !childs_errors) return std::unexpected(errno);
    SpawnSettings settings{input.get(), childs_errors.get(),
                           extra ? std::optional(extra.get()) : std::nullopt};
    const auto pid = settings.spawn(plan);
    if (!pid) return std::unexpected(pid.error());
    auto pidfd = end_of(*pid);
    if (!pidfd) {  // no descriptor left: we could not see its end
        const auto error = errno;
        ::kill(-*pid, SIGKILL);
        waitpid(*pid, nullptr, 0);
        return std::unexpected(error);
    }
    return std::unique_ptr<Child>(new Child(std::make_unique<Impl>(
        loop, *pid, std::move(pidfd), std::move(errors), plan.timeout, std::move(ended))));
}

Child::Child(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Child::~Child() = default;

}  // namespace holdfast::runtime
