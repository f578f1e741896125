// What comes out of engine_fuzz's engine: performed, and judged.
#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <utility>

#include "base/check.h"
#include "flow/stun.h"
#include "fuzz/engine/world.h"
#include "sip/message.h"

// Only clang's headers say how to ask; the other builds run the corpus without this check.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#include <sanitizer/allocator_interface.h>
#define HOLDFAST_COUNTS_MEMORY
#endif
#endif

namespace holdfast::fuzz {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t remembered = 24;  // requests and pings that the script can still answer
// An engine with two accounts needs well below 1 MiB; what it may keep of what peers said, and what
// the world remembers of it, is the rest.
constexpr std::size_t octets_most = std::size_t{32} * 1024 * 1024;
const Endpoint our_end{IpAddress::v4(192, 168, 1, 20), 40000};

bool has_password(std::string_view text) {
    return text.find(the_password) != std::string_view::npos;
}

// A refusal, which is one message, and nothing but what it had to repeat, or found missing (RFC
// 4475 §3.3.1), keeps it from being read.
void check_answer_to_the_unreadable(std::string_view bytes) {
    CHECK(bytes.starts_with("SIP/2.0 4") || bytes.starts_with("SIP/2.0 5"));
    CHECK(bytes.find("\r\n\r\n") == bytes.size() - 4);
    std::string mended;
    for (std::size_t at = 0; at < bytes.size();) {
        const auto end = bytes.find("\r\n", at) + 2;
        const auto line = bytes.substr(at, end - at);
        at = end;
        const bool repeats =
            line.starts_with("From: ") || line.starts_with("To: ") || line.starts_with("Call-ID: ");
        if (line.starts_with("CSeq: "))
            mended +=
                "From: <sip:a@example.test>;tag=1\r\nTo: <sip:b@example.test>;tag=2\r\n"
                "Call-ID: mended\r\nCSeq: 1 OPTIONS\r\n";
        else if (!repeats)
            mended += line;
    }
    CHECK(sip::Message::parse(mended));
}

}  // namespace

std::size_t octets_in_use() {
#ifdef HOLDFAST_COUNTS_MEMORY
    return __sanitizer_get_current_allocated_bytes();
#else
    return 0;
#endif
}

bool World::only_tls() const {
    return std::ranges::all_of(configs_, [](const registration::AccountConfig& config) {
        return config.transport == Transport::tls;
    });
}

void World::perform(const out::OpenFlow& open) {
    CHECK(!flows_.contains(open.flow));
    const auto& [address, port] = open.target.endpoint;
    CHECK(port != 0 && !address.is_unspecified() && !address.is_multicast());
    // §11: no clear text for who asked for TLS.
    if (only_tls()) CHECK(open.target.transport == Transport::tls);
    flows_[open.flow] = {.target = open.target,
                         .tls_name = open.tls_name,
                         .phase = Phase::opening,
                         .may_ask = damaged_ || told_of_.contains(address)};
    // Nothing but an answer goes to an address that nobody told us of.
    if (is_reliable(open.target.transport))
        CHECK(flows_[open.flow].may_ask || named_.leads_to(address));
    if (automatic_ & auto_flows) feed_later(1ms, in::FlowOpened{open.flow, our_end, open.tls_name});
}

// Told of since: a socket that an answer once opened serves the requests too (one socket, N7).
bool World::may_ask(const Flow& flow) const {
    return flow.may_ask || told_of_.contains(flow.target.endpoint.address);
}

void World::perform(const out::CloseFlow& close) {
    auto* const flow = find(close.flow);
    CHECK(flow != nullptr && flow->phase != Phase::gone);
    flow->phase = Phase::gone;
}

void World::perform(const out::Send& send) {
    const auto at = flows_.find(send.flow);
    CHECK(at != flows_.end() && at->second.phase == Phase::open);
    CHECK(!has_password(send.bytes));
    if (flow::is_stun(send.bytes) || send.bytes == "\r\n" || send.bytes == "\r\n\r\n") {
        if (send.bytes != "\r\n") CHECK(may_ask(at->second));
        pings_.emplace_front(send.flow, send.bytes);
        if (pings_.size() > remembered) pings_.pop_back();
        return;
    }
    // What a peer made us repeat is still a message that can be read, and one message; but an
    // answer to what could not be read has From and To as they came (RFC 3261 §8.2.6.2, RFC 4475
    // §3.1.2.6).
    const auto message = sip::Message::parse(send.bytes);
    if (!message) return check_answer_to_the_unreadable(send.bytes);
    CHECK(message->text().size() == send.bytes.size());
    far_side_.note(send.flow, *message);
    if (!message->is_request()) return;
    if (message->method() == sip::Method::invite && !named_.is_in_dialog(*message))
        named_.called(*message);
    CHECK(may_ask(at->second) || peer_named(at->second, *message));
    if (message->method() != sip::Method::register_ && message->method() != sip::Method::options)
        ++of_calls_;
    check_request(*message, send.bytes);
    check_storm(message->method());
    if (asked_.empty() || asked_.front().text != send.bytes)
        asked_.push_front({send.flow, send.bytes});
    if (asked_.size() > remembered) asked_.pop_back();
    if (automatic_ & auto_answers) answer_by_itself(send.flow, *message);
}

