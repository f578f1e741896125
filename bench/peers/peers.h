// The SIP libraries of others that were found when the tree was configured (bench/CMakeLists.txt).
// They are yardsticks: nothing but the benches links them. What callgrind shall count stands in
// extern "C" functions named after the peer: NAME_parse, NAME_print, NAME_transact….
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "bench/cpu_meter.h"

namespace holdfast::bench {

// How datagrams come and go where a library has no sockets of its own: carried by the caller as
// texts, or over sockets on loopback that its program would have.
enum class Datagrams : std::uint8_t { carried, sent };

// Non-INVITE client transactions of one user agent over UDP (RFC 3261 §17.1.2). The caller plays
// the server. As many are outstanding as are sent before the first answer.
class PeerTransactions {
public:
    PeerTransactions() = default;
    PeerTransactions(const PeerTransactions&) = delete;
    PeerTransactions& operator=(const PeerTransactions&) = delete;
    virtual ~PeerTransactions() = default;

    // Starts one; what went onto the wire, "" if nothing did.
    virtual std::string send(std::string_view request) = 0;
    virtual bool answer(std::string_view response) = 0;  // false: it could not be taken
    // Lets Timer K pass (within seconds of real time); how many had a final response by then.
    virtual std::size_t forget() = 0;

    // What the client's own work took: the server's and the making of requests are not in it.
    [[nodiscard]] double cpu_seconds() const { return meter_.seconds(); }

protected:
    CpuMeter& meter() { return meter_; }

private:
    CpuMeter meter_;
};

struct Peer {
    std::string_view name;
    // Parses the message as far as the library ever does, frees it again; false: refused.
    bool (*parse)(std::string_view text);
    // The same with what else the library checks before it hands a message on (RFC 4475).
    bool (*takes)(std::string_view text);
    // Parses once, then prints so many times from the typed values; the last text.
    std::string (*print)(std::string_view text, int rounds);
    // Gives null: they could not be started. Is null: the library's are not measured.
    std::unique_ptr<PeerTransactions> (*transactions)(Datagrams datagrams);
};

std::span<const Peer> peers();
// nullptr: not built in.
const Peer* find_peer(std::string_view name);

std::unique_ptr<PeerTransactions> sofia_sip_transactions(Datagrams datagrams);
std::unique_ptr<PeerTransactions> osip2_transactions(Datagrams datagrams);
std::string sofia_sip_printed(std::string_view text, int rounds);
std::string osip2_printed(std::string_view text, int rounds);
std::string libre_printed(std::string_view text, int rounds);

}  // namespace holdfast::bench

extern "C" bool sofia_sip_parse(std::string_view text);
extern "C" bool sofia_sip_takes(std::string_view text);
extern "C" bool osip2_parse(std::string_view text);
extern "C" bool libre_parse(std::string_view text);
extern "C" bool libre_takes(std::string_view text);
