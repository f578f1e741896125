// The running phone: the calls of all its accounts, as the console and the control socket drive it.
// What cannot be done is said in a sentence and changes nothing.
//
//   Phone phone{driver, media, engine, settings, {.tell = …, .over = …, …}};
//   driver.add_observer(phone);
//   phone.begin();
//   const auto call = phone.dial("bob", "");
//   phone.leave();                   → hangs up, unregisters, and the driver's run ends
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apps/phone/calls.h"
#include "apps/phone/dialling.h"
#include "apps/phone/incoming_rules.h"
#include "apps/phone/recordings.h"
#include "apps/phone/signals.h"
#include "engine/engine.h"
#include "media/engine.h"
#include "registration/account.h"
#include "runtime/call_history.h"
#include "runtime/driver.h"
#include "runtime/loop.h"

namespace holdfast::phone {

constexpr std::size_t calls_most = 64;  // as many as the engine has room for (docs/calls.md)
constexpr std::size_t digits_most = digits_waiting_most;  // of one command

struct PhoneSettings {
    // The first is dialled with. Without an account of anybody's: one that waits for calls at this
    // host (registration/waiting.h), and whole URIs are called straight.
    std::vector<registration::AccountConfig> accounts;
    std::vector<Dialling> dialling{};  // of each, in the same order
    CallSettings calls;
    IncomingRules incoming{};                          // at the beginning
    Recordings recordings{};                           // of every call
    SignalSettings signals{};                          // what is heard beside the calls
    Duration leave_within = std::chrono::seconds{10};  // until the calls are over (leave)
};

// What the phone needs of whoever shows it.
struct PhoneHandlers {
    std::function<void(Instant, const Event&, const std::string& aor)> tell;
    // For the history: a call that has begun, and the same when it has ended.
    std::function<void(CallRef, const runtime::PastCall&)> began;
    std::function<void(CallRef, const runtime::PastCall&)> over;
};

// What an account is called that is nobody's.
inline constexpr std::string_view direct_call = "direct call";

struct AccountView {
    std::string aor;
    bool registered = false;
    bool reachable = false;  // proven (R1)
    std::string state;       // in words
};

struct CallView {
    CallRef call;
    std::string account;
    bool incoming = false;
    std::string peer;
    Stage stage = Stage::opening;
    bool held = false;  // by us
    bool held_by_other = false;
    bool microphone_muted = false;
    bool speaker_muted = false;
    std::string recording{};            // the file it is recorded to; "": none
    std::vector<CallRef> conference{};  // the other calls of the conference that it is in
    std::optional<Duration> talked;     // since the answer
};

enum class Which : std::uint8_t {
    all,
    incoming,
    calling
};  // those that ring here; those that do there

template <class T>
using Done = std::expected<T, std::string>;

class Phone final : public runtime::Observer {
public:
    // All must outlive the phone.
    Phone(runtime::Loop& loop, runtime::Driver& driver, media::Engine& media, const Engine& engine,
          PhoneSettings settings, PhoneHandlers handlers);

    void begin();  // the accounts register
    // Hangs up and unregisters; twice: at once. A call whose sound does not close is given up after
    // leave_within, and that is said.
    void leave();
    void register_now();
    void on_media(Instant now);

    // account: "" for the first, else an AOR or the user of one. Without a call's number the only
    // one is meant that the verb can be for.
    Done<CallRef> dial(const std::string& whom, const std::string& account);
    // Neither has to be dialled by hand; the account says how (Dialling).
    Done<CallRef> call_voicemail(const std::string& account);
    Done<CallRef> pick_up(const std::string& extension, const std::string& account);
    Done<CallRef> answer(std::optional<CallRef> call);
    Done<CallRef> reject(std::optional<CallRef> call, int status);
    Done<CallRef> hang_up(std::optional<CallRef> call);
    std::vector<CallRef> hang_up(Which which);
    Done<CallRef> hold(std::optional<CallRef> call);
    Done<CallRef> resume(std::optional<CallRef> call);
    Done<CallRef> press(std::optional<CallRef> call, const std::string& digits);
    // The other side of the call is to call somebody else instead; the call ends when that has come
    // about (Events transferring, transferred, transfer_failed).
    Done<CallRef> transfer(std::optional<CallRef> call, const std::string& whom);
    // The other side of the call is to take our place in the other one; both end then.
    Done<CallRef> connect(CallRef call, CallRef other);
    // What is absent stays as it is.
    Done<CallRef> mute(std::optional<CallRef> call, std::optional<bool> microphone,
                       std::optional<bool> speaker);
    // To a file that is not there yet, whose name is absolute and ends in .wav, .opus, .ogg or
    // .mp3.
    Done<CallRef> record(std::optional<CallRef> call, const std::string& path);
    Done<CallRef> stop_recording(std::optional<CallRef> call);
    // Their other sides, all of them, hear each other; none named: all calls that are answered. Who
    // is on hold by us is taken off it. Returns those that are meant.
    Done<std::vector<CallRef>> confer(const std::vector<CallRef>& calls);
    Done<CallRef> split(std::optional<CallRef> call);