void World::check_request(const sip::Message& request, std::string_view text) {
    CHECK(!request.contact_is_star());  // B2
    if (!request.contacts().empty()) contact_ = request.contacts().front().uri.text;
    const auto& config = configs_.front();
    for (std::size_t at = text.find("uthorization: Digest"); at != std::string_view::npos;
         at = text.find("uthorization: Digest", at + 1)) {
        const auto line = text.substr(at, text.find("\r\n", at) - at);
        CHECK(password_given_);
        if (!config.realms.empty())
            CHECK(line.find("realm=\"example.test\"") != std::string_view::npos);
        if (config.policy.min_digest == "SHA-256")
            CHECK(line.find("algorithm=SHA-") != std::string_view::npos);
    }
}

// I5, loosely: whatever servers say, requests of ours are few. A command, a network change or a
// restart may lead to some at once.
void World::check_storm(sip::Method) {
    constexpr std::size_t targets = 3 * 32;
    requests_.push_back(now_);
    while (requests_.front() < now_ - 10min) requests_.pop_front();
    CHECK(requests_.size() <= configs_.size() * (400 + 6 * targets) + 64 * stimuli_);
}

void World::answer_by_itself(FlowId flow, const sip::Message& request) {
    constexpr std::string_view mapping = ";received=198.51.100.7;rport=13450";
    if (request.method() == sip::Method::ack) return;
    if ((automatic_ & auto_challenge) && request.method() == sip::Method::register_ &&
        request.authorizations().empty())
        return feed_later(
            10ms, in::Received{flow, Mouth::plain(request, 401,
                                                  "WWW-Authenticate: " + digest_text(4, 0) + "\r\n",
                                                  mapping)});
    if (request.method() != sip::Method::register_ && request.method() != sip::Method::options) {
        if (automatic_ & auto_calls)
            feed_later(20ms, in::Received{flow, far_side_.accepted(request)});
        return;
    }
    const auto contacts =
        request.method() == sip::Method::register_ ? Mouth::echo(request, 300) : std::string{};
    feed_later(10ms, in::Received{flow, Mouth::plain(request, 200, contacts, mapping)});
}

void World::perform(const out::Resolve& resolve) {
    CHECK(resolve.question.name.size() <= 255);
    questions_[resolve.query] = {resolve.question, now_};
    if (!(automatic_ & auto_dns)) return;
    questions_.erase(resolve.query);
    auto answer = usual_answer(resolve.question);
    note_addresses(answer);
    feed_later(5ms, in::DnsAnswer{resolve.query, std::move(answer)});
}

dns::Answer World::usual_answer(const dns::Question& question) {
    dns::Answer answer{dns::Status::ok, {}, 60s};
    if (question.type != dns::RecordType::a) return answer;
    for (const std::uint8_t last : {std::uint8_t{11}, std::uint8_t{12}, std::uint8_t{13}})
        answer.records.emplace_back(IpAddress::v4(203, 0, 113, last));
    return answer;
}

void World::note_addresses(const dns::Answer& answer) {
    for (const auto& record : answer.records)
        if (const auto* const address = std::get_if<IpAddress>(&record)) told_of_.insert(*address);
}

void World::perform(const out::Store& store) {
    CHECK(!has_password(store.value));
    if (store.value.empty()) {
        stored_.erase(store.key);
    } else {
        stored_[store.key] = store.value;
    }
}

void World::perform(const Event& event) {
    CHECK(!has_password(event.reason));
    CHECK(event.targets.size() <= 4 * 32);
    book_.on(event);
}

void World::check_sizes() {
    CHECK(octets_in_use() <= octets_at_start_ + octets_most);
    constexpr std::size_t flows_most = 64 + 2 * 4 * 32;
    CHECK(std::ranges::count_if(flows_, [](const auto& flow) {
              return flow.second.phase != Phase::gone;
          }) <= static_cast<std::ptrdiff_t>(flows_most));
    // The engine forgets what nobody answered in time; so does the script.
    std::erase_if(questions_, [&](const auto& q) { return q.second.asked < now_ - 12s; });
    CHECK(questions_.size() <= 1024);
    CHECK(stored_.size() <= 256);
    std::size_t octets = 0;
    for (const auto& [key, value] : stored_) octets += key.size() + value.size();
    CHECK(octets <= std::size_t{512} * 1024);
    for (std::uint32_t id = 1; id <= 2; ++id) {
        const auto status = engine_->status(AccountId{id});
        if (!status) continue;
        CHECK(status->bindings.size() <= 2 && status->targets.size() <= 4 * 32);
        CHECK(!has_password(status->state));
    }
}

}  // namespace holdfast::fuzz
