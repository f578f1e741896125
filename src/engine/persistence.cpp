#include "engine/persistence.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "engine/limits.h"

namespace holdfast::engine {

namespace {

constexpr std::string_view instance_id_key = "device/instance-id";
constexpr std::string_view account_root = "account/";
constexpr std::string_view account_instance_key = "instance-id";  // under the account's prefix
constexpr std::string_view health_key = "device/health";

std::string_view keep_alive_key(Family family) {
    return family == Family::ipv4 ? "device/keep-alive-v4" : "device/keep-alive-v6";
}

// A damaged one goes into no request: a line end in it would be a header of its own.
bool is_uuid(std::string_view text) {
    constexpr std::string_view shape = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    return std::ranges::equal(text, shape, [](char c, char place) {
        const bool is_hex = is_digit(c) || (to_lower(c) >= 'a' && to_lower(c) <= 'f');
        return place == 'x' ? is_hex : c == place;
    });
}

}  // namespace

Persistence::Persistence(State state, Instant started, std::int64_t wall_clock)
    : started_(started), wall_clock_(wall_clock) {
    for (auto& [path, value] : state) {
        const auto slash = path.rfind('/');  // an AOR may have one, a key has none
        if (path.starts_with(account_root) && slash >= account_root.size()) {
            const auto aor = path.substr(account_root.size(), slash - account_root.size());
            accounts_[aor].emplace_back(path.substr(slash + 1), std::move(value));
        } else {
            state_.emplace(path, std::move(value));
        }
    }
    if (const auto found = state_.find(instance_id_key);
        found != state_.end() && is_uuid(found->second))
        instance_id_ = found->second;
}

std::int64_t Persistence::wall_clock(Instant now) const {
    return wall_clock_ + std::chrono::duration_cast<std::chrono::seconds>(now - started_).count();
}

registration::AccountState Persistence::account_state(std::string_view aor) const {
    registration::AccountState state;
    if (const auto found = accounts_.find(aor); found != accounts_.end())
        state.insert(found->second.begin(), found->second.end());
    if (const auto instance = state.find(account_instance_key);
        instance != state.end() && !is_uuid(instance->second))
        state.erase(instance);
    return state;
}

const std::string* Persistence::find_account(std::string_view aor, std::string_view key) const {
    const auto entries = accounts_.find(aor);
    if (entries == accounts_.end()) return nullptr;
    const auto entry =
        std::ranges::find(entries->second, key, &std::pair<std::string, std::string>::first);
    return entry == entries->second.end() ? nullptr : &entry->second;
}

void Persistence::store(std::string key, std::string value, Outbox& outbox) {
    if (value.empty()) {
        state_.erase(key);
    } else {
        state_.insert_or_assign(key, value);
    }
    outbox.push(out::Store{std::move(key), std::move(value)});
}

void Persistence::store_account(std::string_view aor, std::string_view key, std::string value,
                                Outbox& outbox) {
    auto known = accounts_.find(aor);
    if (known == accounts_.end()) known = accounts_.emplace(aor, Entries{}).first;
    auto& entries = known->second;
    const auto entry = std::ranges::find(entries, key, &std::pair<std::string, std::string>::first);
    if (value.empty()) {
        if (entry != entries.end()) entries.erase(entry);
        if (entries.empty()) accounts_.erase(known);
    } else if (entry == entries.end()) {
        entries.emplace_back(key, value);
    } else {
        entry->second = value;
    }
    outbox.push(out::Store{joined({account_root, aor, "/", key}), std::move(value)});
}

const std::string& Persistence::instance_id(Random& random, Outbox& outbox) {
    if (instance_id_.empty()) {
        instance_id_ = random.uuid();
        store(std::string(instance_id_key), instance_id_, outbox);
    }
    return instance_id_;
}

std::string Persistence::instance_id(std::string_view aor, Random& random, Outbox& outbox) {
    if (const auto* const known = find_account(aor, account_instance_key);
        known != nullptr && is_uuid(*known))
        return *known;
    auto drawn = random.uuid();
    store_account(aor, account_instance_key, drawn, outbox);
    return drawn;
}

void Persistence::remember_port(const flow::Flow& flow, Outbox& outbox) {
    if (flow.target.transport != Transport::udp || flow.spare_port || flow.local.port == 0) return;
    const bool v4 = flow.local.address.family() == Family::ipv4;
    const std::string_view key = v4 ? "device/udp-port-v4" : "device/udp-port-v6";
    std::string port = std::to_string(flow.local.port);
    if (const auto found = state_.find(key); found != state_.end() && found->second == port) return;
    store(std::string(key), std::move(port), outbox);
}

std::string Persistence::learned_keep_alive(Family family) const {
    const auto found = state_.find(keep_alive_key(family));
    return found == state_.end() ? std::string{} : found->second;
}

void Persistence::store_learned_keep_alive(Family family, std::string text, Outbox& outbox) {
    store(std::string(keep_alive_key(family)), std::move(text), outbox);
}

void Persistence::restore_health(location::Health& health, Instant now) const {
    const auto found = state_.find(health_key);
    if (found == state_.end()) return;
    // What a disk holds may be anything; a phone that cannot read it starts without it.
    [[maybe_unused]] const auto read = health.decode(found->second, now, wall_clock(now));
}

void Persistence::health_may_have_changed(Instant now) {
    if (health_due_ == never) health_due_ = std::max(now, health_stored_ + limits::health_store);
}

void Persistence::store_health(const location::Health& health, Instant now, Outbox& outbox) {
    health_due_ = never;
    health_stored_ = now;
    std::string text = health.encode(now, wall_clock(now));
    const auto found = state_.find(health_key);
    if (found == state_.end() ? text.empty() : found->second == text) return;
    store(std::string(health_key), std::move(text), outbox);
}

}  // namespace holdfast::engine
