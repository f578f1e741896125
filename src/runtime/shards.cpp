#include "runtime/shards.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <utility>
#include <variant>

#include "engine/engine.h"
#include "runtime/clock.h"
#include "runtime/shard_state.h"
#include "runtime/state_file.h"

namespace holdfast::runtime {

namespace {

// Told and not yet taken: of one shard. More is counted, not kept.
constexpr std::size_t untaken_most = 100'000;

// What one shard has to say, from its thread to the owner's.
class Outlet {
public:
    struct Word {
        Instant at{};
        std::variant<Event, AccountId> what;  // an account: it is gone
    };
    // True: the owner has to be woken.
    bool put(Word word) {
        const std::lock_guard lock(mutex_);
        if (words_.size() >= untaken_most && std::holds_alternative<Event>(word.what)) {
            ++lost_;
            return false;
        }
        words_.push_back(std::move(word));
        return words_.size() == 1;
    }
    std::pair<std::vector<Word>, std::uint64_t> take() {
        const std::lock_guard lock(mutex_);
        return {std::exchange(words_, {}), std::exchange(lost_, 0)};
    }

private:
    std::mutex mutex_;
    std::vector<Word> words_;
    std::uint64_t lost_ = 0;
};

// Written by the shard's thread alone, read by any.
struct Counters {
    std::atomic<std::uint64_t> registers_sent{0};
    std::atomic<std::uint64_t> messages_sent{0};
    std::atomic<std::uint64_t> messages_received{0};
    std::atomic<std::uint64_t> octets_sent{0};
    std::atomic<std::uint64_t> octets_received{0};
    std::atomic<std::uint64_t> steps{0};
};

void count(std::atomic<std::uint64_t>& counter, std::uint64_t more = 1) {
    counter.store(counter.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
}

class Shard final : public Observer {
public:
    Shard(std::unique_ptr<Loop> loop, std::unique_ptr<Driver> driver, EngineOptions options,
          std::function<void()> wake_owner)
        : loop_(std::move(loop)),
          engine_(std::move(options)),
          driver_(std::move(driver)),
          wake_owner_(std::move(wake_owner)) {
        driver_->add_observer(*this);
        driver_->attach(machine_of(engine_));
    }
    void start() {
        thread_ = std::thread([this] {
            driver_->run();
            ended_.store(true);
            wake_owner_();
        });
    }
    void end() {
        if (!thread_.joinable()) return;
        loop_->post([this] { driver_->stop(); });
        thread_.join();
    }
    void submit(Input input) {
        loop_->post(
            [this, input = std::move(input)]() mutable { driver_->submit(std::move(input)); });
    }
    void remove(AccountId account) {
        loop_->post([this, account] {
            leaving_.insert(account);
            driver_->submit(in::RemoveAccount{account});
        });
    }
    void go_on_without_state() {
        loop_->post([this] { driver_->go_on_without_state(); });
    }
    [[nodiscard]] bool has_ended() const { return ended_.load(); }
    // Of the thread that has ended.
    [[nodiscard]] const std::optional<Failure>& failure() const { return driver_->failure(); }
    Outlet& outlet() { return outlet_; }
    [[nodiscard]] const Counters& counters() const { return counters_; }

private:
    void on_event(Instant now, const Event& event) override {
        if (outlet_.put({now, event})) wake_owner_();
    }
    void on_traffic(Instant, const Traffic& traffic) override {
        const bool sent = traffic.direction == Direction::sent;
        count(sent ? counters_.messages_sent : counters_.messages_received);
        count(sent ? counters_.octets_sent : counters_.octets_received, traffic.bytes.size());
        if (sent && traffic.bytes.starts_with("REGISTER ")) count(counters_.registers_sent);
    }
    void on_step(Instant, const Input&, const std::vector<Output>&) override {
        count(counters_.steps);
        // After this step's events, an account's last ones.
        if (!leaving_.empty() && !std::exchange(looking_, true))
            loop_->post([this] { look_for_gone(); });
    }
    void look_for_gone() {
        looking_ = false;
        std::erase_if(leaving_, [this](AccountId account) {
            if (engine_.status(account)) return false;
            if (outlet_.put({{}, account})) wake_owner_();
            return true;
        });
    }

    std::unique_ptr<Loop> loop_;
    Engine engine_;
    std::unique_ptr<Driver> driver_;  // goes first
    std::function<void()> wake_owner_;
    std::set<AccountId> leaving_;
    bool looking_ = false;
    Outlet outlet_;
    Counters counters_;
    std::atomic<bool> ended_{false};
    std::thread thread_;
};

}  // namespace

std::uint32_t registers_per_second_of(std::uint32_t all, std::size_t shards, std::size_t number) {
    if (all == 0) return 0;
    const auto one = all / static_cast<std::uint32_t>(shards);
    const bool one_more = number < all % shards;
    return std::max<std::uint32_t>(1, one + (one_more ? 1 : 0));
}

struct Shards::Impl {
    Impl(Loop& loop, ShardHandler what_to_do) : owner(loop), handler(std::move(what_to_do)) {}

    std::expected<void, Failure> open(const ShardOptions& options);
    Shard& shard_at(AccountId account) { return *shards[homes.at(account)]; }
    void take();
    // Once one account is registered, the start is over for all: a shard that has its first one
    // after a reload, with a full disk, must not end the others.
    void go_on_without_state() {
        if (std::exchange(begun, true)) return;
        for (auto& shard : shards) shard->go_on_without_state();
    }
    // From any thread; what comes after the owner's end finds nobody.
    void wake() {
        owner.post([alive = std::weak_ptr(alive)] {
            if (const auto impl = alive.lock()) (*impl)->take();
        });
    }

