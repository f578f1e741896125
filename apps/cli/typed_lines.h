// What is typed at a running command, or comes down its pipe, line by line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/descriptor.h"
#include "runtime/loop.h"

namespace holdfast::cli {

constexpr std::size_t typed_line_most = 4096;  // octets; what is longer is said and left out

class TypedLines {
public:
    using Line = std::function<void(const std::string& line)>;
    using TooLong = std::function<void()>;
    // Only a terminal, a pipe or a socket is read; the end of it ends the reading.
    TypedLines(runtime::Loop& loop, int descriptor, Line line, TooLong too_long);
    [[nodiscard]] bool reads() const { return watch_ != nullptr; }

private:
    void read();

    int descriptor_;
    runtime::Descriptor waits_;  // an epoll of it: what the loop waits with is made non-blocking
    Line line_;
    TooLong too_long_;
    std::string unread_;
    bool skips_ = false;  // the rest of a line that is too long
    std::unique_ptr<runtime::Watch> watch_;
};

std::vector<std::string> words_in(const std::string& line);  // between blanks

}  // namespace holdfast::cli
