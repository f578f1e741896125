#include "apps/cli/lab_crash.h"

#include <unistd.h>

#include <array>
#include <atomic>

namespace holdfast::cli {

namespace {

constexpr std::array crashes{SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
constexpr std::size_t stack_size = 65'536;  // of the handler, and of a sanitizer's after it

constinit thread_local const std::string* line_of_thread = nullptr;
// Written before there is a handler that reads them.
std::array<struct sigaction, crashes.size()> ends;

// The same instruction, or raise(), comes again, and then ends the process as ever.
void end_as_ever(int number) {
    for (std::size_t i = 0; i < crashes.size(); ++i)
        if (crashes[i] == number) ::sigaction(number, &ends[i], nullptr);
}

void tell(int number, siginfo_t* info, void*) {
    if (const auto* const line = line_of_thread; line != nullptr) {
        // Nobody can be told if that fails.
        [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line->data(), line->size());
    }
    end_as_ever(number);
    const bool was_sent = info->si_code <= 0;  // by raise() or kill(): no instruction repeats it
    if (was_sent) ::raise(number);
}

}  // namespace

void name_crashes() {
    struct sigaction action{};
    action.sa_sigaction = tell;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    ::sigemptyset(&action.sa_mask);
    for (std::size_t i = 0; i < crashes.size(); ++i) {
        struct sigaction before{};
        ::sigaction(crashes[i], &action, &before);
        const bool is_ours = (before.sa_flags & SA_SIGINFO) != 0 && before.sa_sigaction == tell;
        if (!is_ours) ends[i] = before;
    }
}

AtWork::AtWork(std::string_view command)
    : line_("holdfast: I8: the crash is of: "),
      before_(line_of_thread),
      stack_(std::make_unique<char[]>(stack_size)) {
    line_.append(command) += '\n';
    stack_t ours{};
    ours.ss_sp = stack_.get();
    ours.ss_size = stack_size;
    ::sigaltstack(&ours, &stack_before_);
    line_of_thread = &line_;
    std::atomic_signal_fence(std::memory_order_seq_cst);
}

AtWork::~AtWork() {
    line_of_thread = before_;
    std::atomic_signal_fence(std::memory_order_seq_cst);
    ::sigaltstack(&stack_before_, nullptr);
}

}  // namespace holdfast::cli