    Loop& owner;
    ShardHandler handler;
    std::vector<std::unique_ptr<Shard>> shards;
    std::map<AccountId, std::size_t> homes;
    std::uint32_t last_account = 0;
    std::vector<std::string> notices;  // of the start; not yet told
    bool begun = false;
    bool ending = false;
    bool told_stopped = false;
    std::optional<Failure> failure;
    std::shared_ptr<Impl*> alive = std::make_shared<Impl*>(this);
};

std::expected<void, Failure> Shards::Impl::open(const ShardOptions& options) {
    auto directory = options.driver.state_directory;
    if (options.driver.keep_state) {
        if (directory.empty()) {
            auto usual = default_state_directory();
            if (!usual) return std::unexpected(usual.error());
            directory = *std::move(usual);
        }
        auto arranged = arrange_shards(directory, options.count);
        if (!arranged) return std::unexpected(arranged.error());
        notices = *std::move(arranged);
    }
    for (std::size_t number = 0; number < options.count; ++number) {
        auto loop = std::make_unique<Loop>();
        auto of_driver = options.driver;
        if (of_driver.keep_state) of_driver.state_directory = shard_directory(directory, number);
        auto driver = Driver::open(*loop, std::move(of_driver));
        if (!driver) return std::unexpected(with_notices(notices, driver.error()));
        auto of_engine = (*driver)->engine_options();
        of_engine.instance_per_account = true;
        of_engine.leave_within = options.leave_within;
        of_engine.registers_per_second =
            registers_per_second_of(options.registers_per_second, options.count, number);
        shards.push_back(std::make_unique<Shard>(std::move(loop), *std::move(driver),
                                                 std::move(of_engine), [this] { wake(); }));
    }
    if (!notices.empty()) wake();
    for (auto& shard : shards) shard->start();
    return {};
}

void Shards::Impl::take() {
    // Before what was said last: whoever has ended says nothing more.
    const bool ended =
        std::ranges::any_of(shards, [](const auto& shard) { return shard->has_ended(); });
    const bool all_ended =
        std::ranges::all_of(shards, [](const auto& shard) { return shard->has_ended(); });
    for (auto& sentence : std::exchange(notices, {})) {
        Event notice{.kind = EventKind::notice};
        notice.reason = std::move(sentence);
        handler.event(boot_time(), notice);
    }
    for (auto& shard : shards) {
        auto [words, lost] = shard->outlet().take();
        for (const auto& [at, what] : words) {
            if (const auto* event = std::get_if<Event>(&what)) {
                if (event->kind == EventKind::registered) go_on_without_state();
                handler.event(at, *event);
                continue;
            }
            const auto account = std::get<AccountId>(what);
            homes.erase(account);
            handler.gone(account);
        }
        if (lost > 0) handler.lost(lost);
    }
    if (!ended || told_stopped) return;
    for (const auto& shard : shards)
        if (shard->has_ended() && shard->failure()) failure = shard->failure();
    if (!all_ended) {
        // The others may have registered by now: they unregister.
        if (failure && !std::exchange(ending, true))
            for (auto& shard : shards) shard->submit(in::ShutDown{});
        return;
    }
    told_stopped = true;
    handler.stopped();
}

std::expected<std::unique_ptr<Shards>, Failure> Shards::open(Loop& owner,
                                                             const ShardOptions& options,
                                                             ShardHandler handler) {
    auto impl = std::make_unique<Impl>(owner, std::move(handler));
    if (auto opened = impl->open(options); !opened) return std::unexpected(opened.error());
    return std::unique_ptr<Shards>(new Shards(std::move(impl)));
}

Shards::Shards(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Shards::~Shards() {
    for (auto& shard : impl_->shards) shard->end();
}

AccountId Shards::add(registration::AccountConfig config) {
    const AccountId id{++impl_->last_account};
    const auto home = shard_of(config.aor, impl_->shards.size());
    impl_->homes.emplace(id, home);
    impl_->shards[home]->submit(in::AddAccount{id, std::move(config)});
    return id;
}

void Shards::remove(AccountId account) { impl_->shard_at(account).remove(account); }

void Shards::change_password(AccountId account, Redacted<std::string> password) {
    impl_->shard_at(account).submit(in::ChangePassword{account, std::move(password)});
}

void Shards::register_now() {
    for (auto& shard : impl_->shards) shard->submit(in::RegisterNow{});
}

void Shards::shut_down() {
    for (auto& shard : impl_->shards) shard->submit(in::ShutDown{});
}

std::size_t Shards::count() const { return impl_->shards.size(); }

std::vector<ShardTotals> Shards::totals() const {
    std::vector<ShardTotals> totals;
    const auto read = [](const std::atomic<std::uint64_t>& counter) {
        return counter.load(std::memory_order_relaxed);
    };
    for (const auto& shard : impl_->shards) {
        const auto& counters = shard->counters();
        totals.push_back({.registers_sent = read(counters.registers_sent),
                          .messages_sent = read(counters.messages_sent),
                          .messages_received = read(counters.messages_received),
                          .octets_sent = read(counters.octets_sent),
                          .octets_received = read(counters.octets_received),
                          .steps = read(counters.steps)});
    }
    return totals;
}

const std::optional<Failure>& Shards::failure() const { return impl_->failure; }

}  // namespace holdfast::runtime
