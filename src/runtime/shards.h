// Thousands of accounts on several cores: each shard is a thread with a loop, a driver, an engine
// and a state directory of its own, and an account lives on the shard that its AOR hashes to. The
// shards share nothing; what they tell arrives on the owner's loop, in the order of each shard.
//
//   auto shards = Shards::open(loop, {.count = 2, …}, {.event = …, .gone = …, .stopped = …});
//   const auto id = (*shards)->add(config);
//   …
//   (*shards)->shut_down();                  // un-registers all; `stopped` is called when done
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/event.h"
#include "registration/account.h"
#include "runtime/driver.h"
#include "runtime/failure.h"
#include "runtime/loop.h"

namespace holdfast::runtime {

struct ShardOptions {
    std::size_t count = 1;  // not 0
    // The state directory has one below it for each shard; a recording is not possible.
    DriverOptions driver;
    // S3: of all accounts together, divided evenly; 0: no limit.
    std::uint32_t registers_per_second = 0;
    // B4: the un-REGISTERs of a stop go at that rate, for so long at most.
    Duration leave_within = std::chrono::seconds{2};
};

// On the owner's loop, all of them.
struct ShardHandler {
    std::function<void(Instant, const Event&)> event;
    std::function<void(AccountId)> gone;  // a removed account is unregistered and forgotten
    std::function<void()> stopped;        // all shards: shut down, or one has failed
    // So many events were not told: nobody took them fast enough.
    std::function<void(std::uint64_t)> lost;
};

struct ShardTotals {
    std::uint64_t registers_sent = 0;
    std::uint64_t messages_sent = 0;  // datagrams, or writes on a stream
    std::uint64_t messages_received = 0;
    std::uint64_t octets_sent = 0;
    std::uint64_t octets_received = 0;
    std::uint64_t steps = 0;
};

// S3: of a rate for all (0: no limit), what one shard may. Together they have it all; but each has
// one a second at least, or a shard with nothing would be one without a limit.
std::uint32_t registers_per_second_of(std::uint32_t all, std::size_t shards, std::size_t number);

class Shards {
public:
    // Opens every shard's state, port and TLS files; the threads start. The error: as
    // Driver::open's.
    static std::expected<std::unique_ptr<Shards>, Failure> open(Loop& owner,
                                                                const ShardOptions& options,
                                                                ShardHandler handler);
    Shards(const Shards&) = delete;
    Shards& operator=(const Shards&) = delete;
    ~Shards();  // ends the threads, at once

    // Ids are unique among all shards and never used again. The AOR has no other account here.
    AccountId add(registration::AccountConfig config);
    // Unregisters first (leave_within at most), then `gone`. Before that no other account may have
    // its AOR: they would share its state.
    void remove(AccountId account);
    void change_password(AccountId account, Redacted<std::string> password);
    void register_now();  // all accounts, at S3's rate
    void shut_down();

    [[nodiscard]] std::size_t count() const;
    [[nodiscard]] std::vector<ShardTotals> totals() const;        // each shard's, since the start
    [[nodiscard]] const std::optional<Failure>& failure() const;  // once `stopped` was called

private:
    struct Impl;
    explicit Shards(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast::runtime
