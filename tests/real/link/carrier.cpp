#include "tests/real/link/carrier.h"

#include <utility>

#include "tests/real/link/tun.h"

namespace holdfast::real {

namespace {

constexpr int reads_in_a_row = 64;  // then the timers have their turn

}  // namespace

Carrier::Carrier(runtime::Loop& loop, std::array<runtime::Descriptor, 2> devices, const Seed& seed,
                 const Options& options, std::function<void(int error)> on_failure)
    : devices_(std::move(devices)),
      options_(options),
      on_failure_(std::move(on_failure)),
      internet_(seed, options.link),
      links_{lab::Link{options.link, internet_.fork()}, lab::Link{options.link, internet_.fork()}},
      time_(loop, internet_),
      watches_{runtime::Watch{loop, devices_[0].get(), [this](auto) { on_readable(0); }},
               runtime::Watch{loop, devices_[1].get(), [this](auto) { on_readable(1); }}} {}

void Carrier::on_readable(std::size_t from) {
    time_.happen([this, from] {
        for (int i = 0; i < reads_in_a_row; ++i) {
            auto packet = read_packet(devices_[from], buffer_);
            if (!packet) {  // a device that is gone would be readable for ever
                watches_[from].want({.readable = false});
                return on_failure_(packet.error());
            }
            if (!*packet) return;
            carry(from, **packet);
        }
    });
}

void Carrier::carry(std::size_t from, const std::string& packet) {
    ++counts_.taken;
    auto& link = links_[from];
    const auto when = link.arrival(internet_.now(), {});
    if (!when) {
        ++counts_.lost;
        return;
    }
    const bool twice = link.duplicates();
    if (twice) ++counts_.doubled;
    for (int copy = 0; copy < (twice ? 2 : 1); ++copy) deliver_at(*when, 1 - from, packet);
}

void Carrier::deliver_at(Instant when, std::size_t to, const std::string& packet) {
    if (on_the_way_ >= options_.most_on_the_way) {
        ++counts_.overflowed;
        return;
    }
    ++on_the_way_;
    internet_.at(when, [this, to, packet] {
        --on_the_way_;
        ++(write_packet(devices_[to], packet) ? counts_.delivered : counts_.undelivered);
    });
}

}  // namespace holdfast::real
