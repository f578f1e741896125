#include "apps/cli/control_line.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <utility>

#include "runtime/clock.h"
#include "runtime/control_socket.h"

namespace holdfast::cli {

namespace {

using namespace std::chrono_literals;

constexpr Duration patience = 10s;                                 // for an answer
constexpr std::size_t answer_most = std::size_t{4} * 1024 * 1024;  // octets of one line

}  // namespace

bool ControlLine::say(std::string text) {
    text += "\n";
    const auto end = runtime::boot_time() + patience;
    for (std::size_t done = 0; done < text.size();) {
        const auto size =
            ::send(socket_.get(), text.data() + done, text.size() - done, MSG_NOSIGNAL);
        if (size > 0) done += static_cast<std::size_t>(size);
        if (size < 0 && errno != EAGAIN && errno != EINTR) return false;
        if (size < 0 && !wait(POLLOUT, end)) return false;
    }
    return true;
}

std::optional<std::string> ControlLine::hear(Instant end) {
    while (true) {
        if (const auto at = heard_.find('\n'); at != std::string::npos) {
            auto line = heard_.substr(0, at);
            heard_.erase(0, at + 1);
            return line;
        }
        if (heard_.size() > answer_most || !wait(POLLIN, end)) return std::nullopt;
        std::array<char, 65536> buffer{};
        const auto size = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
        if (size < 0 && (errno == EAGAIN || errno == EINTR)) continue;
        if (size <= 0) return std::nullopt;
        heard_.append(buffer.data(), static_cast<std::size_t>(size));
    }
}

std::optional<std::string> ControlLine::ask(std::string request) {
    if (!say(std::move(request))) return std::nullopt;
    return hear(runtime::boot_time() + patience);
}

bool ControlLine::wait(short events, Instant end) const {
    pollfd ready{.fd = socket_.get(), .events = events, .revents = 0};
    while (true) {
        int milliseconds = -1;
        if (end != never) {
            const auto left = (end - runtime::boot_time()) / 1ms;
            if (left <= 0) return false;
            milliseconds = static_cast<int>(left) + 1;
        }
        const int count = ::poll(&ready, 1, milliseconds);
        if (count > 0) return true;
        if (count == 0 || errno != EINTR) return false;
    }
}

std::expected<std::string, std::string> control_path_of(const Options& options) {
    if (!options.control.socket.empty()) return options.control.socket;
    const auto usual = runtime::default_control_socket();
    if (usual) return usual->string();
    return std::unexpected(
        "XDG_RUNTIME_DIR names no directory: name the phone's socket with --socket PATH");
}

}  // namespace holdfast::cli
