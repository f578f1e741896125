#include "apps/cli/terminal.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <system_error>

#include "base/signs.h"

namespace holdfast::cli {

namespace {

// Without echo, character by character; as it was before when this ends, whatever happens.
class QuietTerminal {
public:
    QuietTerminal() : is_set_(::tcgetattr(STDIN_FILENO, &before_) == 0) {
        if (!is_set_) return;
        auto quiet = before_;
        quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO | ICANON | ISIG);
        quiet.c_cc[VMIN] = 1;
        quiet.c_cc[VTIME] = 0;
        is_set_ = ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) == 0;
    }
    QuietTerminal(const QuietTerminal&) = delete;
    QuietTerminal& operator=(const QuietTerminal&) = delete;
    ~QuietTerminal() {
        if (is_set_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
    }
    [[nodiscard]] bool is_quiet() const { return is_set_; }

private:
    termios before_{};
    bool is_set_ = false;
};

constexpr std::size_t kept_most = 1024 * 1024;
constexpr int last_patience_ms = 500;

constexpr char ctrl_c = 3;
constexpr char ctrl_d = 4;
constexpr char backspace = 8;
constexpr char erase_line = 21;  // ctrl-U
constexpr char rubout = 127;

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U; }

// A text of several lines is for printing, too.
bool may_be_printed(char32_t code) { return code == '\n' || code == '\t' || is_harmless(code); }

bool is_plain(char c) { return c >= ' ' && c <= '~'; }

std::string words_of_error(int code) { return std::generic_category().message(code); }

}  // namespace

bool is_terminal(int descriptor) { return ::isatty(descriptor) == 1; }

TerminalSize terminal_size(int descriptor) {
    winsize size{};
    if (::ioctl(descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0)
        return {};
    return {.columns = size.ws_col, .rows = size.ws_row};
}

bool wants_color() {
    const char* no_color = std::getenv("NO_COLOR");
    return no_color == nullptr || no_color[0] == '\0';
}

bool can_move_cursor() {
    const char* terminal = std::getenv("TERM");
    return terminal != nullptr && terminal[0] != '\0' && std::string_view(terminal) != "dumb";
}

std::string printable(std::string_view text) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string result;
    result.reserve(text.size());
    while (!text.empty()) {
        const auto plain = std::ranges::find_if_not(text, is_plain) - text.begin();  // most is
        result.append(text, 0, static_cast<std::size_t>(plain));
        text.remove_prefix(static_cast<std::size_t>(plain));
        if (text.empty()) break;
        const auto [code, size] = first_sign(text);
        if (size > 0 && may_be_printed(code)) {
            result += text.substr(0, size);
        } else {
            for (const char c : text.substr(0, std::max<std::size_t>(size, 1))) {
                const auto octet = static_cast<unsigned char>(c);
                result += "\\x";
                result += digits[octet >> 4U];
                result += digits[octet & 0xfU];
            }
        }
        text.remove_prefix(std::max<std::size_t>(size, 1));
    }
    return result;
}

std::string shortened(std::string_view text, std::size_t columns) {
    std::size_t characters = 0;
    std::size_t cut = 0;  // where the last one that fits beside an ellipsis ends
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (is_continuation(text[i])) continue;
        if (characters + 1 == columns) cut = i;
        ++characters;
    }
    if (characters <= columns) return std::string(text);
    return columns == 0 ? "" : std::string(text.substr(0, cut)) + "…";
}

void Printer::write(std::string_view text) {
    if (broken_) return;
    if (patience_ == Patience::keeps && kept_.size() + text.size() > kept_most) {
        ++lost_;
        why_lost_ = disk_error_ == 0 ? "nobody read them" : words_of_error(disk_error_);
        return;
    }
    kept_ += text;
    write_now(patience_ == Patience::waits ? -1 : 0);
}

void Printer::flush() { write_now(0); }

void Printer::finish() { write_now(last_patience_ms); }

std::string Printer::take_trouble() {
    if (disk_error_ == 0 || std::exchange(told_, true)) return {};
    return "The output cannot be written: " + words_of_error(disk_error_) +
           ". Make room there: until then " + std::to_string(kept_most / 1024) +
           " KiB of it are kept in memory, and nothing else stops";
}

std::string Printer::unwritten() const {
    if (disk_error_ == 0 || kept_.empty()) return {};
    return "The output lacks its end, " + std::to_string(kept_.size()) +
           " octets: " + words_of_error(disk_error_);
}

// Whether it may pass. A limit of a file's size (EFBIG) can be raised, as a disk can be tidied.
bool Printer::take_error(int code) {
    if (patience_ == Patience::waits) return false;
    if (code != ENOSPC && code != EDQUOT && code != EFBIG) return false;
    disk_error_ = code;
    return true;
}

// A pipe that is ready takes so much without blocking (POSIX: PIPE_BUF); our standard output's own
// mode is others' too, and stays as it is.
void Printer::write_now(int patience_ms) {
    std::size_t done = 0;
    while (done < kept_.size() && !broken_) {
        pollfd ready{.fd = descriptor_, .events = POLLOUT, .revents = 0};
        const int count = ::poll(&ready, 1, patience_ms);
        if (count == 0) break;
        if (count < 0 && errno != EINTR) broken_ = true;
        if (count < 0) continue;
        const auto size = std::min<std::size_t>(kept_.size() - done, PIPE_BUF);
        const auto written = ::write(descriptor_, kept_.data() + done, size);
        if (written >= 0) {
            done += static_cast<std::size_t>(written);
        } else if (errno != EINTR && errno != EAGAIN) {
            if (take_error(errno)) break;
            broken_ = true;
        }
    }
    if (done == kept_.size()) {
        disk_error_ = 0;
        told_ = false;
    }
    kept_.erase(0, done);
    if (broken_) kept_.clear();
    if (kept_.empty()) kept_.shrink_to_fit();
}

std::expected<std::string, std::string> ask_secret(std::string_view question) {
    Printer terminal(STDERR_FILENO);
    const QuietTerminal quiet;
    if (!quiet.is_quiet())
        return std::unexpected("The terminal cannot be told not to show what is typed");
    terminal.write(question);
    std::string secret;
    char typed = 0;
    while (true) {
        const auto size = ::read(STDIN_FILENO, &typed, 1);
        if (size < 0 && errno == EINTR) continue;
        const bool gave_up = size <= 0 || typed == ctrl_c || typed == ctrl_d;
        if (gave_up || typed == '\n' || typed == '\r') {
            terminal.write("\n");
            if (gave_up) return std::unexpected("No password was typed");
            return secret;
        }
        if (typed == erase_line) {
            secret.clear();
        } else if (typed == rubout || typed == backspace) {
            while (!secret.empty() && is_continuation(secret.back())) secret.pop_back();
            if (!secret.empty()) secret.pop_back();
        } else {
            secret += typed;
        }
    }
}

}  // namespace holdfast::cli
