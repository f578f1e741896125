// I8: of a process that crashes, what each thread was at. It is said on standard error, and then
// the process ends as it would have: with its core, or with the sanitizer's report.
//
//     name_crashes();                                        // once, before there are threads
//     const AtWork work("holdfast lab swarm --seed 17 …");   // this thread, until the scope ends
//
// All that happens after the signal is write(2) and sigaction(2), which a handler may call
// (signal-safety(7)); also when the thread's own stack is used up.
#pragma once

#include <csignal>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace holdfast::cli {

// SIGABRT, SIGSEGV, SIGBUS, SIGFPE and SIGILL.
void name_crashes();

class AtWork {
public:
    // command: what it was at, in a line of its own.
    explicit AtWork(std::string_view command);
    AtWork(const AtWork&) = delete;
    AtWork& operator=(const AtWork&) = delete;
    ~AtWork();

private:
    std::string line_;
    const std::string* before_;  // of the scope around this one
    std::unique_ptr<char[]> stack_;
    stack_t stack_before_{};
};

}  // namespace holdfast::cli
