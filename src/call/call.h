// One call, as a person has it: from the first INVITE until nobody is there any more (RFC 3261 §13
// – §15). Several early dialogs of a forked INVITE are one call.
//
//   dialled:   calling ──2xx──► established ──BYE──► ending ──► over
//   incoming:  ringing ──our 2xx──► answered ──ACK──► established …
//
// In `ending` nothing concerns the user any more; what is owed to the peers is still done: a CANCEL
// waits for its final answer, a 2xx that comes too late gets ACK and BYE.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "base/timers.h"
#include "call/machine.h"
#include "call/referral.h"
#include "call/repeater.h"
#include "call/session_timer.h"
#include "dialog/dialog.h"
#include "sdp/negotiation.h"

namespace holdfast::call {

enum class State : std::uint8_t { idle, calling, ringing, answered, established, ending, over };
std::string_view name_of(State state);

class Call {
public:
    explicit Call(Identity identity);

    // Any told is legal at any time; what does not apply is ignored.
    void handle(const Told& told, const Context& context);
    [[nodiscard]] Deadline next_deadline() const;

    [[nodiscard]] State state() const { return state_; }
    [[nodiscard]] bool is_over() const { return state_ == State::over; }
    // Where the next request of its dialog goes first (RFC 3261 §12.2.1.1), a URI; nothing: there
    // is no dialog yet, or none any more.
    [[nodiscard]] std::optional<std::string> next_hop() const;
    // Something is on its way to the peer, or owed to it: a BYE without its answer, an ACK to come,
    // what has become of a REFER.
    [[nodiscard]] bool owes() const {
        return !pending_.empty() || has_abandoned_out() || ours_ || bye_wanted_ ||
               !byes_owed_.empty() || (referral_ && referral_->owes_report());
    }
    // A BYE that did not get there, and has no other way yet.
    [[nodiscard]] bool has_bye_waiting() const { return !byes_owed_.empty(); }
    [[nodiscard]] const Identity& identity() const { return self_; }
    // Of one that rings here; else nobody's.
    [[nodiscard]] const sip::Message& their_invite() const { return their_invite_; }
    [[nodiscard]] bool is_withheld() const { return options_.number == Number::withheld; }
    // The peer was asked to call somebody, and it is not known yet what became of that.
    [[nodiscard]] bool is_transferring() const { return transfer_.has_value(); }
    // RFC 3891 §3: the dialog with that tag of the peer.
    enum class Standing : std::uint8_t {
        unknown,
        early_of_ours,    // we have called
        early_of_theirs,  // it rings here
        confirmed,
        ended,
    };
    [[nodiscard]] Standing standing_of(std::string_view remote_tag) const;
    // What a REFER of the peer asks for, as long as nobody has dialled it.
    [[nodiscard]] const Referral* awaited_referral() const;
    // Null: the call has no answer.
    [[nodiscard]] const dialog::Dialog* dialog() const;
    [[nodiscard]] const std::string& dialled_uri() const { return invite_.request_uri; }

private:
    enum class Timer : std::uint8_t {
        ring,           // nobody answers: 480, or 487 if the INVITE expired
        ring_again,     // §13.3.1.1: a provisional answer every minute
        no_answer,      // an outgoing call is given up
        glare,          // §14.1
        refresh_again,  // a refresh, or a new Contact, that was refused; what offers does not wait
        linger,         // late 2xx of other branches (RFC 6026 §7.2)
        unanswered,     // a re-INVITE that has a 1xx and nothing more
        digit,          // the one before is heard there, or a pause
        count
    };
    struct Leg {  // a dialog that came of our INVITE, or the only one of theirs
        enum class Fate : std::uint8_t { early, chosen, unwanted };
        dialog::Dialog dialog;
        Fate fate = Fate::early;
        // Of an early dialog that has answered; the chosen one's is Call::session_.
        std::optional<sdp::Negotiation> session{};
        std::optional<std::uint32_t> last_rseq{};
        bool rings = false;
    };
    enum class Purpose : std::uint8_t {
        invite,   // the first one
        change,   // re-INVITE or UPDATE with an offer
        refresh,  // RFC 4028, or a new Contact: UPDATE without an offer
        prack,
        bye,
        refer,
        notify,  // of a REFER of theirs
        info,    // a digit
    };
    struct Digit {
        char key = 0;  // 0-9 * # A-D, or a comma
        sip::DigitForm form = sip::DigitForm::relay;
        Duration length{};  // of its sound
    };
    struct Pending {  // a client transaction of ours without a final answer
        RequestId id;
        Purpose purpose = Purpose::bye;
        std::string remote_tag{};  // whose leg; "" for the first INVITE
        dialog::Request request;
        std::size_t challenges = 0;
        bool moves = false;    // it tells the peer a new Contact of ours
        std::size_t ways = 0;  // so often it did not get there
        bool cancelled = false;
        Digit digit{};  // Purpose::info
    };
    struct Acknowledged {  // of our last re-INVITE: a copy of its 2xx gets the ACK again
        RequestId id;
        std::uint32_t cseq = 0;
    };
    struct Abandoned {  // an INVITE whose server is asked no more: it may be answered late
        RequestId id;
        std::uint32_t cseq = 0;
        std::string remote_tag{};  // "": the first one
        bool cancelled = false;
        bool accepted = false;  // only copies of its 2xx can come
    };
    struct Ours {  // a 2xx of ours that waits for its ACK (§13.3.1.4)
        act::Respond response;
        std::uint32_t cseq = 0;
        bool has_offer = false;  // the ACK brings the answer
        Repeater repeater{};
    };
    struct Digits {                    // of ours, that go by INFO
        std::vector<Digit> waiting{};  // limits::digits at most
        std::size_t ways = 0;          // so often the next one did not get there
        bool waits_for_way = false;    // Timer::digit runs for that
        bool are_under_way = false;    // it is not told yet what has become of them
    };
    struct Provisional {  // a reliable one that waits for its PRACK (RFC 3262 §3)
        act::Respond response;
        std::uint32_t rseq = 0;
        Repeater repeater{};
    };

