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
#include "registration/account.h"

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
struct HangUp {  // the incoming call of the account, if any
    AccountId account;
};
struct ShutDown {};  // unregisters all (2 s at most), then Event stopped

}  // namespace in

using Input =
    std::variant<in::Time, in::FlowOpened, in::FlowFailed, in::FlowClosed, in::Received, in::Stray,
                 in::DnsAnswer, in::NetworkChanged, in::AddAccount, in::RemoveAccount,
                 in::RegisterNow, in::ChangePassword, in::HangUp, in::ShutDown>;

}  // namespace holdfast
