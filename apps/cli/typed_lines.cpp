#include "apps/cli/typed_lines.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <sstream>
#include <utility>

#include "apps/cli/terminal.h"

namespace holdfast::cli {

namespace {

bool can_be_waited_for(int descriptor) {
    struct stat status{};
    if (::fstat(descriptor, &status) != 0) return false;
    return S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode) || is_terminal(descriptor);
}

// Whether a read returns at once. Another program may have been faster at a terminal of both.
bool has_something(int descriptor) {
    pollfd ready{.fd = descriptor, .events = POLLIN, .revents = 0};
    return ::poll(&ready, 1, 0) > 0;
}

}  // namespace

TypedLines::TypedLines(runtime::Loop& loop, int descriptor, Line line, TooLong too_long)
    : descriptor_(descriptor), line_(std::move(line)), too_long_(std::move(too_long)) {
    if (!can_be_waited_for(descriptor)) return;
    waits_ = runtime::Descriptor{::epoll_create1(EPOLL_CLOEXEC)};
    epoll_event event{};
    event.events = EPOLLIN;
    if (!waits_ || ::epoll_ctl(waits_.get(), EPOLL_CTL_ADD, descriptor, &event) != 0) return;
    watch_ =
        std::make_unique<runtime::Watch>(loop, waits_.get(), [this](runtime::Ready) { read(); });
}

// One read when something is there: the descriptor's own mode (O_NONBLOCK) is also that of the
// shell that has started us, and stays as it is, however we end.
void TypedLines::read() {
    if (!has_something(descriptor_)) return;
    std::array<char, typed_line_most> buffer{};
    const auto size = ::read(descriptor_, buffer.data(), buffer.size());
    if (size < 0 && (errno == EINTR || errno == EAGAIN)) return;
    // The end; or a terminal that is another job's now.
    if (size <= 0) return watch_.reset();
    unread_.append(buffer.data(), static_cast<std::size_t>(size));
    for (auto end = unread_.find('\n'); end != std::string::npos; end = unread_.find('\n')) {
        const auto line = unread_.substr(0, end);
        unread_.erase(0, end + 1);
        const bool is_rest = std::exchange(skips_, false);
        if (line.size() > typed_line_most && !is_rest) too_long_();
        if (line.size() <= typed_line_most && !is_rest) line_(line);
    }
    if (unread_.size() <= typed_line_most) return;
    unread_.clear();
    if (!std::exchange(skips_, true)) too_long_();
}

std::vector<std::string> words_in(const std::string& line) {
    std::vector<std::string> words;
    std::istringstream stream(line);
    for (std::string word; stream >> word;) words.push_back(word);
    return words;
}

}  // namespace holdfast::cli
