#include "registration/stun_elsewhere.h"

#include <algorithm>
#include <tuple>
#include <utility>
#include <variant>

#include "base/text.h"
#include "location/names.h"

namespace holdfast::registration {

namespace {

using namespace std::chrono_literals;

constexpr Duration hold_most = 500ms;      // N4
constexpr std::uint16_t stun_port = 3478;  // RFC 8489 §8
constexpr std::string_view service = "_stun._udp.";

// RFC 2782: the lowest priority; among equals the heaviest, as one question is no load to share.
const dns::Srv* best_of(const dns::Answer& answer) {
    const dns::Srv* best = nullptr;
    const auto key = [](const dns::Srv& srv) {
        return std::tuple(srv.priority, -static_cast<int>(srv.weight), srv.target);
    };
    for (const auto& record : answer.records)
        if (const auto* srv = std::get_if<dns::Srv>(&record))
            if (best == nullptr || key(*srv) < key(*best)) best = srv;
    return best;
}

std::optional<IpAddress> address_of(const dns::Answer& answer) {
    for (const auto& record : answer.records)
        if (const auto* address = std::get_if<IpAddress>(&record)) return *address;
    return std::nullopt;
}

// The NAT of today translates IPv4; without an IPv4 source address the other family is asked.
dns::RecordType family_of(const Context& context) {
    const bool ipv4 =
        context.addresses.empty() || std::ranges::any_of(context.addresses, [](const IpAddress& a) {
            return a.family() == Family::ipv4;
        });
    return ipv4 ? dns::RecordType::a : dns::RecordType::aaaa;
}

}  // namespace

std::expected<StunServer, std::string> stun_server_of(std::string_view text) {
    text = trimmed(text);
    if (const auto address = IpAddress::parse(text)) return StunServer{address->to_string(), 0};
    if (const auto endpoint = Endpoint::parse(text))
        return StunServer{endpoint->address.to_string(), endpoint->port};
    StunServer server;
    const auto colon = text.find(':');
    server.host = location::normal_name(text.substr(0, colon));
    const auto port = colon == std::string_view::npos
                          ? std::optional<std::uint16_t>(0)
                          : parse_number<std::uint16_t>(text.substr(colon + 1));
    const bool number_like =
        std::ranges::all_of(server.host, [](char c) { return is_digit(c) || c == '.'; });
    if (number_like || !location::is_valid_name(server.host))
        return std::unexpected("\"" + std::string(text) +
                               "\" is no server's name or address (stun.example.test, "
                               "stun.example.test:3478, 192.0.2.1:3478)");
    if (!port || (*port == 0 && colon != std::string_view::npos))
        return std::unexpected("\"" + std::string(text) + "\": the port is 1 to 65535");
    server.port = *port;
    return server;
}

StunElsewhere::StunElsewhere(std::string_view server) : text_(trimmed(server)) {
    if (auto parsed = stun_server_of(text_)) server_ = *std::move(parsed);
}

void StunElsewhere::ask(const std::string& name, dns::RecordType type, const Context& context) {
    const bool addresses = type == dns::RecordType::a || type == dns::RecordType::aaaa;
    dns::Question question{.name = name,
                           .type = type,
                           .system_resolver = addresses && location::is_system_name(name, {})};
    if (asked_.emplace(question, std::nullopt).second) context.act(act::Ask{std::move(question)});
}

void StunElsewhere::start(const Context& context) {
    if (text_.empty() || state_ != State::off) return;
    if (server_.host.empty()) return fail("it is no server's name or address", context);
    state_ = State::asking_dns;
    if (!IpAddress::parse(server_.host)) {
        // Both will be needed where there is no SRV, which is most often: asked in parallel.
        if (server_.port == 0 && !location::is_system_name(server_.host, {}))
            ask(std::string(service) + server_.host, dns::RecordType::srv, context);
        ask(server_.host, family_of(context), context);
    }
    go_on(context);
}

void StunElsewhere::on_dns(const told::Dns& told, const Context& context) {
    const auto ours = asked_.find(told.question);
    if (state_ != State::asking_dns || ours == asked_.end() || ours->second) return;
    ours->second = told.answer;
    go_on(context);
}

void StunElsewhere::go_on(const Context& context) {
    auto host = server_.host;
    auto port = server_.port == 0 ? stun_port : server_.port;
    for (const auto& [question, answer] : asked_) {
        if (question.type != dns::RecordType::srv) continue;
        if (!answer) return;
        const auto* srv = best_of(*answer);
        if (srv == nullptr) continue;  // RFC 8489 §8: without SRV, the default port
        if (srv->target.empty()) return fail("its domain says that there is none (SRV)", context);
        host = location::normal_name(srv->target);
        port = srv->port;
    }
    auto address = IpAddress::parse(host);
    if (!address) {
        if (!location::is_valid_name(host)) return fail("its SRV record names no host", context);
        const auto type = family_of(context);
        ask(host, type, context);
        const auto known = std::ranges::find_if(asked_, [&](const auto& entry) {
            return entry.first.name == host && entry.first.type == type;
        });
        if (!known->second) return;
        address = address_of(*known->second);
        if (!address)
            return fail(dns::is_failure(known->second->status)
                            ? "DNS does not answer: " + std::string(name_of(known->second->status))
                            : "its name has no address",
                        context);
    }
    state_ = State::asking_server;
    context.act(act::AskStun{{Transport::udp, {*address, port}}});
}

void StunElsewhere::on_answered(const told::StunAnswered& told, const Context& context) {
    // Late, too: a first REGISTER that is still to be repeated elsewhere can use it.
    if (state_ == State::off || mapping_) return;
    if (!told.mapping) return fail(told.problem, context);
    state_ = State::done;
    mapping_ = told.mapping;
    local_ = told.local;
}

void StunElsewhere::fail(const std::string& why, const Context& context) {
    state_ = State::done;
    if (std::exchange(told_, true)) return;
    Event notice{.kind = EventKind::notice};
    notice.reason = "the STUN server " + text_ + " is of no use: " + why +
                    "; the first REGISTER goes without it (N4)";
    context.act(std::move(notice));
}

std::optional<Instant> StunElsewhere::hold(const Context& context) {
    if (!is_pending()) return std::nullopt;
    if (!held_until_) held_until_ = context.now + hold_most;
    if (context.now < *held_until_) return held_until_;
    fail("no answer within half a second", context);
    return std::nullopt;
}

std::optional<Endpoint> StunElsewhere::mapping_for(const flow::Flow& flow) const {
    const bool same_port = flow.target.transport == Transport::udp && flow.local == local_;
    return same_port ? mapping_ : std::nullopt;
}

}  // namespace holdfast::registration
