#include "runtime/hosts_file.h"

#include <sys/stat.h>

#include <fstream>
#include <iterator>

#include "base/text.h"

namespace holdfast::runtime {

namespace {

// The next word of the line, cut off from it; "" at its end.
std::string_view take_word(std::string_view& line) {
    constexpr std::string_view space = " \t\r\v\f";
    const auto begin = std::min(line.find_first_not_of(space), line.size());
    const auto end = std::min(line.find_first_of(space, begin), line.size());
    const auto word = line.substr(begin, end - begin);
    line.remove_prefix(end);
    return word;
}

}  // namespace

HostsTable parse_hosts(std::string_view text) {
    HostsTable table;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        auto line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        line = line.substr(0, line.find('#'));
        const auto address =
            IpAddress::parse(take_word(line));  // zoned link-local ones are of no use to us
        if (!address) continue;
        for (auto name = take_word(line); !name.empty(); name = take_word(line)) {
            if (name.ends_with('.')) name.remove_suffix(1);
            table[lower_case(name)].push_back(*address);
        }
    }
    return table;
}

FileMark mark_of(const std::filesystem::path& file) {
    struct stat status{};
    if (::stat(file.c_str(), &status) != 0) return {};
    return {
        .device = status.st_dev,
        .inode = status.st_ino,
        .size = status.st_size,
        .changed_ns = std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec};
}

const std::vector<IpAddress>* HostsFile::find(std::string_view name) {
    if (const auto mark = mark_of(file_); mark != mark_) {
        mark_ = mark;
        std::ifstream stream{file_};
        table_ = parse_hosts(std::string{std::istreambuf_iterator<char>{stream}, {}});
    }
    const auto found = table_.find(name);
    return found == table_.end() ? nullptr : &found->second;
}

}  // namespace holdfast::runtime
