// A command's connection to the phone that runs, line by line (docs/control.md).
#pragma once

#include <expected>
#include <optional>
#include <string>

#include "apps/cli/options.h"
#include "base/time.h"
#include "runtime/descriptor.h"

namespace holdfast::cli {

class ControlLine {
public:
    explicit ControlLine(runtime::Descriptor socket) : socket_(std::move(socket)) {}

    bool say(std::string text);  // false: the phone is gone, or takes nothing
    // The next line; nothing once the phone is gone, or silent past `end`.
    std::optional<std::string> hear(Instant end);
    std::optional<std::string> ask(std::string request);  // waits 10 s for the answer

private:
    bool wait(short events, Instant end) const;
    runtime::Descriptor socket_;
    std::string heard_;
};

// --socket, else where phones usually listen. The error is a sentence.
std::expected<std::string, std::string> control_path_of(const Options& options);

}  // namespace holdfast::cli
