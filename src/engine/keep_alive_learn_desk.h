// K4: learns how long the NAT keeps an idle mapping, once for each address family, on a spare port
// to the target that has a binding. flow::KeepAliveLearn decides what and when; here its pings are
// composed, sent and matched, and what was learned is kept, on disk too.
//
// What was learned belongs to one NAT: it counts while our own address and the public one are those
// it was learned with, and is forgotten with either of them.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "engine/agenda.h"
#include "engine/persistence.h"
#include "engine/ping_identity.h"
#include "engine/step.h"
#include "flow/flow.h"
#include "flow/keep_alive.h"
#include "flow/keepalive_learn.h"
#include "flow/stun.h"

namespace holdfast::engine {

class KeepAliveLearnDesk {
public:
    // persistence: outlives the desk; has what an earlier run learned.
    explicit KeepAliveLearnDesk(Persistence& persistence) : persistence_(persistence) {}

    // The account has a binding on this UDP flow and its policy wants to learn.
    void want(AccountId account, FlowId flow, PingIdentityPtr identity);
    void unwant(AccountId account, FlowId flow);
    void forget(AccountId account);

    // An answer came on a flow: its mapping is known, and what kind of ping is answered there.
    void on_answer(const Step& step, const flow::Flow& flow);
    // Of the spare flow: everything that happens to it.
    void on_flow_opened(const Step& step, const flow::Flow& flow);
    void on_datagram(const Step& step, flow::Flow& flow, std::string_view bytes);
    void on_flow_ended(const Step& step, FlowId flow);
    // K5: a trial that runs says nothing about the network we are in now.
    void on_network_changed(const Step& step);
    void on_time(const Step& step);
    [[nodiscard]] Deadline next_deadline() const { return agenda_.next(); }

    // The longest idle time that was survived behind this flow's NAT; nothing: not known.
    [[nodiscard]] std::optional<Duration> interval(const flow::Flow& flow) const;
    // Whose keep-alives are to be set anew, since the last call.
    [[nodiscard]] std::vector<std::pair<AccountId, FlowId>> take_changed();

private:
    struct Learned {
        Duration interval{};
        IpAddress own;
        IpAddress public_address;
    };
    struct Trial {
        flow::KeepAliveLearn machine{};
        FlowId flow;
        Target target{};
        PingIdentityPtr identity;
        bool with_stun = false;
        std::string branch{};
        flow::StunTransaction stun{};
        std::string last{};  // the last ping, octet by octet
    };
    struct Place {
        bool restored = false;
        std::optional<Learned> learned{};
        std::optional<Trial> trial{};
        Instant not_before{};  // after a trial that taught nothing
        std::optional<Target> failed_at{};
        std::string told{};
    };
    Place& place_of(Family family);
    Trial* trial_on(FlowId flow);
    void begin(const Step& step, Place& place, const flow::Flow& flow, PingIdentityPtr identity);
    void perform(const Step& step, Family family, flow::LearnStep what);
    void send(const Step& step, Trial& trial);
    void finish(const Step& step, Family family, Place& place);
    void drop_learned(const Step& step, Family family, Place& place);
    static std::optional<Learned> decode(std::string_view text);
    static std::string encode(const Learned& learned);

    Persistence& persistence_;
    std::map<FlowId, std::map<AccountId, PingIdentityPtr>> wanted_;
    std::map<Family, Place> places_;
    Agenda<Family> agenda_;
    bool changed_ = false;
};

// The policy's settings with the learned interval in place of theirs: 80–100 % of it, as for every
// interval that is a longest one.
flow::KeepAliveSettings with_interval(flow::KeepAliveSettings settings,
                                      std::optional<Duration> learned);

}  // namespace holdfast::engine
