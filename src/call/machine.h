// What a call is told, and what it asks for in return. The engine stands above: it owns flows,
// transactions and credentials, and knows the way of each request.
//
//   told::X  ── handle(told, context) ──►  act::Y
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/event.h"
#include "base/ids.h"
#include "base/outbox.h"
#include "base/random.h"
#include "base/time.h"
#include "call/caller.h"
#include "call/limits.h"
#include "call/options.h"
#include "dialog/request.h"
#include "sdp/stream.h"
#include "sip/digit_form.h"
#include "sip/message.h"

namespace holdfast::call {

using RequestId = Id<struct CallRequestTag>;  // a client transaction; unique in a call
using ServerId = Id<struct CallServerTag>;    // a server transaction; unique in the engine

namespace act {

// A client transaction. Answered by told::Response for each response, and by told::Failed if no
// final one came.
struct Send {
    RequestId id;
    dialog::Request request;
};
// The ACK of a 2xx (RFC 3261 §13.2.2.4), with the credentials of its INVITE (§22.1).
struct Acknowledge {
    RequestId invite;
    dialog::Request ack;
};
struct Cancel {
    RequestId invite;
};
// A response; To tag and Contact are added where they belong.
struct Respond {
    ServerId to;
    int status = 200;
    std::string reason{};   // "": the RFC's phrase
    std::string headers{};  // complete lines
    bool has_contact = false;
    std::string body{};  // SDP, or ""
};

}  // namespace act

// Event: without account and call, which the engine knows. Media: what was agreed, or its end.
using Action =
    std::variant<act::Send, act::Acknowledge, act::Cancel, act::Respond, out::Media, Event>;
using Actions = std::vector<Action>;

// What the engine thinks of a 401 or 407 (F5, L9).
enum class Challenge : std::uint8_t {
    none,        // the response is no challenge
    can_answer,  // the same request again will carry an answer
    refused,     // words say why
};

namespace told {

struct Time {};
struct Dial {
    std::string uri;  // parsed before
    std::vector<sdp::LocalStream> streams;
    Options options;
};
struct Invited {  // the INVITE that begins an incoming call; valid during the call
    ServerId server;
    const sip::Message* invite = nullptr;
    Source source = Source::anybody;
};
struct Answer {
    std::vector<sdp::LocalStream> streams;
};
struct Reject {
    int status = 486;       // 300–699; what is not is 480
    std::string headers{};  // complete lines
    std::string words = "rejected";
};
struct HangUp {
    std::string words = "hung up";
    int unanswered = 487;  // the status of one of ours that has no answer yet
};
struct Hold {};
struct Resume {};
struct MediaChanged {
    std::vector<sdp::LocalStream> streams;
};
struct Press {           // digits that go by INFO, after those that wait; only in an answered call
    std::string digits;  // 0-9 * # A-D, a comma is a pause of 1 s; else digits_failed
    sip::DigitForm form = sip::DigitForm::relay;
    Duration length = std::chrono::milliseconds{160};  // of the sound of one digit: 40 ms to 8 s
};
struct Transfer {
    std::string target;  // as in Refer-To, between the brackets; parsed before
    Reports reports = Reports::wanted;
};
// What becomes of the call that a REFER of the peer asks for: dialled (100), and each answer.
struct ReferredCall {
    int status = 100;  // 0: it came to no answer
};
struct Replaced {  // another call is answered in the place of this one (RFC 3891 §3)
    std::string words{};
};
struct WayChanged {};  // our Contact is another now: the peer must learn it (§12.2.1.1)
struct WayFound {};    // there is one again, or another: what did not get there goes now
struct Request {       // a request of a dialog of ours, not ACK or CANCEL
    ServerId server;
    const sip::Message* message = nullptr;
};
struct Cancelled {  // the INVITE that began the call was cancelled; the CANCEL has its 200
    const sip::Message* message = nullptr;
};
struct Acknowledged {  // an ACK of a 2xx of ours
    const sip::Message* message = nullptr;
};
struct Response {
    RequestId id;
    const sip::Message* message = nullptr;
    Challenge challenge = Challenge::none;
    std::string words{};
};
enum class Lost : std::uint8_t {
    answer,  // RFC 3261 §8.1.3.1: no final answer in time is a 408
    way,     // it did not get there: no flow, or the flow failed; a 503
    // It was on its way when its connection was lost: nobody had answered, or there was a 1xx.
    unheard,
    underway,
    unavailable,  // RFC 3263 §4.3: a 503, and there is another server; whatever rang before is over
    // Nobody has answered, and its server is asked no more. It may answer late; the end of the
    // transaction is told with another Failed.
    left,
    unreadable,  // there was a final answer, past a limit of ours (I8)
};
struct Failed {  // no final response, or none that could be read
    RequestId id;
    Lost lost = Lost::answer;
    std::string words{};
    int status = 0;                      // unreadable: of the answer
    const sip::Message* head = nullptr;  // unreadable: as much of it as could be read, or nothing
};

}  // namespace told

using Told =
    std::variant<told::Time, told::Dial, told::Invited, told::Answer, told::Reject, told::HangUp,
                 told::Press, told::Transfer, told::ReferredCall, told::Replaced, told::Hold,
                 told::Resume, told::MediaChanged, told::WayChanged, told::WayFound, told::Request,
                 told::Cancelled, told::Acknowledged, told::Response, told::Failed>;

struct Context {
    Instant now;
    Random& random;
    Actions& actions;
    template <class T>
    void act(T&& action) const {
        actions.emplace_back(std::forward<T>(action));
    }
};

// Who we are in this call.
struct Identity {
    std::string aor;
    std::string display_name{};
    std::string call_id;
    std::string tag;  // ours
    bool follows_transfers = true;
    std::size_t ways = limits::ways;  // so often its INVITE goes another way
};

}  // namespace holdfast::call
