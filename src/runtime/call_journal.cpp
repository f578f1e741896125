#include "runtime/call_journal.h"

#include <algorithm>
#include <utility>

#include "runtime/clock.h"

namespace holdfast::runtime {

CallJournal::CallJournal(Loop& loop, CallHistory& history, std::function<void(std::string)> notice)
    : history_(history), notice_(std::move(notice)), again_(loop, [this] { write(); }) {}

void CallJournal::began(CallRef call, PastCall row) {
    row.outcome = unfinished_call;
    wait({.call = call, .row = std::move(row)});
}

void CallJournal::ended(CallRef call, PastCall row) {
    const auto begun = std::ranges::find(waiting_, call, &Waiting::call);
    if (begun == waiting_.end())
        return wait({.call = call, .row = std::move(row), .is_over = true});
    begun->row = std::move(row);  // nothing of it has been written: once is enough
    begun->is_over = true;
}

void CallJournal::wait(Waiting entry) {
    waiting_.push_back(std::move(entry));
    if (waiting_.size() > journal_waiting_most) {
        waiting_.pop_front();
        if (lost_++ == 0)
            notice_("More than " + std::to_string(journal_waiting_most) +
                    " calls wait for the call history: the oldest are lost");
    }
    if (!in_trouble_) write();  // else when its time has come: a lock is waited for each time
}

void CallJournal::write() {
    while (!waiting_.empty()) {
        if (const auto written = write_one(waiting_.front()); !written)
            return say_trouble(written.error().sentence);
        waiting_.pop_front();
    }
    if (std::exchange(in_trouble_, false))
        notice_("The call history is written again" +
                (lost_ == 0 ? std::string{} : "; " + std::to_string(lost_) + " calls were lost"));
    lost_ = 0;
}

std::expected<void, Failure> CallJournal::write_one(const Waiting& entry) {
    const auto row = rows_.find(entry.call);
    if (row != rows_.end()) {
        auto written = history_.complete(row->second, entry.row);
        if (written) rows_.erase(row);
        return written;
    }
    const auto id = history_.add(entry.row);
    if (!id) return std::unexpected(id.error());
    if (!entry.is_over) rows_.emplace(entry.call, *id);
    return {};
}

void CallJournal::say_trouble(const std::string& why) {
    again_.arm(boot_time() + journal_again_after);
    if (std::exchange(in_trouble_, true)) return;
    notice_(why + " Until then calls wait in memory, " + std::to_string(journal_waiting_most) +
            " at most");
}

void CallJournal::finish() {
    if (!waiting_.empty()) write();
    again_.stop();
    if (!waiting_.empty())
        notice_(std::to_string(waiting_.size()) +
                " calls are missing in the call history: it could not be written to the end");
}

}  // namespace holdfast::runtime
