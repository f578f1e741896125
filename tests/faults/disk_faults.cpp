// Preloaded into the command (LD_PRELOAD) by the tests beside it: the changes that it makes to
// files under one directory are numbered, and one of them, or all from one on, go wrong. The
// command itself knows nothing of it. Its environment:
//
//   HOLDFAST_DISK=DIR           whose files; the rest of the disk is well
//   HOLDFAST_DISK_FAULT=WHAT:N  at the N-th change, counted from 1:
//     kill     SIGKILL instead of it
//     torn     SIGKILL in the middle of it: half of a write is done, all of anything else
//     power    SIGKILL, and everything that was not yet synced is lost, as when the power goes
//     CODE     it fails with this errno: 28 (ENOSPC), 5 (EIO), 30 (EROFS)
//     CODE+    it fails, and so do all after it
//   HOLDFAST_DISK_FULL=FILE     while that file exists, every write fails with ENOSPC
//   HOLDFAST_DISK_LOG=FILE      gets a line for each change
//   HOLDFAST_CLOCK_SEEN=FILE    holds the wall clock as the command last had it (s since 1970)
//
// Not counted: SQLite's -shm, an index in shared memory that is made anew after a crash.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <climits>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

enum class Change : unsigned char { write, create, other, sync };

// The kernel itself: the C library's names are ours here.
long kernel(long number, auto... arguments) { return ::syscall(number, arguments...); }

std::string environment(const char* name) {
    const char* value = ::getenv(name);
    return value == nullptr ? std::string{} : std::string{value};
}

// Without memory from the heap: a signal's handler writes too (to a pipe), in the middle of an
// allocation of the thread that it interrupts, whose lock it would wait for for ever.
class PathOf {
public:
    explicit PathOf(int fd) {
        std::array<char, 32> link{"/proc/self/fd/"};
        std::to_chars(link.data() + std::strlen(link.data()), link.data() + link.size() - 1, fd);
        const int before = errno;
        const auto size = ::readlink(link.data(), path_.data(), path_.size());
        size_ = size > 0 ? static_cast<std::size_t>(size) : 0;
        errno = before;
    }
    [[nodiscard]] std::string_view text() const { return {path_.data(), size_}; }

private:
    std::array<char, PATH_MAX> path_{};
    std::size_t size_ = 0;
};

class Disk {
public:
    [[nodiscard]] bool is_ours(std::string_view path) const {
        return !directory_.empty() && path.starts_with(directory_) && !path.ends_with("-shm");
    }

    // Before a change: it is performed unless this gives an errno.
    int before(Change change, std::string_view name, std::string_view path) {
        ++number_;
        log(name, path);
        if (!full_.empty() && (change == Change::write || change == Change::create) &&
            ::access(full_.c_str(), F_OK) == 0)
            return ENOSPC;
        if (number_ < at_ || (number_ > at_ && !from_there_on_) || at_ == 0) return 0;
        if (what_ == "kill" || what_ == "power") die();
        if (what_ == "torn") return 0;
        // A full disk still syncs and deletes.
        const bool grows = change == Change::write || change == Change::create;
        return error_ == ENOSPC && !grows ? 0 : error_;
    }
    // Of a change that `before` let through: whether only half of it is to be done.
    [[nodiscard]] bool is_torn() const { return what_ == "torn" && number_ == at_; }
    void after() {
        if (is_torn()) die();
    }

    void remember(int fd, std::string_view path, off_t offset, std::size_t size) {
        if (what_ != "power") return;
        struct stat status{};
        if (::fstat(fd, &status) != 0) return;
        Lost lost{
            .path = std::string(path), .offset = offset, .size = status.st_size, .created = false};
        lost.old.resize(size);
        // Not by fd: it may be open for writing only.
        const auto file =
            static_cast<int>(kernel(SYS_openat, AT_FDCWD, lost.path.c_str(), O_RDONLY, 0));
        const auto read = kernel(SYS_pread64, file, lost.old.data(), size, offset);
        kernel(SYS_close, file);
        lost.old.resize(read > 0 ? static_cast<std::size_t>(read) : 0);
        unsynced_.push_back(std::move(lost));
    }
    void created(std::string_view path) {
        if (what_ != "power") return;
        unsynced_.push_back(
            {.path = std::string(path), .offset = 0, .size = 0, .created = true, .old = {}});
    }
    // A file, or a directory with the names in it.
    void synced(std::string_view path) {
        std::erase_if(unsynced_, [&](const Lost& lost) {
            const std::string_view parent{lost.path.data(), lost.path.rfind('/')};
            return lost.path == path || (lost.created && parent == path);
        });
    }

