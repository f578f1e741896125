// Learns how long a NAT keeps an idle mapping (design rule K4), on a spare port, never on the flow
// with the binding: a mapping that expires there loses nobody a call.
//
//   open_flow → send → (answer: mapping m) → idle for d → send → (answer: m still? d is good : d is
//   too long) → …
//
// 110 s is tried first; then halving between 10 s, which is taken for granted, and what was too
// long, until they are 5 s apart. One flow serves all trials, so that the NAT counts it as a
// conversation, like the flow with the binding. A NAT that keeps the port number (mapping port =
// local port) would give the same mapping again after losing it; there and without NAT nothing can
// be learned this way, and the default stays.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/address.h"
#include "base/time.h"

namespace holdfast::flow {

using namespace std::chrono_literals;

constexpr Duration learn_shortest = 10s;
constexpr Duration learn_longest = 110s;
constexpr Duration learn_precision = 5s;
constexpr int learn_silences = 3;  // unanswered trials in a row before giving up

enum class LearnStep : std::uint8_t {
    quiet,
    open_flow,  // out::OpenFlow with spare_port, to the same target; then opened() or failed()
    send,       // a ping that shows the mapping (OPTIONS or STUN); is_repetition(): the same octets
                // again
    learned,    // close the spare flow; interval() is the longest idle time that was survived
    gave_up,    // close the spare flow; nothing was learned: reason()
};
std::string_view name_of(LearnStep step);

class KeepAliveLearn {
public:
    LearnStep start();                                     // open_flow
    LearnStep opened(Instant now, const Endpoint& local);  // send
    LearnStep failed();  // could not be opened, or was closed: gave_up
    LearnStep answered(Instant now, const Endpoint& mapping);  // of the top Via, or of STUN
    LearnStep on_time(Instant now);

    [[nodiscard]] std::optional<Duration> interval() const;  // after `learned`
    [[nodiscard]] std::string_view reason() const { return reason_; }
    [[nodiscard]] bool is_repetition() const { return sent_ > 1; }
    [[nodiscard]] bool is_done() const { return state_ == State::done; }
    [[nodiscard]] Deadline next_deadline() const;

private:
    enum class State : std::uint8_t { idle, opening, asking, waiting, done };

    LearnStep ask(Instant now);
    LearnStep judge(Instant now, bool survived);
    LearnStep give_up(std::string_view reason);
    LearnStep wait(Instant now);

    State state_ = State::idle;
    Endpoint local_;
    std::optional<Endpoint> mapping_;
    Duration good_ = learn_shortest;
    std::optional<Duration> too_long_;
    Duration trial_ = learn_longest;
    Instant wake_ = never;
    int sent_ = 0;
    int silences_ = 0;
    bool learned_ = false;
    std::string_view reason_ = "not started";
};

}  // namespace holdfast::flow
