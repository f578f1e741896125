// K1, K2: one keep-alive for each flow that at least one account wants to be kept; accounts with
// the same next hop share it. flow::KeepAlive decides what and when; here its pings are composed,
// sent and matched with their answers.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/ids.h"
#include "engine/agenda.h"
#include "engine/ping_identity.h"
#include "engine/step.h"
#include "flow/agreement.h"
#include "flow/flow.h"
#include "flow/stun.h"
#include "registration/policy.h"
#include "transaction/matching.h"

namespace holdfast::engine {

flow::KeepAliveSettings keep_alive_settings(const registration::Policy& policy);
// Of two users of one flow the stricter: neither gets less than it asked for.
flow::KeepAliveSettings strictest(const flow::KeepAliveSettings& a,
                                  const flow::KeepAliveSettings& b);

class KeepAliveDesk {
public:
    struct Wish {
        PingIdentityPtr identity;
        flow::KeepAliveSettings settings;
    };
    void want(const Step& step, AccountId account, FlowId flow, Wish wish);
    void unwant(const Step& step, AccountId account, FlowId flow);
    void forget(const Step& step, AccountId account);

    // False: not the answer to a keep-alive of this flow.
    bool on_response(const Step& step, flow::Flow& flow, const sip::Message& response);
    // What STUN says of this flow's mapping, if it answers our ping.
    flow::Learned on_stun(const Step& step, flow::Flow& flow, std::string_view datagram);
    void on_pong(const Step& step, flow::Flow& flow);
    void on_heard(flow::Flow& flow, Instant now);  // anything came from the target
    // An OPTIONS of somebody else (a probe) was answered here: it proves this kind, too.
    void on_options_answered(const Step& step, flow::Flow& flow);
    void on_agreement(const Step& step, flow::Flow& flow, const flow::Agreement& agreement);
    // N5: a mapping that changes too often shortens the interval, until it rests.
    void on_mapping(const Step& step, flow::Flow& flow);
    void verify_all(const Step& step);  // K5
    void on_flow_ended(FlowId flow);

    // The flows whose pong is missing: they have failed, and the caller closes them.
    std::vector<FlowId> on_time(const Step& step);
    [[nodiscard]] Deadline next_deadline() const { return agenda_.next(); }

private:
    // Many accounts have few different settings: what is strictest is known without asking all of
    // them.
    using SettingsKey =
        std::tuple<flow::KeepAliveKind, Duration, Duration, Duration, Duration, bool>;
    struct Kept {
        std::map<AccountId, Wish> wishes;
        std::map<SettingsKey, std::size_t> settings;
        std::string branch{};
        flow::StunTransaction stun{};
        std::string last{};  // the last ping, octet by octet
        bool shortened = false;
    };
    static SettingsKey key_of(const flow::KeepAliveSettings& settings);
    bool drop(Kept& kept, AccountId account);
    void apply(const Step& step, FlowId flow, Kept& kept);
    void send_ping(const Step& step, flow::Flow& flow, Kept& kept);
    void watch(const flow::Flow& flow);

    std::map<FlowId, Kept> kept_;
    // Flows lost in a row for a pong that this target has never sent, though it agreed to.
    std::map<Target, int> pongs_missed_;
    Agenda<FlowId> agenda_;
};

}  // namespace holdfast::engine
