#include "engine/register_pace.h"

#include <algorithm>
#include <utility>
#include <variant>

namespace holdfast::engine {

namespace told = registration::told;

namespace {

template <class... Kinds>
bool is_one_of(const registration::Told& what) {
    return (std::holds_alternative<Kinds>(what) || ...);
}

// What happened to the same flow or target, or concerns all of them: the later one says it all.
struct IsRepeated {
    const registration::Told& later;
    template <class Kind>
    bool operator()(const Kind& earlier) const {
        const auto* const other = std::get_if<Kind>(&later);
        if (other == nullptr) return false;
        if constexpr (requires { earlier.flow; }) {
            return earlier.flow == other->flow;
        } else if constexpr (requires { earlier.target; }) {
            return earlier.target == other->target;
        } else if constexpr (requires { earlier.question; }) {
            return earlier.question == other->question;
        } else {
            return true;
        }
    }
};

}  // namespace

bool may_start_register(const registration::Told& what) {
    return is_one_of<told::Time, told::Start, told::Dns, told::FlowOpen, told::Probed,
                     told::FlowLost, told::Suspect, told::HoldOnly, told::MappingChanged,
                     told::Alive, told::Network, told::RegisterNow, told::CheckSync,
                     told::ShutDown>(what);
}

bool RegisterPace::admits(Instant now, AccountId account) const {
    if (spacing_ == Duration{0}) return true;
    return line_.empty() && next_ <= now && !is_waiting(account);
}

void RegisterPace::wait(AccountId account, const registration::Told& told) {
    auto& tidings = waiting_[account];
    if (tidings.empty()) line_.push_back(account);
    // Whoever leaves (B4) does not register first.
    if (std::holds_alternative<told::ShutDown>(told)) tidings.clear();
    const bool leaves = !tidings.empty() && std::holds_alternative<told::ShutDown>(tidings.front());
    if (leaves) return;
    std::erase_if(tidings,
                  [&](const auto& earlier) { return std::visit(IsRepeated{told}, earlier); });
    tidings.push_back(told);
}

std::optional<RegisterPace::Turn> RegisterPace::take(Instant now, Random& random) {
    if (line_.empty() || now < next_) return std::nullopt;
    std::swap(line_[random.below(line_.size())], line_.back());
    const AccountId account = line_.back();
    line_.pop_back();
    return Turn{account, std::move(waiting_.extract(account).mapped())};
}

void RegisterPace::sent(Instant now) {
    // From now: time that nobody used is not saved up for a burst.
    if (spacing_ != Duration{0}) next_ = std::max(next_, now) + spacing_;
}

void RegisterPace::forget(AccountId account) {
    std::erase(line_, account);
    waiting_.erase(account);
}

Deadline RegisterPace::next_deadline() const {
    if (line_.empty()) return {};
    return {next_, "accounts wait for their turn to REGISTER (S3)"};
}

}  // namespace holdfast::engine
