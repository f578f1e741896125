// The calls of a phone: what a person does with a call becomes inputs of the engine and commands of
// the media, and what these two say becomes Events. One session of sound per call, under the call's
// number.
//
//   Calls calls{driver, media, tell};
//   driver.add_observer(calls);
//   const auto call = calls.dial(account, "sip:bob@example.test", settings);
//   calls.hang_up(call);             → Events, and `over` when its sound is closed
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/event.h"
#include "call/options.h"
#include "media/engine.h"
#include "runtime/driver.h"
#include "sip/digit_form.h"

namespace holdfast::phone {

constexpr std::size_t digits_waiting_most = 128;
constexpr std::size_t text_most = 500;  // octets of what another side says of itself, or of the end

struct CallSettings {
    media::SessionOptions sound{};
    std::string record{};  // a sound file for both directions, from the answer on; "": none
    std::string dtmf{};    // sent once the call is answered and the sound flows
    // Digits go by INFO, in this form; none: as sound.dtmf says, and where that is left to us by
    // INFO if the other side has no telephone events and takes it.
    std::optional<sip::DigitForm> info{};
    bool microphone_muted = false;  // from the beginning
    bool speaker_muted = false;
    call::Options options{};
};

enum class Stage : std::uint8_t {
    opening,  // its sound gets ports and devices
    calling,  // we have called
    ringing,  // there, or here if it is incoming
    talking,  // answered
    ending,   // has ended; its sound is being closed
};

struct Call {
    AccountId account{};
    bool incoming = false;
    std::string peer{};           // the URI that was dialled, or who calls
    std::optional<Target> via{};  // the server that an incoming call came from
    Stage stage = Stage::opening;
    bool no_sound = false;  // it ends because its sound cannot be had; an Event has said why
    std::string why_no_sound{};
    bool is_heard = false;  // RTP comes from the other side
    std::optional<Instant> answered{};
    CallRef referred_by{};              // the call whose other side has asked for this one
    std::string recording{};            // the file it is recorded to, from its answer on; "": none
    std::vector<CallRef> conference{};  // those whose other sides hear this one's, and it theirs
};

class Calls final : public runtime::Observer {
public:
    using Tell = std::function<void(Instant, const Event&)>;
    using Over = std::function<void(Instant, CallRef, const Call&)>;

    // Both must outlive the calls. `tell` gets the media's Events (the driver's observers get the
    // engine's); `over` each call that has ended, when its sound is closed and recordings are
    // whole.
    Calls(runtime::Driver& driver, media::Engine& media, Tell tell, Over over)
        : driver_(driver), media_(media), tell_(std::move(tell)), on_over_(std::move(over)) {}

    // The user's commands. What does not apply to the call, or a call that is not there, is
    // ignored.
    CallRef dial(AccountId account, const std::string& uri, CallSettings settings);
    // With an account that looks for its way just now (AccountDetails::direct_to): the call goes
    // out when it has one (Event connected), and ends if there is none (not_connected).
    CallRef dial_when_connected(AccountId account, const std::string& uri, CallSettings settings);
    // The account is gone, and had no other call.
    void forget(AccountId account) { registered_at_.erase(account); }
    void answer(CallRef call, CallSettings settings);
    void reject(CallRef call, int status);
    // The caller is sent to the URI instead (302).
    void forward(CallRef call, const std::string& uri, call::Diverted why);
    void hang_up(CallRef call);
    // Its other side is to call the URI instead; the call ends when that has come about (Events).
    void transfer(CallRef call, const std::string& uri);
    // The same, to the other side of another call of the account, which ends as well.
    void connect(CallRef call, CallRef other);
    void hang_up_all();
    void hold(CallRef call);
    void resume(CallRef call);
    // The same once the digits that wait have been sent, or cannot be.
    void transfer_after_digits(CallRef call, const std::string& uri);
    // After those that are still to be sent; before the answer and the sound they wait for it.
    // False, and nothing is sent, if more than digits_waiting_most would.
    bool press(CallRef call, const std::string& digits);
    void mute(CallRef call, bool microphone, bool speaker);
    // Both directions, from now on or, before the answer, from that on; Event `recorded` when it
    // has stopped, `sound_failed` if it cannot be.
    void record(CallRef call, const std::string& path);
    void stop_recording(CallRef call);
    // Every call is recorded from its answer on, to a file that is named then; or why not.
    using PathOf = std::function<std::expected<std::string, std::string>(const Call&)>;
    void record_all(PathOf path_of) { path_of_ = std::move(path_of); }
    // The other sides of the two hear each other, and all with whom `with` is in a conference; a
    // notice says who they are, or `sound_failed` why not.
    void join(CallRef call, CallRef with);
    void split(CallRef call);
    // What the call sounds like now; nullptr: it has no sound.
    [[nodiscard]] const CallSettings* settings(CallRef call) const;

    // What the media say: when its descriptor is readable.
    void on_media(Instant now);

