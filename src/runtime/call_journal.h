// What becomes of calls, on its way to the history: written when a call begins and again when it
// has ended, so that a crash leaves a row that says "unfinished". While the history cannot be
// written (another program locks it, the disk is full) the calls wait here, and that is said once.
//
//   CallJournal journal{loop, history, [&](std::string sentence) { log(sentence); }};
//   journal.began(call, {.account = aor, .peer = uri, .started = now});
//   journal.ended(call, {…, .outcome = "answered"});
//   journal.finish();                               // the program ends
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>

#include "base/ids.h"
#include "base/time.h"
#include "runtime/call_history.h"
#include "runtime/loop.h"

namespace holdfast::runtime {

constexpr std::size_t journal_waiting_most = 1000;  // calls; past it the oldest are lost, and said
constexpr Duration journal_again_after = std::chrono::seconds{2};
constexpr const char* unfinished_call = "unfinished";  // the outcome of one that has not ended

class CallJournal {
public:
    // The history must outlive the journal.
    CallJournal(Loop& loop, CallHistory& history, std::function<void(std::string)> notice);

    void began(CallRef call, PastCall row);
    void ended(CallRef call, PastCall row);
    void finish();  // tries a last time, and says what is lost
    [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }

private:
    struct Waiting {
        CallRef call;
        PastCall row;
        bool is_over = false;
    };
    void wait(Waiting entry);
    void write();
    std::expected<void, Failure> write_one(const Waiting& entry);
    void say_trouble(const std::string& why);

    CallHistory& history_;
    std::function<void(std::string)> notice_;
    Timer again_;
    std::deque<Waiting> waiting_;
    std::map<CallRef, std::int64_t> rows_;  // of calls that have not ended
    std::size_t lost_ = 0;
    bool in_trouble_ = false;
};

}  // namespace holdfast::runtime
