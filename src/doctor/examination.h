// Looks at an account from outside, step by step, with real requests, and leaves nothing behind: a
// machine of the engine's shape, for runtime::Driver or virtual time.
//
//   Examination examination{{.account = …, .seed = …}};
//   examination.handle(now, in::NetworkChanged{addresses}, outbox);   // first
//   … until Event stopped …
//   findings = judge(examination.seen(), unixtime);
//
// in::ShutDown ends it early, with its own binding removed first.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/outbox.h"
#include "base/random.h"
#include "base/tls_facts.h"
#include "doctor/finding.h"
#include "doctor/inquiry.h"
#include "doctor/post.h"
#include "doctor/seen.h"
#include "engine/engine.h"
#include "engine/input.h"
#include "flow/mapping.h"
#include "registration/account.h"
#include "registration/binding.h"
#include "registration/credentials.h"
#include "sip/stream.h"

namespace holdfast::doctor {

struct ExaminationOptions {
    registration::AccountConfig account{};
    Seed seed{};
    Instant started{};          // the engine's time at this moment …
    std::int64_t unixtime = 0;  // … and the same moment in seconds since 1970
    State state{};              // of this host's phone: only read, to know its bindings
    std::string user_agent = "Holdfast";
    std::optional<PhoneSeen> phone{};  // that runs
};

// All findings of a finished examination, in order.
Findings judge(const Seen& seen, std::int64_t unixtime);

class Examination {
public:
    explicit Examination(ExaminationOptions options);

    void handle(Instant now, const Input& input, Outbox& outbox);
    [[nodiscard]] Deadline next_deadline() const;
    // Of a flow that is about to be told open.
    void on_tls(FlowId flow, const TlsFacts& facts);

    [[nodiscard]] const Seen& seen() const { return seen_; }
    [[nodiscard]] bool done() const { return stage_ == Stage::done; }
    [[nodiscard]] bool was_interrupted() const { return interrupted_; }
    [[nodiscard]] bool ran_out_of_time() const { return timed_out_; }
    // Whether a binding of ours may be at a server now.
    [[nodiscard]] bool has_binding() const { return may_be_bound_; }
    [[nodiscard]] std::size_t requests() const { return post_.sent(); }
    [[nodiscard]] std::int64_t unixtime(Instant now) const;

private:
    enum class Stage : std::uint8_t {
        waiting,  // for the network's addresses
        asking_dns,
        meeting,   // every target: open, OPTIONS
        sizing,    // large requests
        knocking,  // a fetch at one server after the other, until one decides
        fetching,  // at the others
        pinging,   // whoever is bound
        trying,    // a binding of our own
        looking,   // whether the others list it
        looking_again,
        proving,     // R1
        stretching,  // how long a binding may last
        removing,
        done,
    };
    enum class Kind : std::uint8_t {
        ping,
        small_size,
        large_size,
        fetch,
        ask_others,
        brief,
        bind,
        look,
        prove,
        stretch,
        remove,
    };
    struct Errand {
        Kind kind = Kind::ping;
        std::size_t server = 0;
        std::string call_id{};
        std::uint32_t cseq = 0;
        std::optional<std::uint32_t> expires{};
        int rounds = 0;  // challenges answered
        bool authorized = false;
        registration::Credentials::Sent sent{};
    };
    struct Line {  // the flow to a server
        bool open = false;
        bool given_up = false;
        Instant asked_at{};
        flow::MappingMemory mapping{};
        sip::StreamFramer framer{};
        std::vector<std::string> routes{};  // Service-Route of its last 200 (L8)
    };

    // examination.cpp: stages.
    void start(Instant now, const in::NetworkChanged& network, Outbox& outbox);
    void advance(Instant now, Outbox& outbox);
    void enter(Stage stage, Instant now, Outbox& outbox);
    [[nodiscard]] bool is_idle() const;
    void meet(Instant now, Outbox& outbox);
    void measure_sizes();
    void choose_workers();
    void knock();
    void begin_trial();
    [[nodiscard]] std::string why_no_trial() const;
    void look();
    void finish(Outbox& outbox);
    void cut_short(Instant now, Outbox& outbox);

