// What the command knows of the terminal, and its standard output.
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>

namespace holdfast::cli {

struct TerminalSize {
    std::size_t columns = 80;
    std::size_t rows = 24;
};

bool is_terminal(int descriptor);
TerminalSize terminal_size(int descriptor);
bool wants_color();      // NO_COLOR is not set (no-color.org)
bool can_move_cursor();  // TERM is set and not "dumb"

// Text of somebody else's for a terminal: control characters shown, not obeyed. Line ends and tabs
// stay.
std::string printable(std::string_view text);
// The first `columns` characters (of UTF-8), the last of them an ellipsis if some are left out.
std::string shortened(std::string_view text, std::size_t columns);

// Standard output, line by line. Once nobody reads it any more, it stays broken.
class Printer {
public:
    explicit Printer(int descriptor) : descriptor_(descriptor) {}
    void write(std::string_view text);
    [[nodiscard]] bool broken() const { return broken_; }

private:
    int descriptor_;
    bool broken_ = false;
};

// Asks on standard error, reads from standard input without showing what is typed. The error is a
// sentence.
std::expected<std::string, std::string> ask_secret(std::string_view question);

}  // namespace holdfast::cli
