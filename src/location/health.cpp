#include "location/health.h"

#include <algorithm>
#include <utility>

#include "location/limits.h"

namespace holdfast::location {

namespace {

constexpr Duration shortest_rtt = std::chrono::milliseconds{1};

// The one that was of use longest ago makes room.
template <class Map, class Age>
void make_room(Map& map, std::size_t limit, Age age) {
    if (map.size() < limit) return;
    map.erase(std::min_element(map.begin(), map.end(), [&](const auto& a, const auto& b) {
        return age(a.second) < age(b.second);
    }));
}

}  // namespace

Health::Memory& Health::memory_of(const Target& target) {
    if (!targets_.contains(target))
        make_room(targets_, limits::health_targets, [](const Memory& m) { return m.touched; });
    return targets_[target];
}

Health::AccountMemory& Health::memory_of(AccountId account, const Target& target) {
    const AccountTarget key{account, target};
    if (!accounts_.contains(key))
        make_room(accounts_, limits::health_account_targets,
                  [](const AccountMemory& m) { return m.barred_until; });
    return accounts_[key];
}

const Health::Memory* Health::find(const Target& target) const {
    const auto found = targets_.find(target);
    return found == targets_.end() ? nullptr : &found->second;
}

// 5 s, 10 s, … 10 min, each ±20 %; whoever was quiet for twice the longest begins again (F7).
void Health::punish(Penalty& penalty, Instant last_touched, Instant now, Random& random) const {
    if (now - last_touched > 2 * penalties_.longest) penalty.count = 0;
    auto length = penalties_.first;
    for (std::uint32_t i = 0; i < penalty.count && length < penalties_.longest; ++i) length *= 2;
    length = std::min(length, penalties_.longest);
    penalty.count = std::min(penalty.count + 1, 32U);
    length = std::min(random.between(scaled(length, 0.8), scaled(length, 1.2)), penalties_.longest);
    penalty.until = std::max(penalty.until, now + length);
}

void Health::on_silence(const Target& target, Instant now, Random& random) {
    auto& memory = memory_of(target);
    punish(memory.silence, memory.touched, now, random);
    memory.touched = now;
}

void Health::on_refusal(const Target& target, Instant now, Random& random) {
    auto& memory = memory_of(target);
    punish(memory.refusal, memory.touched, now, random);
    memory.touched = now;
}

void Health::on_answer(const Target& target, Instant now, std::optional<Duration> rtt) {
    auto& memory = memory_of(target);
    memory.touched = now;
    memory.silence.until = Instant{};
    if (!rtt) return;
    const auto sample = std::clamp(*rtt, shortest_rtt, limits::longest_rtt);
    memory.rtt = memory.rtt ? (*memory.rtt * 7 + sample) / 8 : sample;  // RFC 6298 §2.3
}

void Health::on_success(const Target& target, Instant now) {
    auto& memory = memory_of(target);
    memory.touched = now;
    memory.silence = {};
    memory.refusal = {};
}

bool Health::penalised(const Target& target, Instant now) const {
    return penalised_until(target, now).has_value();
}

bool Health::silent(const Target& target, Instant now) const {
    const auto* memory = find(target);
    return memory && memory->silence.until > now;
}

std::optional<Instant> Health::penalised_until(const Target& target, Instant now) const {
    const auto* memory = find(target);
    if (!memory) return std::nullopt;
    const auto until = std::max(memory->silence.until, memory->refusal.until);
    if (until <= now) return std::nullopt;
    return until;
}

bool Health::all_penalised(const std::vector<Candidate>& candidates, Instant now) const {
    return std::all_of(candidates.begin(), candidates.end(),
                       [&](const Candidate& c) { return penalised(c.target, now); });
}

std::optional<Duration> Health::rtt(const Target& target) const {
    const auto* memory = find(target);
    return memory ? memory->rtt : std::nullopt;
}

Duration Health::patience_for(const Target& target, Duration base, double round_trips) const {
    const auto known = rtt(target);
    return known ? std::max(base, scaled(*known, round_trips)) : base;
}

std::vector<Candidate> Health::lowered(std::vector<Candidate> ranked, Instant now) const {
    // Only the rank: a penalised target is still there when the others fail too (F7).
    std::stable_partition(ranked.begin(), ranked.end(),
                          [&](const Candidate& c) { return !penalised(c.target, now); });
    return ranked;
}

void Health::bar(AccountId account, const Target& target, Instant until) {
    auto& memory = memory_of(account, target);
    memory.barred_until = std::max(memory.barred_until, until);
}

std::optional<Instant> Health::barred_until(AccountId account, const Target& target,
                                            Instant now) const {
    const auto found = accounts_.find({account, target});
    if (found == accounts_.end() || found->second.barred_until <= now) return std::nullopt;
    return found->second.barred_until;
}

void Health::note_status(AccountId account, const Target& target, int status) {
    memory_of(account, target).status = status;
}

int Health::last_status(AccountId account, const Target& target) const {
    const auto found = accounts_.find({account, target});
    return found == accounts_.end() ? 0 : found->second.status;
}

void Health::note_certificate_error(AccountId account, const Target& target, std::string words) {
    // Most certificates are good, and most flows have none: nothing is kept for them.
    if (words.empty() && !accounts_.contains({account, target})) return;
    memory_of(account, target).certificate_error = std::move(words);
}

std::string_view Health::certificate_error(AccountId account, const Target& target) const {
    const auto found = accounts_.find({account, target});
    return found == accounts_.end() ? std::string_view{} : found->second.certificate_error;
}

void Health::forget(AccountId account) {
    std::erase_if(accounts_, [&](const auto& entry) { return entry.first.first == account; });
}

}  // namespace holdfast::location