    Disk() {
        const auto fault = environment("HOLDFAST_DISK_FAULT");
        const auto colon = fault.find(':');
        if (colon == std::string::npos) return;
        what_ = fault.substr(0, colon);
        at_ = std::strtoul(fault.c_str() + colon + 1, nullptr, 10);
        from_there_on_ = what_.ends_with('+');
        error_ = static_cast<int>(std::strtol(what_.c_str(), nullptr, 10));
    }

private:
    struct Lost {  // what a file was like before a change that is not synced
        std::string path;
        off_t offset = 0;
        off_t size = 0;
        bool created = false;
        std::string old{};
    };

    void log(std::string_view name, std::string_view path) const {
        if (log_.empty()) return;
        const auto line =
            std::to_string(number_) + " " + std::string(name) + " " + std::string(path) + "\n";
        const auto file = static_cast<int>(
            kernel(SYS_openat, AT_FDCWD, log_.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600));
        kernel(SYS_write, file, line.data(), line.size());
        kernel(SYS_close, file);
    }

    [[noreturn]] void die() {
        while (!unsynced_.empty()) {
            const auto lost = std::move(unsynced_.back());
            unsynced_.pop_back();
            if (lost.created) {
                kernel(SYS_unlinkat, AT_FDCWD, lost.path.c_str(), 0);
                continue;
            }
            const auto file =
                static_cast<int>(kernel(SYS_openat, AT_FDCWD, lost.path.c_str(), O_WRONLY, 0));
            if (file < 0) continue;
            kernel(SYS_pwrite64, file, lost.old.data(), lost.old.size(), lost.offset);
            kernel(SYS_ftruncate, file, lost.size);
            kernel(SYS_close, file);
        }
        for (;;) ::kill(::getpid(), SIGKILL);
    }

    std::string directory_ = environment("HOLDFAST_DISK");
    std::string full_ = environment("HOLDFAST_DISK_FULL");
    std::string log_ = environment("HOLDFAST_DISK_LOG");
    std::string what_;
    unsigned long at_ = 0;
    bool from_there_on_ = false;
    int error_ = 0;
    unsigned long number_ = 0;
    std::vector<Lost> unsynced_;
};

Disk& disk() {
    static Disk the_one;
    return the_one;
}
// Before any signal can come: it takes memory, too.
[[gnu::constructor]] void begin() { disk(); }

// Shards are threads.
std::mutex& one_at_a_time() {
    static std::mutex the_one;
    return the_one;
}

// Runs a change of `path`, or what has become of it.
template <class Perform>
auto change(Change kind, std::string_view name, std::string_view path, Perform perform)
    -> decltype(perform()) {
    if (!disk().is_ours(path)) return perform();
    const std::lock_guard lock{one_at_a_time()};
    if (const int error = disk().before(kind, name, path); error != 0) {
        errno = error;
        return -1;
    }
    const auto result = perform();
    disk().after();
    return result;
}

ssize_t write_at(int fd, const void* bytes, std::size_t size, off_t offset) {
    const PathOf path{fd};
    return change(Change::write, "write", path.text(), [&]() -> ssize_t {
        if (disk().is_ours(path.text())) disk().remember(fd, path.text(), offset, size);
        return kernel(SYS_pwrite64, fd, bytes, disk().is_torn() ? size / 2 : size, offset);
    });
}

