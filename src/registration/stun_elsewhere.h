// N4: what a STUN server that is no SIP server of ours sees of our SIP port: an address for the
// Contact of the first REGISTER, until the flow's own mapping is known. Off unless the account
// names such a server.
//
//   start ─► DNS (SRV _stun._udp, RFC 8489 §8, beside A or AAAA) ─► act::AskStun ─►
//   mapping_for(flow)
//
// It delays the first REGISTER by half a second at most; whatever goes wrong is told in words,
// once.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/dns.h"
#include "registration/machine.h"

namespace holdfast::registration {

struct StunServer {
    std::string host;        // a name in lower case, or a number without brackets
    std::uint16_t port = 0;  // 0: as SRV says, else 3478
};
// "stun.example.test", "stun.example.test:3478", "[2001:db8::1]:3478". The error says in words what
// is wrong.
std::expected<StunServer, std::string> stun_server_of(std::string_view text);

class StunElsewhere {
public:
    // "": off.
    explicit StunElsewhere(std::string_view server);

    void start(const Context& context);
    void on_dns(const told::Dns& told, const Context& context);
    void on_answered(const told::StunAnswered& told, const Context& context);

    // A first REGISTER is ready to go: until when it waits, counted from the first time this is
    // asked; nothing: it goes now.
    [[nodiscard]] std::optional<Instant> hold(const Context& context);
    [[nodiscard]] bool is_pending() const {
        return state_ == State::asking_dns || state_ == State::asking_server;
    }
    // What was seen of this flow's local port; nothing: not known.
    [[nodiscard]] std::optional<Endpoint> mapping_for(const flow::Flow& flow) const;

private:
    enum class State : std::uint8_t { off, asking_dns, asking_server, done };
    void ask(const std::string& name, dns::RecordType type, const Context& context);
    void go_on(const Context& context);
    void fail(const std::string& why, const Context& context);

    std::string text_;
    StunServer server_;
    State state_ = State::off;
    std::map<dns::Question, std::optional<dns::Answer>> asked_;
    std::optional<Instant> held_until_;
    std::optional<Endpoint> mapping_;
    Endpoint local_;
    bool told_ = false;
};

}  // namespace holdfast::registration
