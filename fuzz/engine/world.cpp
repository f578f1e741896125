#include "fuzz/engine/world.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <utility>
#include <variant>

#include "base/check.h"
#include "engine/recording.h"
#include "flow/stun.h"
#include "registration/policy.h"
#include "sip/message.h"

namespace holdfast::fuzz {

namespace {

using namespace std::chrono_literals;

const IpAddress our_address = IpAddress::v4(192, 168, 1, 20);
const Endpoint our_end{our_address, 40000};

constexpr std::array<IpAddress (*)(), 4> usual_servers{
    [] { return IpAddress::v4(203, 0, 113, 11); }, [] { return IpAddress::v4(203, 0, 113, 12); },
    [] { return IpAddress::v4(203, 0, 113, 13); },
    [] { return *IpAddress::parse("2001:db8::11"); }};

Duration duration_of(std::uint8_t code) { return 1ms * (1U << (code % 24U)) + 7ms * (code / 24U); }

}  // namespace

// accounts and secrets, preset, transport, policy.
World::World(Reader& setup) : trace_(std::getenv("HOLDFAST_FUZZ_TRACE") != nullptr) {
    const auto shape = setup.u8();
    const auto presets = registration::preset_names();
    const auto preset = presets[setup.index(presets.size())];
    const auto how = setup.u8();
    const auto policy = setup.u8();
    // In the order of the script: NOLINTNEXTLINE(cppcoreguidelines-prefer-member-initializer)
    automatic_ = setup.u8();
    registers_per_second_ = policy & 0x80U ? 1 : 0;
    for (unsigned i = 0; i < 1U + (shape & 1U); ++i) {
        registration::AccountConfig config;
        config.policy = *registration::preset(preset);
        const std::string host = how & 8U ? "203.0.113.11" : "example.test";
        config.aor =
            (how & 4U ? "sips:" : "sip:") + std::string(i == 0 ? "alice@" : "b%20ob@") + host;
        if (how & 4U)
            config.transport = Transport::tls;
        else if ((how & 3U) < 3U)
            config.transport = static_cast<Transport>(how & 3U);
        password_given_ = (shape & 2U) != 0;
        if (password_given_) config.password = Redacted<std::string>(std::string(the_password));
        if (shape & 4U) config.realms = {"example.test"};
        if (shape & 8U) config.policy.min_digest = "SHA-256";
        if (shape & 16U) config.policy.accept_direct_calls = true;
        if (shape & 32U) config.outbound_proxy = "sip:a.example.test;lr";
        if (shape & 64U) config.backups = {{"sip:203.0.113.40", ""}};
        if (how & 16U) config.policy.flows = 2;
        if (how & 32U) config.policy.keepalive_learn = true;
        config.policy.rewrite = static_cast<registration::Rewrite>(policy % 4U);
        if (policy & 4U) config.policy.keepalive = registration::KeepAliveKind::stun;
        if (policy & 8U) config.policy.keepalive = registration::KeepAliveKind::crlf;
        if (policy & 16U) config.policy.expires = 60s;
        if (policy & 32U) config.policy.spread = 10s;
        config.takes_calls = (shape & 128U) != 0;
        config.follows_transfers = (policy & 64U) == 0;
        // The last one may be direct: it is nobody's but its calls' (registration/direct.h).
        if ((how & 64U) && i == (shape & 1U)) {
            config.aor = (how & 4U ? "sips:" : "sip:") + std::string("alice@0.0.0.0");
            config.direct_to = (how & 4U ? "sips:bob@" : "sip:bob@") + host;
            config.takes_calls = true;
        }
        configs_.push_back(std::move(config));
    }
    told_of_.insert(IpAddress::v4(203, 0, 113, 40));
    if (how & 8U) told_of_.insert(usual_servers[0]());
    engine_ =
        std::make_unique<Engine>(EngineOptions{.seed = seed_from_number(1),
                                               .state = {},
                                               .started = now_,
                                               .wall_clock = 1'800'000'000,
                                               .registers_per_second = registers_per_second_});
    feed(in::NetworkChanged{{our_address}});
    for (std::uint32_t i = 0; i < configs_.size(); ++i) add_account(AccountId{i + 1});
}

void World::add_account(AccountId id) {
    feed(in::AddAccount{id, configs_[(id.value - 1) % configs_.size()]});
}

void World::run(Reader& script) {
    while (!script.done() && steps_left_ > 0) {
        perform_one(script);
        check_sizes();
    }
    // Whatever happened: the clock goes on, and nothing spins.
    run_until(now_ + 2min);
    check_sizes();
    demand_an_end_of_calls();
}

void World::perform_one(Reader& script) {
    const auto op = op_of(script.u8());
    switch (op) {
    case Op::time:
        return run_until(std::max(now_, std::min(engine_->next_deadline().at, now_ + 24h)));
    case Op::wait: return run_until(now_ + duration_of(script.u8()));
    case Op::automatic: automatic_ = script.u8(); return;
    case Op::opened: {
        const auto id = some_flow(script.u8());
        const auto honest = script.u8() % 8U != 0;
        auto* const flow = find(id);
        if (flow != nullptr && flow->phase == Phase::opening) flow->phase = Phase::open;
        return feed(
            in::FlowOpened{id, our_end, honest && flow != nullptr ? flow->tls_name : "evil.test"});
    }
    case Op::failed: {
        const auto id = some_flow(script.u8());
        auto* const flow = find(id);
        if (flow != nullptr &&
            (is_reliable(flow->target.transport) || flow->phase == Phase::opening))
            flow->phase = Phase::gone;
        return feed(in::FlowFailed{id, static_cast<FlowError>(script.u8() % 10U), "words"});
    }
    case Op::closed: {
        const auto id = some_flow(script.u8());
        if (auto* const flow = find(id)) flow->phase = Phase::gone;
        return feed(in::FlowClosed{id, static_cast<FlowError>(script.u8() % 10U), "words"});
    }
    case Op::dns: return answer_dns(script);
    case Op::answer: return answer_request(script);
    case Op::request: return ask_us(script);
    case Op::bytes: {
        const auto flow = some_flow(script.u8());
        return deliver(flow, std::string(script.text()), script);
    }
    case Op::stun: return say_stun(script);
    case Op::network: {
        const auto which = script.u8();
        in::NetworkChanged change{{}, (which & 1U) != 0};
        if (which & 2U) change.addresses.push_back(our_address);
        if (which & 4U) change.addresses.push_back(IpAddress::v4(10, 0, 0, which));
        if (which & 8U) change.addresses.push_back(*IpAddress::parse("2001:db8::20"));
        ++stimuli_;
        return feed(change);
    }
    case Op::command: return command(script);
    case Op::restart: return restart(script);
    case Op::dial: return dial(script);
    case Op::call: return command_call(script);
    case Op::invite: return call_us(script);
    case Op::reply: {
        const auto whence = script.u8();
        return say(far_side_.answer(script), whence, script);
    }
    case Op::in_dialog: {
        const auto whence = script.u8();
        return say(far_side_.request(script), whence, script);
    }
    case Op::again: {
        const auto whence = script.u8();
        return say(far_side_.again(script), whence, script);
    }
    case Op::count: break;
    }
}

void World::command(Reader& script) {
    const AccountId account{script.u8() % 3U};
    ++stimuli_;
    switch (script.u8() % 7U) {
    case 0: return feed(in::RegisterNow{account});
    case 1:
        password_given_ = true;
        return feed(in::ChangePassword{account, Redacted<std::string>(std::string(the_password))});
    case 2: return feed(in::HangUp{account});
    case 3: return feed(in::RemoveAccount{account});
    case 4:
        if (account) add_account(account);
        return;
    case 5: return feed(in::ShutDown{});
    default: return feed(in::Time{});
    }
}

void World::restart(Reader& script) {
    auto damage = script.u8() % 8U;
    damaged_ = damaged_ || damage != 0;
    for (; damage > 0 && !stored_.empty(); --damage) {
        auto at = stored_.begin();
        std::advance(at, script.u8() % stored_.size());
        at->second = Mouth::damaged(at->second, script);
    }
    flows_.clear();
    questions_.clear();
    asked_.clear();
    pings_.clear();
    later_.clear();
    far_side_.forget();
    book_.forget();
    named_.forget();
    ++stimuli_;
    const auto away = duration_of(script.u8());
    now_ += away;
    engine_ = std::make_unique<Engine>(
        EngineOptions{.seed = seed_from_number(++seeds_ + 1),
                      .state = stored_,
                      .started = now_,
                      .wall_clock = 1'800'000'000 + now_.time_since_epoch() / 1s,
                      .registers_per_second = registers_per_second_});
    feed(in::NetworkChanged{{our_address}});
    for (std::uint32_t i = 0; i < configs_.size(); ++i) add_account(AccountId{i + 1});
}

void World::answer_dns(Reader& script) {
    auto question = questions_.begin();
    QueryId query{script.u8()};
    if (!questions_.empty()) {
        std::advance(question, query.value % questions_.size());
        query = question->first;
    }
    constexpr std::array<Duration, 8> ttls{0s, 1s, 60s, 300s, 24h, 1h, Duration::max(), -1s};
    const auto kind = script.u8();
    dns::Answer answer{kind < 200 ? dns::Status::ok : static_cast<dns::Status>(kind % 7U),
                       {},
                       ttls[kind % ttls.size()]};
    for (std::size_t left = script.u8() % 80U; left > 0; --left)
        answer.records.push_back(Mouth::record(script));
    if (question != questions_.end()) questions_.erase(question);
    note_addresses(answer);
    feed(in::DnsAnswer{query, std::move(answer)});
}

void World::answer_request(Reader& script) {
    const auto which = script.u8();
    if (asked_.empty()) return;
    const Asked asked = asked_[which % asked_.size()];
    const auto request = sip::Message::parse(asked.text);
    auto text = Mouth::answer(*request, script);
    // An off-path liar knows neither branch nor flow; the script may be the server's neighbour.
    const auto flow = which & 0x80U ? some_flow(script.u8()) : asked.flow;
    deliver(flow, std::move(text), script);
}

void World::ask_us(Reader& script) {
    const auto from = script.u8();
    const auto last = asked_.empty() ? std::nullopt : std::optional(asked_.front());
    auto text = Mouth::request(last, contact_, script);
    if (from & 1U) return deliver(some_flow(from / 2U), std::move(text), script);
    constexpr std::array<std::uint16_t, 4> ports{5060, 5061, 1, 65535};
    const Endpoint stranger{
        from & 2U ? usual_servers[from / 8U % 3U]() : IpAddress::v4(198, 51, 100, from),
        ports[from / 4U % ports.size()]};
    feed(in::Stray{our_end, stranger, std::move(text)});
}

void World::say_stun(Reader& script) {
    const auto which = script.u8();
    const auto arg = script.u8();
    auto flow = some_flow(which);
    flow::StunTransaction transaction{};
    if (!pings_.empty() && which < 200) {
        flow = pings_.front().first;
        if (const auto ping = flow::decode_stun(pings_.front().second))
            transaction = ping->transaction;
    }
    const Endpoint mapped{
        arg % 4U == 0 ? IpAddress::v4(10, 0, 0, arg) : IpAddress::v4(198, 51, 100, 7),
        static_cast<std::uint16_t>(10'000U + arg)};
    auto bytes = flow::encode_binding_success(transaction, mapped);
    if (arg & 0x40U) bytes = Mouth::damaged(std::move(bytes), script);
    feed(in::Received{flow, std::move(bytes)});
}

// In one piece or, on a stream, cut.
void World::deliver(FlowId flow, std::string bytes, Reader& script) {
    const auto at = flows_.find(flow);
    if (at != flows_.end() && is_reliable(at->second.target.transport)) {
        const std::size_t cut = script.u8();
        if (cut != 0 && cut < bytes.size()) {
            named_.heard(bytes);
            feed(in::Received{flow, bytes.substr(0, cut)});
            bytes.erase(0, cut);
        }
    }
    feed(in::Received{flow, std::move(bytes)});
}

World::Flow* World::find(FlowId flow) {
    const auto at = flows_.find(flow);
    return at == flows_.end() ? nullptr : &at->second;
}

FlowId World::some_flow(std::uint8_t which) const {
    if (flows_.empty()) return FlowId{which};
    auto at = flows_.rbegin();
    std::advance(at, which % flows_.size());
    return at->first;
}

void World::run_until(Instant end) {
    while (steps_left_ > 0) {
        const Instant coming = later_.empty() ? never : later_.begin()->first;
        const Instant due = engine_->next_deadline().at;
        if (std::min(coming, due) > end) break;
        now_ = std::max(now_, std::min(coming, due));
        if (coming <= due) {
            const Input input = std::move(later_.begin()->second);
            later_.erase(later_.begin());
            if (const auto* const opened = std::get_if<in::FlowOpened>(&input)) {
                auto* const flow = find(opened->flow);
                if (flow == nullptr || flow->phase != Phase::opening) continue;
                flow->phase = Phase::open;
            }
            feed(input);
        } else {
            feed(in::Time{});
            const auto next = engine_->next_deadline();
            if (trace_ && next.at <= now_)
                std::fprintf(stderr, "still due: %s\n", std::string(next.reason).c_str());
            CHECK(next.at > now_);
        }
    }
    if (steps_left_ > 0) now_ = end;
}

void World::feed(const Input& input) {
    if (steps_left_ == 0) return;
    --steps_left_;
    fed_ = 0;
    of_calls_ = 0;
    std::string_view heard;
    if (const auto* const received = std::get_if<in::Received>(&input)) heard = received->bytes;
    if (const auto* const stray = std::get_if<in::Stray>(&input)) heard = stray->bytes;
    fed_ = heard.size();
    if (!heard.empty()) named_.heard(heard);
    if (const auto* const dial = std::get_if<in::Dial>(&input)) book_.commanded(*dial);
    Outbox outbox;
    engine_->handle(now_, input, outbox);
    const auto outputs = outbox.take();
    if (trace_) {
        std::fprintf(stderr, "%s\n", recorded(now_, input).c_str());
        for (const auto& output : outputs)
            std::fprintf(stderr, "    %s\n", recorded(now_, output).c_str());
    }
    // A ping of four octets is answered; everything else leads to a handful for each account.
    CHECK(outputs.size() <= 512 + fed_ / 4);
    for (const auto& output : outputs) std::visit([&](const auto& it) { perform(it); }, output);
    check_calls_of_step(of_calls_);
}

}  // namespace holdfast::fuzz
