// Keep-alive of one flow: what to send and when, and what silence means (RFC 5626 §4.4, RFC 6223;
// design rules K1, K2, K5, S2). It composes nothing: the engine makes OPTIONS (options_ping.h),
// STUN (stun.h) or line ends of it.
//
//   flow.keep_alive.start(now, random);                        // the flow is open and has our
//   binding … at next_deadline(): switch (flow.keep_alive.on_time(now, random)) { case
//   KeepAliveOutcome::send: … } … an answer came:     if (auto rtt = flow.keep_alive.answered(now,
//   Ping::options)) flow.rtt.add(*rtt);
//
// A *repetition* is the same request again, octet by octet: same branch and CSeq (RFC 3261
// §17.1.2.2), same STUN transaction id. The engine keeps what it sent last and sends it again when
// is_repetition() says so; a new branch would make one lost packet look like two requests, and the
// answer to the first would be thrown away.
//
//   UDP, answered before on this flow       UDP, never answered             stream, pong agreed or
//   seen
//   ---- OPTIONS ---->  t                   ---- OPTIONS ---->  t           -- CRLFCRLF -->  t
//   ---- again ------>  t + 0.5 s           ---- again ------>  t + 0.5 s
//   ---- again ------>  t + 1.5 s           ---- again ------>  t + 1.5 s
//   suspect             t + 2 s             hold_only           t + 2 s     lost             t + 10
//   s
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/address.h"
#include "base/random.h"
#include "base/time.h"
#include "base/timers.h"
#include "flow/agreement.h"

namespace holdfast::flow {

using namespace std::chrono_literals;

enum class Ping : std::uint8_t {
    none,
    options,
    stun,         // Binding request on the SIP port
    double_crlf,  // stream: CRLFCRLF, answered by CRLF
    crlf_hold,    // datagram: CRLFCRLF, only to hold the NAT's mapping; nobody answers
};
std::string_view name_of(Ping ping);

enum class KeepAliveKind : std::uint8_t {
    automatic,
    options,
    stun,
    crlf,
    none
};  // K1; as the policy has them

constexpr Duration first_repetition = 500ms;  // K2, after the ping
constexpr Duration second_repetition = 1s;    // after the first: at 1.5 s
constexpr Duration last_wait = 500ms;         // after the second: 2 s in all
constexpr Duration stream_answer_wait =
    2s;                              // OPTIONS on a stream is not repeated (RFC 3261 §17.1.2.2)
constexpr Duration pong_wait = 10s;  // RFC 5626 §4.4.1
constexpr Duration verify_within = 500ms;      // K5
constexpr Duration retry_silent_kind = 10min;  // one lost round must not decide for ever
constexpr int misses_before_doubt = 3;  // suspects in a row of a server that is alive otherwise
constexpr Duration shortest_udp_interval = 5s;  // whatever a Flow-Timer asks for
constexpr Duration shortest_stream_interval = 15s;
constexpr Duration unstable_interval =
    12s;  // N5: what force_interval gets while a mapping is unstable

struct KeepAliveSettings {
    KeepAliveKind kind = KeepAliveKind::automatic;
    Duration udp_min = 24s;
    Duration udp_max = 29s;
    // Deviates: RFC 5626 §4.4.1 has 95–120 s. Kamailio and OpenSIPS close what was idle for 120 s,
    // and a ping that TCP has to repeat is up to 10 s under way (TCP_USER_TIMEOUT).
    Duration stream_min = 80s;
    Duration stream_max = 100s;
    bool demand_pong =
        true;  // false: CRLF that expects nothing, whatever was agreed (other clients' way)
};

enum class KeepAliveOutcome : std::uint8_t {
    quiet,
    send,     // send what ping() says; is_repetition(): the same octets as before
    suspect,  // unanswered though answered before on this flow (K2), or K5 verified and heard
              // nothing: F3 now
    lost,  // stream: the pong was owed and did not come in 10 s; the flow has failed. The machine
           // has stopped.
    hold_only,  // told once: the target answers no kind; CRLF holds the NAT, REGISTER every
                // min(E/2, 120 s) is proof
};
std::string_view name_of(KeepAliveOutcome outcome);

struct KeepAliveFacts {
    Agreement agreed;
    bool options_answered = false;  // ever, on this flow
    bool stun_answered = false;
    bool pong_seen = false;
};

class KeepAlive {
public:
    KeepAlive() : KeepAlive(Transport::udp, {}) {}
    KeepAlive(Transport transport, const KeepAliveSettings& settings);