    // call.cpp: what happens to every call, and its end.
    void on(const told::Time&, const Context& context);
    void on(const told::HangUp& hang_up, const Context& context);
    void on(const told::Response& response, const Context& context);
    void on(const told::Failed& failed, const Context& context);
    RequestId send(Pending pending, const Context& context);
    bool send_again_with_credentials(const Pending& pending, const told::Response& response,
                                     const Context& context);
    std::optional<Pending> take_pending(RequestId id);
    Pending* find_pending(RequestId id);
    void say_bye(Leg& leg, std::string headers, const Context& context);
    void end(int status, std::string words, const Context& context);
    void tell(EventKind kind, int status, std::string words, const Context& context) const;
    void tell_media(const std::optional<sdp::Agreement>& agreement, const Context& context);
    void settle(const Context& context);
    Leg* leg_of(std::string_view remote_tag);
    Leg* chosen();

    // way.cpp: the way to the peer is another one, or what was sent did not get there.
    void on(const told::WayChanged&, const Context& context);
    void on(const told::WayFound&, const Context& context);
    void on_invite_failed(const told::Failed& failed, const Context& context);
    void on_change_failed(const Pending& pending, const told::Failed& failed,
                          const Context& context);
    bool on_unreadable_success(const told::Failed& failed, const Context& context);
    void on_unreadable_change(const Pending& pending, const told::Failed& failed,
                              const Context& context);
    void abandon(const Pending& invite);
    bool on_late_answer(const told::Response& response, const Context& context);
    void on_late_success(const Abandoned& invite, const told::Response& response,
                         const Context& context);
    void on_change_proceeds(const Pending& pending, const Context& context);
    void cancel_change(const Context& context);
    [[nodiscard]] bool has_abandoned_out() const;
    void owe(Pending bye, const Context& context);
    void wait_for_way(const Context& context);
    void send_what_waits(const Context& context);
    void dialog_is_gone(int status, std::string words, const Context& context);
    void tell_contact_again(std::optional<std::uint32_t> after, const Context& context);
    void acknowledge_lost_change(const Context& context);

    // outgoing.cpp: our first INVITE and its answers.
    void on(const told::Dial& dial, const Context& context);
    void send_invite(const Context& context);
    void on_provisional(const told::Response& response, const Context& context);
    void on_success(const sip::Message& response, const Context& context);
    void choose(Leg& leg, const sip::Message& response, const Context& context);
    void on_refusal(const told::Response& response, const Context& context);
    bool redirect(const sip::Message& response, const Context& context);
    Leg* leg_for(const sip::Message& response);
    bool try_next_target(const Context& context);
    bool acknowledge_provisional(Leg& leg, const sip::Message& response, const Context& context);
    void on_early_media(Leg& leg, const sip::Message& response, const Context& context);
    void give_up_calling(int status, std::string words, const Context& context);

    // incoming.cpp: their first INVITE and our answer.
    void on(const told::Invited& invited, const Context& context);
    void on(const told::Answer& answer, const Context& context);
    void on(const told::Reject& reject, const Context& context);
    void on(const told::Cancelled& cancelled, const Context& context);
    void on(const told::Acknowledged& acknowledged, const Context& context);
    void ring(const Context& context);
    void refuse(int status, std::string headers, std::string words, const Context& context);
    void send_success(act::Respond response, std::uint32_t cseq, bool has_offer,
                      const Context& context);
    void on_prack(const told::Request& request, const Context& context);

    // in_dialog.cpp: requests of the peer in the dialog.
    void on(const told::Request& request, const Context& context);
    void on_bye(const told::Request& request, Leg& leg, const Context& context);
    void on_change(const told::Request& request, Leg& leg, const Context& context);
    void answer_change(const told::Request& request, Leg& leg, const Context& context);
    [[nodiscard]] std::optional<act::Respond> refusal_of_change(const told::Request& request,
                                                                const Context& context) const;

    void on_info(const told::Request& request, const Context& context);