    // It is over, however far its sound is.
    void give_up(Instant now, CallRef call) { over(now, call); }

    void on_step(Instant now, const Input& input,
                 const std::vector<holdfast::Output>& outputs) override;
    void on_event(Instant now, const Event& event) override;

    [[nodiscard]] bool empty() const { return calls_.empty(); }
    [[nodiscard]] const std::map<CallRef, Call>& all() const { return calls_; }

private:
    struct Flow {
        Target target;
        std::optional<Endpoint> local;  // once it is open
    };
    struct Sound {  // of a call, beside what is told of it
        CallSettings settings;
        bool is_open = false;     // the media have the session
        bool flows = false;       // ours is on its way
        bool may_send = true;     // as far as is agreed: no answer, or one that takes it
        bool has_events = false;  // the other side knows telephone events (RFC 4733)
        bool takes_info = false;  // and says that it takes INFO
        bool agreed = false;      // the media know what was agreed on: there is something to record
        // As the other side was told of it; none: the media have not said yet.
        std::optional<sdp::LocalStream> stream{};
        // Its address is ours towards the server, whichever that is; else somebody chose it.
        bool follows_host = false;
        // Digits that had waited and that are not sent yet; the media, or the engine, say when all
        // are.
        bool sends_digits = false;
        std::size_t digits_on_their_way = 0;  // without commas
        std::string transfer_then{};          // whither, after the digits; "": nowhere
    };

    CallRef begin(Call call, CallSettings settings);
    // call_direct.cpp
    void on_way(Instant now, const Event& event);
    bool stop_looking(Instant now, CallRef ref, std::string why);
    void follow(const Event& referred);
    void take_over(const Event& replaced);
    [[nodiscard]] std::optional<CallSettings> settings_of(CallRef call) const;
    void open_sound(CallRef call, CallSettings settings, const std::optional<Target>& target);
    [[nodiscard]] std::optional<IpAddress> address_towards(
        const std::optional<Target>& target) const;
    // call_network.cpp
    void follow_network();
    [[nodiscard]] std::optional<IpAddress> exact_address_towards(
        const std::optional<Target>& target) const;
    void close_sound(CallRef call);
    void agreed(Instant now, const out::Media& media);
    void say(Instant now, CallRef call, EventKind kind, std::string reason);
    void answered(Instant now, CallRef ref, Call& call);
    // call_digits.cpp
    static std::optional<sip::DigitForm> info_form(const Sound& sound);
    void submit_digits(CallRef ref, const Sound& sound, const std::string& digits);
    void send_digits(CallRef ref);
    void send_waiting_digits(Instant now, CallRef ref);
    void keep_digits_from(Instant now, CallRef ref, const std::string& other);
    void digits_are_sent(Instant now, CallRef ref);
    void digits_are_over(CallRef ref);
    void tell_unsent_digits(Instant now, CallRef ref);
    void end(Instant now, CallRef call);
    void end_unknown(Instant now, CallRef call, std::string why);
    void over(Instant now, CallRef call);
    Call* find(CallRef call);

    void on(Instant now, const media::out::Ready& ready);
    void on(Instant now, const media::out::Failed& failed);
    void on(Instant now, const media::out::Started& started);
    void on(Instant now, const media::out::FirstPacket& first);
    void on(Instant now, const media::out::Silent& silent);
    void on(Instant now, const media::out::Heard& heard);
    void on(Instant now, const media::out::FromElsewhere& elsewhere);
    void on(Instant now, const media::out::DtmfHeard& heard);
    void on(Instant now, const media::out::DtmfSent& sent);
    void on(Instant now, const media::out::Played& played);
    void on(Instant now, const media::out::DeviceLost& lost);
    void on(Instant now, const media::out::DeviceFound& found);
    void on(Instant now, const media::out::Recorded& recorded);
    void on(Instant now, const media::out::Measured& measured);
    void on(Instant now, const media::out::Closed& closed);
    void on(Instant now, const media::out::Joined& joined);
    void on(Instant now, const media::out::Parted& parted);
    void on(Instant now, const media::out::Listed& listed);
    void on(Instant now, const media::out::NotPlayed& not_played);
    void leave_conference(CallRef ref);
    void begin_recording(CallRef ref);
    void not_recorded(CallRef ref);

    runtime::Driver& driver_;
    media::Engine& media_;
    Tell tell_;
    Over on_over_;
    PathOf path_of_;
    std::map<CallRef, Call> calls_;
    std::map<CallRef, Sound> sounds_;
    std::map<CallRef, CallSettings> looking_;  // those whose account has no way yet
    std::map<FlowId, Flow> flows_;
    std::map<AccountId, Target> registered_at_;
    std::uint32_t last_call_ = 0;
    // What has been said of the bell, and of the other signals: that once is enough.
    std::map<std::pair<bool, bool>, std::string> not_played_;
};

}  // namespace holdfast::phone
