// The host's own table of names (hosts(5)). A name that stands in it is asked for nowhere else
// (L1).
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"

namespace holdfast::runtime {

using HostsTable =
    std::map<std::string, std::vector<IpAddress>, std::less<>>;  // names in lower case
HostsTable parse_hosts(std::string_view text);

// Tells a file that was changed or replaced from the one read before, with one stat.
struct FileMark {
    dev_t device = 0;
    ino_t inode = 0;
    off_t size = 0;
    std::int64_t changed_ns = 0;
    friend bool operator==(const FileMark&, const FileMark&) = default;
};
FileMark mark_of(const std::filesystem::path& file);  // all 0: not there

class HostsFile {
public:
    explicit HostsFile(std::filesystem::path file) : file_(std::move(file)) {}
    // Nothing: the name is not in the table. Read again when the file has changed.
    const std::vector<IpAddress>* find(std::string_view name);

private:
    std::filesystem::path file_;
    FileMark mark_;
    HostsTable table_;
};

}  // namespace holdfast::runtime
