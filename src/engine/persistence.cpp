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
            accounts_[aor].set(path.substr(slash + 1), value);
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
    const auto found = accounts_.find(aor);
    auto state = found == accounts_.end() ? registration::AccountState{} : found->second.all();
    if (const auto instance = state.find(account_instance_key);
        instance != state.end() && !is_uuid(instance->second))
        state.erase(instance);
    return state;
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
    const auto account = accounts_.try_emplace(std::string(aor)).first;
    account->second.set(key, value);
    if (account->second.empty()) accounts_.erase(account);
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
    if (const auto account = accounts_.find(aor); account != accounts_.end())
        if (const auto known = account->second.find(account_instance_key); known && is_uuid(*known))
            return std::string(*known);
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