    // For calls that come from now on, until the phone ends.
    Done<IncomingRules> change_rules(const RulesChange& change);
    [[nodiscard]] const IncomingRules& rules() const { return settings_.incoming; }

    [[nodiscard]] std::vector<AccountView> accounts() const;
    [[nodiscard]] std::vector<CallView> calls() const;
    [[nodiscard]] bool is_leaving() const { return leaving_; }
    // Some call's sound has not closed: what the media do cannot be waited for.
    [[nodiscard]] bool has_given_up() const { return gave_up_; }

    // The phone ends without waiting for its calls: the history has every one of them.
    void over_all(Instant now);

    void on_step(Instant now, const Input& input,
                 const std::vector<holdfast::Output>& outputs) override {
        calls_.on_step(now, input, outputs);
    }
    void on_event(Instant now, const Event& event) override;

private:
    struct Line {                // what the phone knows of a call beside Calls
        std::int64_t began = 0;  // seconds since 1970
        bool held = false;
        bool held_by_other = false;
        bool ended_by_us = false;
        bool answers_at_once = false;   // by itself: nobody has to be called to the phone
        std::string refused_because{};  // or forwarded, by which rule; "": by none
        bool forwarded = false;
        std::optional<Instant> ended{};
        int status = 0;
        std::string reason{};
    };
    using Fits = bool (*)(const Call&, const Line&);

    // The one that is named, if it fits; else the only one that does. `what`: "rings here".
    Done<CallRef> choose(std::optional<CallRef> named, Fits fits, std::string_view what) const;
    [[nodiscard]] Done<AccountId> account_of(const std::string& text) const;
    [[nodiscard]] std::expected<std::string, std::string> path_for(const Call& call) const;
    [[nodiscard]] const std::string& aor_of(AccountId account) const;
    // phone_dialling.cpp
    [[nodiscard]] Done<AccountId> caller_of(const std::string& account) const;
    [[nodiscard]] Caller caller_with(AccountId account) const;
    Done<CallRef> call(AccountId account, const Done<Dialled>& whom);
    // phone_direct.cpp
    [[nodiscard]] bool is_direct(AccountId account) const;
    CallRef call_directly(AccountId host, const std::string& uri, CallSettings settings);
    void end_directly(AccountId account);
    // phone_rules.cpp
    [[nodiscard]] Verdict verdict_on_ring(const Event& ring) const;
    static Event refused_event(const Event& ring, const Refuse& refuse);
    void refuse(CallRef ref, const Refuse& refuse);
    [[nodiscard]] Done<std::string> forward_target(AccountId account,
                                                   const std::string& whom) const;
    static Event forwarded_event(const Event& ring, const Forward& forward);
    void forward(CallRef ref, const Forward& forward);
    void tell_useless_forwarding(Instant now);
    void forward_later(CallRef ref);
    void forward_unanswered(CallRef ref);
    [[nodiscard]] bool is_in_a_call_beside(CallRef ref) const;
    void answer_later(CallRef ref, const AnswerItself& how);
    void answer_itself(CallRef ref, const std::string& because);
    void note(Instant now, const Event& event);
    // phone_sound.cpp
    void leave_conference(CallRef ref);  // who waits hears none of the others
    [[nodiscard]] CallFacts facts_of(CallRef ref) const;
    [[nodiscard]] bool comes_to_nothing(const Event& event) const;
    void note_new_calls();
    [[nodiscard]] runtime::PastCall past_of(const Call& call, const Line& line) const;
    void tell(Instant now, const Event& event);
    void over(Instant now, CallRef ref, const Call& call);
    void hang_up_line(CallRef ref);
    void end_if_done();
    void give_up();

    runtime::Loop& loop_;
    runtime::Driver& driver_;
    const Engine& engine_;
    PhoneSettings settings_;
    PhoneHandlers handlers_;
    std::map<CallRef, Line> lines_;
    std::uint32_t direct_calls_ = 0;  // so many were made, each with an account of its own
    std::map<CallRef, runtime::Timer> answering_;   // those that will be answered by themselves
    std::map<CallRef, runtime::Timer> forwarding_;  // those that will be, if nobody answers
    bool leaving_ = false;
    bool shut_down_ = false;
    bool gave_up_ = false;
    runtime::Timer patience_;
    Signals signals_;
    Calls calls_;
};

// How a call went, for the history: "answered", "missed", "rejected", "answered elsewhere" (and
// "refused" and "forwarded", by a rule); of ours
// "answered", "cancelled", "busy", "no answer", "no sound", "failed".
std::string outcome_of(const Call& call, bool ended_by_us, int status, std::string_view reason);

}  // namespace holdfast::phone