    // digits.cpp: ours, by INFO.
    void on(const told::Press& press, const Context& context);
    void send_next_digit(const Context& context);
    void on_digit_answer(const Pending& pending, const told::Response& response,
                         const Context& context);
    void on_digit_lost(const Pending& pending, const told::Failed& failed, const Context& context);
    void digits_failed(int status, std::string words, const Context& context);
    void learn_what_peer_takes(const sip::Message& message);

    // change.cpp: what we change: hold, resume, other media, another Contact, refreshes.
    void on(const told::Hold&, const Context& context);
    void on(const told::Resume&, const Context& context);
    void on(const told::MediaChanged& changed, const Context& context);
    void change_if_possible(const Context& context);
    void send_change(const Context& context);
    void send_refresh(const Context& context);
    void on_change_answer(const Pending& pending, const told::Response& response,
                          const Context& context);
    void on_change_success(const Pending& pending, const sip::Message& response,
                           const Context& context);
    void change_failed();
    void want_refresh_again(const Context& context, std::optional<std::uint32_t> after);
    void wait_for_glare(const Context& context);
    void tell_holding(const Context& context);
    void begin_session(std::vector<sdp::LocalStream> streams, Random& random);
    [[nodiscard]] std::vector<sdp::LocalStream> wanted_streams() const;
    [[nodiscard]] bool is_held_by_peer() const;
    [[nodiscard]] bool has_change_out() const;

    // transfer.cpp: calls that are handed on (RFC 3515, RFC 3891).
    void on(const told::Transfer& transfer, const Context& context);
    void on(const told::ReferredCall& call, const Context& context);
    void on(const told::Replaced& replaced, const Context& context);
    void on_refer(const told::Request& request, const Leg& leg, const Context& context);
    void on_notify(const told::Request& request, const Context& context);
    void on_refer_answer(const told::Response& response, const Context& context);
    void on_refer_failed(int status, const std::string& words, const Context& context);
    void on_refer_lost(const told::Failed& failed, const Context& context);
    void on_notify_answer(bool success);
    void on_notify_lost(const told::Failed& failed, const Context& context);
    void send_refer(const Context& context);
    void on_news(const News& news, const Context& context);
    void transfer_failed(int status, std::string words, const Context& context);
    void work_on_referrals(const Context& context);
    [[nodiscard]] std::optional<Refusal> refusal_of_referral(const Leg& leg) const;

    Identity self_;
    Options options_;
    State state_ = State::idle;
    bool dialled_ = false;
    bool told_end_ = false;
    bool told_media_ = false;

    // What the application has, and what is made of it with the other side (RFC 3264).
    std::vector<sdp::LocalStream> streams_;
    bool held_ = false;  // by us
    sdp::Negotiation session_{{}};
    SessionTimer session_timer_;
    std::vector<Leg> legs_;
    std::vector<Pending> pending_;
    std::uint32_t last_request_ = 0;
    Timers<Timer> timers_;

    // Of our first INVITE.
    dialog::Request invite_;
    RequestId invite_id_;
    std::vector<std::string> targets_;  // of a 3xx, those not yet tried
    std::size_t redirects_ = 0;
    std::size_t interval_rounds_ = 0;
    bool had_provisional_ = false;
    bool cancel_wanted_ = false;
    bool cancel_sent_ = false;

    // Of their first INVITE.
    ServerId invited_;  // 0: answered, or not incoming
    sip::Message their_invite_;
    int status_when_over_ = 480;
    std::optional<Provisional> provisional_;
    std::optional<Ours> ours_;
    bool bye_wanted_ = false;

    Digits digits_;
    std::optional<OurReferral> transfer_;
    std::optional<TheirReferral> referral_;
    std::size_t referrals_ = 0;  // of theirs, that were accepted

    // What did not get there waits for a way (way.cpp).
    bool waits_for_way_ = false;  // Timer::glare runs for that
    bool invite_waits_ = false;
    std::size_t ways_tried_ = 0;
    std::size_t ways_missed_ = 0;       // of these there was none
    std::vector<Abandoned> abandoned_;  // sent elsewhere meanwhile (F1)
    std::vector<Pending> byes_owed_;
    std::optional<Acknowledged> lost_change_;  // a re-INVITE: the peer may have accepted it
    std::size_t contact_refused_ = 0;          // in a row

    Acknowledged last_change_;
    // What we want to change as soon as it is possible.
    bool offer_wanted_ = false;
    bool refresh_wanted_ = false;
    bool target_refresh_wanted_ = false;
    bool peer_takes_update_ = false;
    bool peer_takes_info_ = false;
    bool told_held_by_us_ = false;
    bool told_held_by_peer_ = false;
};

// What we can do in a call, in every request and answer that makes or keeps one (RFC 3261 §20.5,
// §20.37).
constexpr std::string_view allow_line =
    "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, NOTIFY, PRACK, UPDATE, INFO, REFER\r\n";
constexpr std::string_view supported_line = "Supported: 100rel, timer, replaces, norefersub\r\n";

}  // namespace holdfast::call
