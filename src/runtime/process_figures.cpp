#include "runtime/process_figures.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <memory>
#include <sstream>
#include <string>

#include "runtime/clock.h"

namespace holdfast::runtime {

namespace {

struct CloseFolder {
    void operator()(DIR* folder) const { closedir(folder); }
};

std::uint64_t count_descriptors() {
    const std::unique_ptr<DIR, CloseFolder> folder{opendir("/proc/self/fd")};
    if (!folder) return 0;
    std::uint64_t count = 0;
    while (const auto* entry = readdir(folder.get()))
        if (entry->d_name[0] != '.') ++count;
    return count > 0 ? count - 1 : 0;  // without the one that reads the folder
}

// When the host was started, in seconds since 1970. From the clocks, since a sandbox may hide
// /proc/stat (systemd's ProcSubset=pid), and once: the start of a process is one figure, though
// somebody sets the clock.
double boot_seconds() {
    static const auto when = static_cast<double>(wall_clock()) -
                             std::chrono::duration<double>(boot_time().time_since_epoch()).count();
    return when;
}

}  // namespace

std::optional<ProcessFigures> process_figures() {
    std::ifstream stream{"/proc/self/stat"};
    const std::string text{std::istreambuf_iterator<char>{stream}, {}};
    const auto name_end = text.rfind(')');  // the name may hold anything (proc(5))
    if (name_end == std::string::npos) return std::nullopt;
    std::istringstream fields{text.substr(name_end + 1)};
    std::string skipped;
    const auto skip = [&](int count) {
        while (count-- > 0) fields >> skipped;
    };
    double user = 0, system = 0, start = 0;
    std::uint64_t pages = 0;
    ProcessFigures figures;
    skip(11);  // state (3) to cmajflt (13)
    fields >> user >> system;
    skip(4);  // cutime (16) to nice (19)
    fields >> figures.threads;
    skip(1);
    fields >> start >> figures.virtual_bytes >> pages;
    if (!fields) return std::nullopt;
    const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
    figures.cpu_seconds = (user + system) / ticks;
    figures.resident_bytes = pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
    figures.start_seconds = boot_seconds() + start / ticks;
    figures.open_descriptors = count_descriptors();
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) figures.most_descriptors = limit.rlim_cur;
    return figures;
}

}  // namespace holdfast::runtime