    // examination_traffic.cpp: flows, and what comes on them.
    void on(Instant now, const in::FlowOpened& opened, Outbox& outbox);
    void on_trouble(FlowId flow, FlowError error, const std::string& detail);
    void on_bytes(Instant now, FlowId flow, std::string_view bytes, Outbox& outbox);
    void on_message(Instant now, FlowId flow, std::string_view bytes, Outbox& outbox);
    void on_stray(Instant now, const in::Stray& stray, Outbox& outbox);
    void on_request(const sip::Message& request, FlowId flow, const Endpoint& source,
                    Outbox& outbox);
    [[nodiscard]] bool is_for_us(const sip::Message& request) const;
    void note_answer(Instant now, std::size_t server, const sip::Message& response);

    // examination_requests.cpp: what is sent.
    void send(Errand errand);
    std::string wire_of(Errand& errand, std::string_view branch);
    std::string ping_text(const Errand& errand, std::string_view branch) const;
    std::string register_text(Errand& errand, std::string_view branch);
    std::string options_text(Errand& errand, std::string_view branch);
    [[nodiscard]] std::string domain_uri(std::size_t server) const;
    [[nodiscard]] std::string aor_at(std::size_t server) const;
    [[nodiscard]] std::string contact_uri(std::size_t server) const;

    // examination_replies.cpp: what came of it.
    void on_reply(const Reply& reply);
    bool on_challenge(Errand& errand, const Reply& reply);
    void on_ping(const Errand& errand, const Reply& reply);
    void on_knock(const Errand& errand, const Reply& reply);
    void on_fetch(const Errand& errand, const Reply& reply);
    void on_others(const Errand& errand, const Reply& reply);
    void on_brief(const Errand& errand, const Reply& reply);
    void on_bind(const Errand& errand, const Reply& reply);
    void on_look(const Errand& errand, const Reply& reply);
    void on_proof(const Errand& errand, const Reply& reply);
    void on_stretch(const Reply& reply);
    void on_removal(const Errand& errand, const Reply& reply);
    void note_trial(const Reply& reply);
    void without_outbound_or(std::string words);
    [[nodiscard]] BindingSeen binding_of(const sip::Contact& contact) const;
    [[nodiscard]] const sip::Contact* trial_in(const sip::Message& response) const;
    [[nodiscard]] std::string in_words(const Errand& errand, const Reply& reply) const;

    ExaminationOptions options_;
    Seen seen_;
    Random random_;
    registration::Credentials credentials_;
    std::string aor_;     // without parameters
    std::string scheme_;  // "sip:"
    std::string user_;
    std::string from_tag_;
    std::string instance_;  // of the trial binding: not this host's phone
    std::string token_;     // in its Contact
    std::vector<registration::BindingIdentity> known_;  // of this host's phone
    Inquiry inquiry_;
    Post post_;
    Stage stage_ = Stage::waiting;
    std::vector<Line> lines_;  // of the servers, in their order
    std::map<Ticket, Errand> errands_;
    std::vector<std::size_t> workers_;  // servers that are asked as registrars, one an address
    std::size_t next_worker_ = 0;
    std::string trial_call_id_;
    std::uint32_t trial_cseq_ = 0;
    bool with_outbound_ = true;
    bool may_be_bound_ = false;  // the trial: sent, and not known to be gone
    bool was_bound_ = false;     // a 200 has said so
    bool looks_again_ = false;
    int removals_ = 0;
    Instant wake_at_ = never;      // the second look
    Instant opened_next_ = never;  // the next flow
    std::size_t to_open_ = 0;
    bool interrupted_ = false;
    bool timed_out_ = false;
    struct Stranger {
        Endpoint remote;
        std::string answer;  // sent as soon as the flow is open
    };
    std::map<FlowId, Stranger> strangers_;
    FlowId last_stranger_{};
};

}  // namespace holdfast::doctor
