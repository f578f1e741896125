// A phone: the driver of an Engine, as the real runtime is one, on a host of the simulated
// internet.
//
// Kept from the real thing: stores are done before the sends of a step, and survive a crash at any
// moment; one UDP socket per family for all flows, its ICMP errors with their destination (N7), the
// same port after a restart (N6); a connect ends after 10 s; a question to DNS is answered within
// 10 s; a process that dies resets its connections.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/host_fault.h"
#include "engine/engine.h"
#include "engine/recording.h"
#include "lab/dns_zone.h"
#include "lab/internet.h"
#include "lab/nat.h"
#include "lab/tcp.h"
#include "sdp/agreement.h"

namespace holdfast::lab {

struct PhoneOptions {
    std::string aor = "sip:alice@example.test";
    std::string password = "secret";
    std::optional<Transport> transport{};
    std::string preset = "holdfast";
    std::function<void(registration::Policy&)> tune{};  // after the preset
    std::optional<Duration> expires{};
    std::uint32_t flows = 0;
    Nat* behind = nullptr;
    std::string registrar{};
    std::string outbound_proxy{};
    std::vector<registration::Backup> backups{};
    std::string auth_user{};
    std::string contact_address{};  // N4
    std::string stun{};
    std::vector<std::string> addresses{};  // its own; the world chooses if there are none
    bool ipv4 = true;                      // which the world chooses
    bool ipv6 = false;
    std::optional<Duration> dns_round_trip{};
    bool resolver_cache = false;  // a resolver that keeps answers for their TTL
    bool on = true;               // from the start
    std::string direct_to{};      // it registers nowhere, and calls there; "*": it waits for calls
    bool takes_calls = false;     // its calls are answered by give(in::Answer…), or not at all
    bool record = false;          // every step, as --record does (engine/recording.h)
    // After every step of the engine; the account is running.
    std::function<void(Instant, const AccountStatus&)> watch{};
    std::string name{};  // in the ladder; the AOR's user if empty
};

struct TimedEvent {
    Instant at;
    Event event;
};

struct TimedMedia {
    Instant at;
    out::Media media;
};

// A request as it left the phone for the first time; retransmissions are not counted again.
struct SentRequest {
    Instant at;
    Target target;
    std::string method;
    std::string call_id;  // of REGISTERs, like the next
    std::uint32_t cseq = 0;
    std::uint64_t run = 0;  // of the process
};

class Phone : public Node {
public:
    Phone(Internet& internet, DnsZone& zone, Uplink& uplink, PhoneOptions options);

    // Power and process.
    void start();       // a new engine from what is stored
    void crash();       // kill -9: nothing more is stored or sent; the kernel resets connections
    void lose_power();  // as crash, but the network hears nothing
    void restart() { start(); }
    void shut_down();  // in order: unregisters; Event stopped tells the end
    void lose_state() { state_.clear(); }

    // The host.
    void sleep();
    void wake();
    void change_address(const std::vector<IpAddress>& addresses, Uplink* uplink = nullptr,
                        Nat* behind = nullptr);
    void unplug();
    void plug_in();
    void fail_dns(DnsFault fault) { dns_fault_ = fault; }
    void heal_dns() { dns_fault_ = {}; }
    // The nth operation of that kind from now on fails, counted from 1 and over restarts; the rest
    // work.
    void fail_nth(HostFault fault, std::size_t nth) {
        host_faults_ = std::make_shared<HostFaultPlan>(fault, nth);
    }
    void fail_with_others(std::shared_ptr<HostFaultPlan> plan) { host_faults_ = std::move(plan); }
    [[nodiscard]] bool has_failed() const { return host_faults_->has_come(); }
    [[nodiscard]] const HostFaultPlan& host_faults() const { return *host_faults_; }
    void give(const Input& input);  // any other input: RegisterNow, ChangePassword, …

