// A program that we start and that never holds us up: its input lies ready in memory, its end is an
// event, and it is killed when its time is over.
//
//   auto child = Child::start(loop, {.command = {"logger", "-t", "phone"}, .input = text},
//                             [&](const ChildEnd& end) { if (!end.went_well())
//                             tell(end.in_words()); });
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "runtime/loop.h"

namespace holdfast::runtime {

constexpr std::size_t error_output_most = 500;                    // octets that are kept of it
constexpr Duration child_grace = std::chrono::milliseconds{500};  // from SIGTERM to SIGKILL

struct ChildPlan {
    // The program and its arguments; without a slash it is looked for in PATH. No shell.
    std::vector<std::string> command{};
    std::vector<std::string> environment{};  // all of it: "NAME=value"
    std::string input{};                     // standard input
    std::optional<std::string> extra{};      // to be read at descriptor 3
    Duration timeout = std::chrono::seconds{10};
};

struct ChildEnd {
    enum class How : std::uint8_t { exited, killed, timed_out };
    How how = How::exited;
    int code = 0;                // the exit code, or the signal's number
    std::string error_output{};  // the first 500 octets of standard error

    [[nodiscard]] bool went_well() const { return how == How::exited && code == 0; }
    // "exit code 3: no such user", printable and on one line.
    [[nodiscard]] std::string in_words() const;
};

// Where a command would be found, as execvp looks for it, and may be executed; or "".
std::string path_of_command(std::string_view command);

class Child {
public:
    // Called from the loop, once, with nothing of the child left running but what it has put into
    // the background itself. May destroy the child.
    using Ended = std::function<void(const ChildEnd&)>;
    // Or the system's error: no such program, not executable, no descriptors left.
    static std::expected<std::unique_ptr<Child>, int> start(Loop& loop, ChildPlan plan,
                                                            Ended ended);
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child();  // kills it and its process group if it still runs

private:
    class Impl;
    explicit Child(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast::runtime
