// Everything that can happen to an engine. Each stimulus is one (Instant, Input): recorded in the
// field, replayed in the lab.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "base/address.h"
#include "base/dns.h"
#include "base/flow_error.h"
#include "base/ids.h"
#include "call/options.h"
#include "registration/account.h"
#include "sdp/stream.h"
#include "sip/digit_form.h"

namespace holdfast {

namespace in {

struct Time {};  // just time: a deadline has come

struct FlowOpened {
    FlowId flow;
    Endpoint local;             // our end, as the socket has it
    std::string verified_name;  // TLS: the name the certificate was verified for
};
// The flow could not be opened, or (UDP) ICMP came for a datagram on it. A UDP flow stays usable.
struct FlowFailed {
    FlowId flow;
    FlowError error = FlowError::refused;
    std::string detail;  // words of the system or of TLS
};
struct FlowClosed {  // it was open and is gone
    FlowId flow;
    FlowError error = FlowError::closed_by_peer;
    std::string detail;
};
struct Received {  // one datagram, or stream bytes as they came
    FlowId flow;
    std::string bytes;
};
struct Stray {  // a datagram on our port from an endpoint that is no flow's target
    Endpoint local;
    Endpoint remote;
    std::string bytes;
};
struct DnsAnswer {
    QueryId query;
    dns::Answer answer;
};
// The host's usable source addresses now; also the first input of all. woke: the host slept (K5).
struct NetworkChanged {
    std::vector<IpAddress> addresses;
    bool woke = false;
};

// One that is being removed comes back as configured here, as soon as it has unregistered.
struct AddAccount {
    AccountId account;  // chosen by the driver, not 0
    registration::AccountConfig config;
};
struct RemoveAccount {  // unregisters first
    AccountId account;
};
struct RegisterNow {  // all accounts if 0
    AccountId account;
};
struct ChangePassword {
    AccountId account;
    Redacted<std::string> password;
};
struct HangUp {  // that call; without one every call of the account
    AccountId account;
    CallRef call{};
};
// Of an account that takes calls. How a call gets its sound: docs/calls.md.
struct Dial {
    AccountId account;
    CallRef call;     // chosen by the driver, below 2^31 and not in use; not 0
    std::string uri;  // sip:, sips: or tel:
    std::vector<sdp::LocalStream> streams;
    call::Options options{};
    // The call of an Event `referred` that is obeyed: its Refer-To is dialled, not the URI above,
    // and its other side is told what becomes of it.
    CallRef referred_by{};
};
struct Answer {  // the call of an Event `ring`
    CallRef call;
    std::vector<sdp::LocalStream> streams;
};
struct Reject {
    CallRef call;
    int status = 486;  // 400–699: 486 busy, 603 declined, 480 not available, …
    // sip:, sips: or tel: where the caller is sent instead, by a 302; "": nowhere.
    std::string forward_to{};
    call::Diverted why = call::Diverted::deflection;
};
// Digits by INFO, in an answered call, after those that wait; Event digits_sent, or digits_failed
// if they are not taken (256 may wait) or not sent. As tones or telephone events they are a matter
// of the media.
struct Press {
    CallRef call;
    std::string digits;  // 0-9 * # A-D, a comma is a pause of 1 s
    sip::DigitForm form = sip::DigitForm::relay;
    // Of the sound of one digit, kept within 40 ms and 8 s.
    Duration length = std::chrono::milliseconds{160};
};
// The other side of the call is asked to call the target (RFC 3515); the call ends when that has
// come about. Events transferring, transferred, transfer_failed.
struct Transfer {
    CallRef call;
    std::string target;  // sip:, sips: or tel:
    call::Reports reports = call::Reports::wanted;
};
// The same to the other side of another call of the account, which ends as well (RFC 3891); of one
// that only rings there: it is given up, and the other side calls anew.
struct TransferTo {
    CallRef call;
    CallRef other;
};
struct Hold {
    CallRef call;
};
struct Resume {
    CallRef call;
};
struct MediaChanged {  // other streams, or other addresses of the same: the other side is asked
    CallRef call;
    std::vector<sdp::LocalStream> streams;
};
struct ShutDown {};  // unregisters all (2 s at most), then Event stopped

}  // namespace in

using Input = std::variant<in::Time, in::FlowOpened, in::FlowFailed, in::FlowClosed, in::Received,
                           in::Stray, in::DnsAnswer, in::NetworkChanged, in::AddAccount,
                           in::RemoveAccount, in::RegisterNow, in::ChangePassword, in::HangUp,
                           in::Dial, in::Answer, in::Reject, in::Press, in::Transfer,
                           in::TransferTo, in::Hold, in::Resume, in::MediaChanged, in::ShutDown>;

}  // namespace holdfast