    // What is seen of it.
    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] const std::string& aor() const { return options_.aor; }
    [[nodiscard]] bool is_running() const { return engine_.has_value(); }
    [[nodiscard]] Instant started_at() const { return started_at_; }
    [[nodiscard]] bool is_stopped() const { return stopped_; }
    [[nodiscard]] bool is_registered() const { return engine_ && registered_; }
    [[nodiscard]] AccountStatus status() const;
    [[nodiscard]] const std::vector<TimedEvent>& events() const { return events_; }
    [[nodiscard]] std::size_t count(EventKind kind) const;
    [[nodiscard]] std::optional<Instant> first(EventKind kind,
                                               Instant since = Instant::min()) const;
    [[nodiscard]] std::string event_log() const;  // one line each, for failure messages
    // What was agreed for each call, the latest last; the application would hand it to its media.
    [[nodiscard]] const std::vector<TimedMedia>& media() const { return media_; }
    // Its audio: one stream of this host, as an application would have opened it.
    [[nodiscard]] std::vector<sdp::LocalStream> audio(std::uint16_t port = 40'000) const;
    [[nodiscard]] const std::vector<SentRequest>& sent() const { return sent_; }
    void forget_history();  // of a run of days: events() and sent() begin anew
    [[nodiscard]] const State& state() const { return state_; }
    [[nodiscard]] std::size_t step_count() const { return steps_; }
    // Of the last run of the process; "" without PhoneOptions::record.
    [[nodiscard]] const std::string& recording() const { return recording_; }

    // Targets in the order the engine ranks them; before it knows, as it will: rehearsed with the
    // same entropy.
    [[nodiscard]] std::vector<Target> ranking() const;
    [[nodiscard]] Target first_choice() const;
    // Where the (first) binding is now.
    [[nodiscard]] std::optional<Target> current_target() const;

    [[nodiscard]] const std::vector<IpAddress>& addresses() const { return addresses_; }
    [[nodiscard]] std::optional<Endpoint> udp_endpoint(Family family) const;
    [[nodiscard]] const Nat* behind() const { return options_.behind; }
    [[nodiscard]] const TcpHost& tcp() const { return tcp_; }
    [[nodiscard]] const PhoneOptions& options() const { return options_; }

    void receive(const Packet& packet) override;

    static constexpr AccountId account{1};

private:
    enum class Stage : std::uint8_t { connecting, shaking_hands, open };
    struct Flow {
        Target target;
        std::string tls_name;
        Stage stage = Stage::open;
        Endpoint local;
        bool spare = false;
    };
    struct Cached {
        dns::Answer answer;
        Instant until;
    };

    [[nodiscard]] EngineOptions engine_options() const;
    [[nodiscard]] registration::AccountConfig account_config() const;
    void end_process();
    void feed(const Input& input);
    void record(const Input& input, const std::vector<Output>& outputs);
    void later(Duration delay, Input input);  // to this run of the engine only
    void perform(std::vector<Output> outputs);
    void perform(const out::OpenFlow& open);
    void perform(const out::CloseFlow& close);
    void perform(const out::Send& send);
    void perform(const out::Resolve& resolve);
    void perform(const out::Store& store);
    void perform(const out::Media& media);
    void perform(Event& event);
    void schedule();
    void connect(FlowId id, Flow& flow);
    bool fails_now(HostFault fault);
    bool send_fails(std::map<FlowId, Flow>::iterator flow);
    void note_request(const Flow& flow, std::string_view bytes);
    [[nodiscard]] dns::Answer lookup(const dns::Question& question, Duration& delay);
    [[nodiscard]] std::optional<IpAddress> address_of(Family family) const;
    [[nodiscard]] std::uint16_t new_port();
    void on_tcp(const TcpEvent& event);
    void on_handshake(FlowId id, Flow& flow, std::string_view bytes);
    void on_datagram(const Packet& packet);
    void on_icmp(const Packet& packet);
    std::map<FlowId, Flow>::iterator flow_of(const TcpId& id);

    Internet& internet_;
    DnsZone& zone_;
    Uplink* uplink_;
    PhoneOptions options_;
    std::string name_;
    Random random_;
    Seed next_seed_{};  // of the next run of the engine
    std::vector<IpAddress> addresses_;
    std::vector<IpAddress> unplugged_;
    std::map<Family, std::uint16_t> ports_;
    std::uint16_t next_port_ = 0;
    TcpHost tcp_;
    State state_;
    std::optional<Engine> engine_;
    std::uint64_t run_ = 0;
    std::map<FlowId, Flow> flows_;
    std::map<dns::Question, Cached> cache_;
    DnsFault dns_fault_{};
    std::shared_ptr<HostFaultPlan> host_faults_ = std::make_shared<HostFaultPlan>();
    std::vector<Input> held_;  // while asleep
    bool asleep_ = false;
    bool powered_ = true;
    bool stopped_ = false;
    bool registered_ = false;
    Instant started_at_{};
    Instant wake_at_ = never;
    Instant last_time_ = never;
    int times_at_once_ = 0;
    std::size_t steps_ = 0;
    std::string recording_;
    StepRecorder step_recorder_;
    std::vector<TimedEvent> events_;
    std::vector<TimedMedia> media_;
    std::vector<SentRequest> sent_;
    std::set<std::string, std::less<>> branches_;  // of what was sent
};

}  // namespace holdfast::lab
