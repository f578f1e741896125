// The world around engine_fuzz's engine: it performs the outbox, answers as the script says, and
// checks after every step what no input may break.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/outbox.h"
#include "engine/engine.h"
#include "fuzz/engine/call_book.h"
#include "fuzz/engine/far_side.h"
#include "fuzz/engine/mouth.h"
#include "fuzz/engine/script.h"

namespace holdfast::fuzz {

constexpr std::string_view the_password = "p4ssw0rd-never-seen";

std::size_t octets_in_use();  // of this process; 0: not known

class World {
public:
    explicit World(Reader& setup);
    void run(Reader& script);

private:
    enum class Phase : std::uint8_t { opening, open, gone };
    struct Flow {
        Target target;
        std::string tls_name;
        Phase phase = Phase::opening;
        bool may_ask = false;  // at its opening: its address is one we were told of
    };

    [[nodiscard]] bool may_ask(const Flow& flow) const;  // requests of ours may go there
    void perform_one(Reader& script);
    void add_account(AccountId id);
    void restart(Reader& script);
    void answer_dns(Reader& script);
    void answer_request(Reader& script);
    void ask_us(Reader& script);
    void say_stun(Reader& script);
    void command(Reader& script);
    // calls.cpp
    void dial(Reader& script);
    void command_call(Reader& script);
    void call_us(Reader& script);
    void say(Said said, std::uint8_t whence, Reader& script);
    void demand_an_end_of_calls();
    bool is_any_call_left();
    [[nodiscard]] bool peer_named(const Flow& flow, const sip::Message& request) const;
    void check_calls_of_step(std::size_t requests) const;

    void deliver(FlowId flow, std::string bytes, Reader& script);

    void feed(const Input& input);
    void run_until(Instant end);
    void feed_later(Duration delay, Input input) { later_.emplace(now_ + delay, std::move(input)); }

    void perform(const out::OpenFlow& open);
    void perform(const out::CloseFlow& close);
    void perform(const out::Send& send);
    void perform(const out::Resolve& resolve);
    void perform(const out::Store& store);
    void perform(const out::Media& media) { book_.on(media); }
    void perform(const Event& event);

    void answer_by_itself(FlowId flow, const sip::Message& request);
    [[nodiscard]] dns::Answer usual_answer(const dns::Question& question);
    void note_addresses(const dns::Answer& answer);
    void check_request(const sip::Message& request, std::string_view text);
    void check_storm(sip::Method method);
    void check_sizes();
    [[nodiscard]] bool only_tls() const;
    [[nodiscard]] Flow* find(FlowId flow);
    [[nodiscard]] FlowId some_flow(std::uint8_t which) const;

    std::vector<registration::AccountConfig> configs_;
    std::uint32_t registers_per_second_ = 0;
    std::unique_ptr<Engine> engine_;
    Instant now_{std::chrono::hours{1}};
    std::size_t steps_left_ = 1500;
    std::uint8_t automatic_ = 0;
    std::uint32_t seeds_ = 0;

    std::map<FlowId, Flow> flows_;
    struct Question {
        dns::Question question;
        Instant asked;
    };
    std::map<QueryId, Question> questions_;
    std::deque<Asked> asked_;  // requests of ours, newest first
    std::deque<std::pair<FlowId, std::string>> pings_;
    std::string contact_;  // the last that we gave
    std::multimap<Instant, Input> later_;
    FarSide far_side_;
    CallBook book_;
    Named named_;
    std::size_t of_calls_ = 0;  // requests of calls in this step
    State stored_;
    std::set<IpAddress> told_of_;  // by DNS and by the configuration: where requests may go
    std::deque<Instant> requests_;
    std::size_t stimuli_ = 0;  // commands, network changes: each may lead to requests at once
    std::size_t fed_ = 0;      // octets of the input that is being handled
    bool password_given_ = false;
    bool trace_ = false;  // HOLDFAST_FUZZ_TRACE: every step on stderr, as in a recording
    std::size_t octets_at_start_ = octets_in_use();
    bool damaged_ = false;  // the restored state was: it may name any address
};

}  // namespace holdfast::fuzz
