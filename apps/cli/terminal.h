// What the command knows of the terminal, and its standard output.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace holdfast::cli {

struct TerminalSize {
    std::size_t columns = 80;
    std::size_t rows = 24;
};

bool is_terminal(int descriptor);
TerminalSize terminal_size(int descriptor);
bool wants_color();      // NO_COLOR is not set (no-color.org)
bool can_move_cursor();  // TERM is set and not "dumb"

// Text of somebody else's for a terminal, as UTF-8: control characters, marks of direction and
// octets that are no UTF-8 are shown (\x1b), not obeyed. Line ends and tabs stay.
std::string printable(std::string_view text);
// The first `columns` characters (of UTF-8), the last of them an ellipsis if some are left out.
std::string shortened(std::string_view text, std::size_t columns);

// Standard output or error. A reader that has gone away breaks it for good. One that does not read
// makes a plain Printer wait; a phone must not wait for its reader, so its Printer keeps what
// cannot be written yet, up to a limit. So it does where the output is a file and the disk is full:
// a phone does not end because its log cannot grow.
class Printer {
public:
    enum class Patience : std::uint8_t { waits, keeps };
    explicit Printer(int descriptor, Patience patience = Patience::waits)
        : descriptor_(descriptor), patience_(patience) {}

    void write(std::string_view text);
    void flush();   // what is kept, as far as it goes without waiting
    void finish();  // the same, waiting a moment for the reader: the end
    [[nodiscard]] bool has_kept() const { return !kept_.empty(); }
    // How many texts were left out because too much was kept; told once.
    [[nodiscard]] std::size_t take_lost() { return has_kept() ? 0 : std::exchange(lost_, 0); }
    // Of those: "nobody read them", or what the disk said.
    [[nodiscard]] const std::string& why_lost() const { return why_lost_; }
    [[nodiscard]] bool broken() const { return broken_; }
    // That the disk takes no more: a sentence, once each time it begins, or "".
    [[nodiscard]] std::string take_trouble();
    // After finish(): what the disk did not take, as a sentence, or "".
    [[nodiscard]] std::string unwritten() const;

private:
    void write_now(int patience_ms);
    bool take_error(int code);

    int descriptor_;
    Patience patience_;
    std::string kept_;
    std::size_t lost_ = 0;
    std::string why_lost_ = "nobody read them";
    int disk_error_ = 0;  // of the last attempt
    bool told_ = false;   // of it
    bool broken_ = false;
};

// Asks on standard error, reads from standard input without showing what is typed. The error is a
// sentence.
std::expected<std::string, std::string> ask_secret(std::string_view question);

}  // namespace holdfast::cli
