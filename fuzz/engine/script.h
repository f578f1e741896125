// The language of engine_fuzz's inputs: a few octets that set the world up, then one operation
// after the other, each with the octets it wants. Any octets are a script; where they end, zeros
// follow.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace holdfast::fuzz {

enum class Op : std::uint8_t {
    time,       // to the next deadline
    wait,       // wait(u8): that much time, every deadline on the way
    automatic,  // automatic(u8): which of flows, DNS and requests are answered by themselves
    opened,     // opened(which): a flow that is being opened is open
    failed,     // failed(which, error): it failed, or ICMP came for a datagram
    closed,     // closed(which, error)
    dns,        // dns(which, status, ttl, count, records…): one outstanding question is answered
    answer,     // answer(which, …): a response to something that was sent, as see Mouth::answer
    request,    // request(…): a request to us, as see Mouth::request
    bytes,      // bytes(flow, text): these octets
    stun,       // stun(flow, kind, arg): an answer to the last STUN ping, or something like it
    network,    // network(u8): which source addresses there are; woke
    command,    // command(kind, account)
    restart,    // restart(u8, …): a new engine with what the old one stored, perhaps damaged
    first_of_calls,
    dial = first_of_calls,  // dial(account, …), as see World::dial
    call,                   // call(what, call, …): a command for a call, as see World::command_call
    invite,                 // invite(whence, uri, …): somebody calls us, as see FarSide::invite
    reply,                  // reply(whence, …): to a request of a call, as see FarSide::answer
    in_dialog,              // in_dialog(whence, …): a request in a call, as see FarSide::request
    again,                  // again(whence, which): what was said before
    count
};

// The first operations had the octets to themselves once, and inputs of that time mean what they
// meant but for the highest octets, which are those of calls.
constexpr std::uint8_t octets_of_calls = 196;
constexpr Op op_of(std::uint8_t octet) {
    constexpr auto others = static_cast<unsigned>(Op::first_of_calls);
    constexpr auto of_calls = static_cast<unsigned>(Op::count) - others;
    return static_cast<Op>(octet < octets_of_calls ? octet % others
                                                   : others + (octet - octets_of_calls) % of_calls);
}

// What `automatic` may name.
constexpr std::uint8_t auto_flows = 1;
constexpr std::uint8_t auto_dns = 2;
constexpr std::uint8_t auto_answers = 4;
constexpr std::uint8_t auto_challenge = 8;  // REGISTERs without credentials get 401 first
constexpr std::uint8_t auto_calls = 16;     // whoever is called answers; requests of calls get 200

class Reader {
public:
    explicit Reader(std::string_view script) : rest_(script) {}
    [[nodiscard]] bool done() const { return rest_.empty(); }
    std::uint8_t u8() {
        if (rest_.empty()) return 0;
        const auto value = static_cast<std::uint8_t>(rest_.front());
        rest_.remove_prefix(1);
        return value;
    }
    std::uint16_t u16() {
        const unsigned high = u8();
        return static_cast<std::uint16_t>(high << 8U | u8());
    }
    // One of so many; 0 if there is none.
    std::size_t index(std::size_t count) { return count == 0 ? 0 : u8() % count; }
    template <class T, std::size_t n>
    const T& pick(const std::array<T, n>& table) {
        return table[index(n)];
    }
    std::string_view text() {
        const std::size_t wanted = u16() % 4096U;
        const auto size = std::min(wanted, rest_.size());
        const auto text = rest_.substr(0, size);
        rest_.remove_prefix(size);
        return text;
    }

private:
    std::string_view rest_;
};

}  // namespace holdfast::fuzz