    // The first ping is due one interval from now. No effect on one that is running.
    void start(Instant now, Random& random);
    void stop();
    [[nodiscard]] bool is_running() const { return running_; }

    // One outcome per call: call again while next_deadline() is not in the future.
    KeepAliveOutcome on_time(Instant now, Random& random);
    // K5: ping after 0–500 ms, whatever the interval says; silence then is `suspect` also if this
    // kind was never answered. Where only CRLF is sent, it is `suspect` at once: a REGISTER is the
    // only proof there.
    void verify_now(Instant now, Random& random);

    // An answer of that kind came on this flow: to our ping, or to a probe or request of the same
    // kind (F9), which proves the kind as well. The RTT, if it answers a ping that was sent only
    // once.
    std::optional<Duration> answered(Instant now, Ping kind);
    // Anything else came from the target on this flow: a server that talks is not suspect. (No
    // substitute for a pong that is owed: RFC 5626 §4.4.1.)
    void heard();

    // What a response agreed to is added to what was agreed before; a new Flow-Timer replaces the
    // old one.
    void agree(Instant now, const Agreement& agreement, Random& random);
    // At most so long between pings (80–100 % of it) in place of the settings: N5 shortens, K4 has
    // learned. A Flow-Timer that is shorter still wins. Nothing: the settings again.
    void force_interval(Instant now, std::optional<Duration> longest, Random& random);
    // The policy has changed; facts and timers stay, the next ping is by the new one. After kind
    // `none`: start() again.
    void set(const KeepAliveSettings& settings) { settings_ = settings; }

    [[nodiscard]] Ping ping() const { return ping_; }  // of the last `send`
    [[nodiscard]] bool is_repetition() const { return sent_ > 1; }
    [[nodiscard]] bool is_waiting() const { return timers_.is_armed(Timer::answer); }
    [[nodiscard]] bool holds_only() const { return holds_only_; }  // K1: REGISTER is the proof
    [[nodiscard]] const KeepAliveFacts& facts() const { return facts_; }
    [[nodiscard]] Deadline next_deadline() const;

private:
    enum class Timer : std::uint8_t { answer, verify, interval, count };
    struct Range {
        Duration low;
        Duration high;
    };

    [[nodiscard]] bool is_stream() const { return is_reliable(transport_); }
    [[nodiscard]] Ping choose(Instant now) const;
    [[nodiscard]] Ping choose_for_datagrams(Instant now) const;
    [[nodiscard]] Ping choose_for_stream(Instant now) const;
    [[nodiscard]] bool owes_pong() const;
    [[nodiscard]] bool would_try_pong() const;
    [[nodiscard]] bool expects_answer(Ping kind) const;
    [[nodiscard]] bool proves_nothing(Instant now) const { return !expects_answer(choose(now)); }
    [[nodiscard]] bool was_answered(Ping kind) const;
    [[nodiscard]] Range interval() const;
    void arm_interval(Instant now, Random& random);
    void shorten(Instant now, Random& random);
    KeepAliveOutcome begin_ping(Instant now, Random& random);
    KeepAliveOutcome begin_verification(Instant now, Random& random);
    KeepAliveOutcome no_answer_yet(Instant now, Random& random);
    KeepAliveOutcome pong_missing(Instant now, Random& random);
    KeepAliveOutcome known_kind_missing();
    KeepAliveOutcome silent_kind(Instant now, Random& random);

    Transport transport_;
    KeepAliveSettings settings_;
    KeepAliveFacts facts_;
    Timers<Timer> timers_;
    std::optional<Duration> longest_;  // forced
    Ping ping_ = Ping::none;
    int sent_ = 0;  // copies of the ping that waits
    Instant sent_at_{};
    Instant options_silent_until_{};  // never answered: not tried again before
    Instant stun_silent_until_{};
    bool pong_tried_ = false;  // once per stream: nothing is lost there
    int misses_ = 0;           // rounds without an answer, in a row
    bool heard_since_ping_ = false;
    bool heard_since_miss_ = false;
    bool verifying_ = false;
    bool holds_only_ = false;
    bool running_ = false;
};

}  // namespace holdfast::flow