ssize_t write_on(int fd, const void* bytes, std::size_t size) {
    return change(Change::write, "write", PathOf{fd}.text(), [&]() -> ssize_t {
        return kernel(SYS_write, fd, bytes, disk().is_torn() ? size / 2 : size);
    });
}

int sync_file(int fd, long number) {
    const PathOf path{fd};
    return change(Change::sync, "sync", path.text(), [&] {
        const auto result = static_cast<int>(kernel(number, fd));
        if (result == 0) disk().synced(path.text());
        return result;
    });
}

int truncate_file(int fd, off_t size) {
    const PathOf path{fd};
    return change(Change::other, "truncate", path.text(), [&] {
        struct stat status{};
        if (::fstat(fd, &status) == 0 && status.st_size > size)
            disk().remember(fd, path.text(), size, static_cast<std::size_t>(status.st_size - size));
        return static_cast<int>(kernel(SYS_ftruncate, fd, size));
    });
}

int open_file(const char* path, int flags, mode_t mode) {
    const auto open = [&] {
        return static_cast<int>(kernel(SYS_openat, AT_FDCWD, path, flags, mode));
    };
    if ((flags & O_ACCMODE) == O_RDONLY && (flags & O_CREAT) == 0) return open();
    const bool is_new = (flags & O_CREAT) != 0 && ::access(path, F_OK) != 0;
    return change(is_new ? Change::create : Change::other, is_new ? "create" : "open", path, [&] {
        const int fd = open();
        if (fd >= 0 && is_new && disk().is_ours(path)) disk().created(path);
        return fd;
    });
}

}  // namespace

extern "C" {

ssize_t pwrite(int fd, const void* bytes, size_t size, off_t offset) {
    return write_at(fd, bytes, size, offset);
}
ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t offset) {
    return write_at(fd, bytes, size, offset);
}
ssize_t write(int fd, const void* bytes, size_t size) { return write_on(fd, bytes, size); }
int fsync(int fd) { return sync_file(fd, SYS_fsync); }
int fdatasync(int fd) { return sync_file(fd, SYS_fdatasync); }
int ftruncate(int fd, off_t size) noexcept { return truncate_file(fd, size); }
int ftruncate64(int fd, off64_t size) noexcept { return truncate_file(fd, size); }

int open(const char* path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    const auto mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, mode_t) : mode_t{};
    va_end(more);
    return open_file(path, flags, mode);
}
int open64(const char* path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    const auto mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, mode_t) : mode_t{};
    va_end(more);
    return open_file(path, flags, mode);
}
int unlink(const char* path) noexcept {
    return change(Change::other, "unlink", path,
                  [&] { return static_cast<int>(kernel(SYS_unlinkat, AT_FDCWD, path, 0)); });
}
int rename(const char* from, const char* to) noexcept {
    return change(Change::other, "rename", from, [&] {
        return static_cast<int>(kernel(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0));
    });
}
int mkdir(const char* path, mode_t mode) noexcept {
    return change(Change::create, "mkdir", path,
                  [&] { return static_cast<int>(kernel(SYS_mkdirat, AT_FDCWD, path, mode)); });
}

// Not of the disk: keeps libfaketime, which may be preloaded after us, away from timers that are
// not on the wall clock; and says what it has made of the wall clock, which the command asks the
// same way.
int timerfd_settime(int fd, int flags, const itimerspec* value, itimerspec* before) noexcept {
    if (const char* const seen = ::getenv("HOLDFAST_CLOCK_SEEN")) {
        std::array<char, 32> text{};
        timespec clock{};
        ::clock_gettime(CLOCK_REALTIME, &clock);
        const int size = std::snprintf(text.data(), text.size(), "%020lld\n",
                                       static_cast<long long>(clock.tv_sec));
        const auto file =
            kernel(SYS_openat, AT_FDCWD, seen, O_WRONLY | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
        kernel(SYS_pwrite64, file, text.data(), size, 0);
        kernel(SYS_close, file);
    }
    return static_cast<int>(kernel(SYS_timerfd_settime, fd, flags, value, before));
}

}  // extern "C"
