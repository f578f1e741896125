// One node of a registrar cluster: RFC 3261 §10.3 registrar and, for requests to an AOR, a forking
// proxy (§16), on UDP, TCP and TLS; with the faults that real nodes have.
//
// TLS is a stand-in: the first data of the client is 0x16 and the name it wants, ours 0x16 and the
// certificate's names; bytes after that are the plain stream. The lab tests what a phone does with
// a certificate, not TLS.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "lab/authenticator.h"
#include "lab/ban_filter.h"
#include "lab/binding_pings.h"
#include "lab/binding_rules.h"
#include "lab/internet.h"
#include "lab/location_service.h"
#include "lab/proxy.h"
#include "lab/tcp.h"
#include "sip/stream.h"

namespace holdfast::lab {

struct Certificate {
    std::set<std::string> names{};  // DNS names or addresses
    bool expired = false;
};
// The handshake's answer and back: 0x16 "valid name name …" or "expired …".
std::string to_handshake(const Certificate& certificate);
std::optional<Certificate> from_handshake(std::string_view bytes);

enum class OptionsToAor : std::uint8_t {
    forward,
    answer
};  // a proxy; or a B2BUA, which answers itself

struct ServerOptions {
    std::string domain = "example.test";
    RegistrarRules rules{};
    DigestRules digest{};
    bool use_received =
        false;  // reach a binding where its REGISTER came from, whatever its Contact says
    bool route_via_owner =
        true;  // a call goes through the node that has the flow; else from the node itself
    bool challenges_calls = false;  // an INVITE of a user that begins a call gets a 407
    bool record_route = false;  // the proxy stays in the way of a dialog (RFC 3261 §16.6, step 4)
    bool stands_in = false;     // a Route that names another node counts as our own (an alias)
    int refuses_dialogs = 0;  // of other nodes, with this status (each is a B2BUA); 0: it does not
    bool stun = false;        // on the SIP port
    bool pong = true;         // CRLF answers CRLFCRLF on streams (RFC 5626 §4.4.1)
    OptionsToAor options_to_aor = OptionsToAor::forward;
    Duration branch_timeout = std::chrono::seconds(32);
    BanRules ban{};
    PingRules pings{};
    std::uint32_t expires_range = 0;      // up to so many percent less is granted, drawn each time
    std::uint32_t expires_deviation = 0;  // up to so many seconds more or less, drawn each time
    bool forgets_on_close = false;        // a binding goes with the connection it came over
    bool drops_user_in_uri = false;       // a REGISTER whose Request-URI has a user is not answered
    // Each copy of a REGISTER is a request of its own (a stateless Kamailio script; a copy that
    // comes after the transaction, or reaches another worker).
    bool stateless = false;
    // A TCP or TLS connection on which nothing has come in for so long is closed; 0: none is.
    // CRLF counts as anything else; what goes out does not.
    Duration closes_idle_after{};
    bool brackets_received = false;  // an IPv6 address in `received` has brackets (RFC 5118 §4.5)
};

// What is wrong with a node. Several can be at once.
struct ServerFaults {
    bool silent = false;  // nothing is taken in, no SYN is answered, nothing is sent
    bool mute = false;    // TCP connects, nothing is ever answered
    std::optional<IcmpReason> refuses{};
    int status = 0;        // to every request; 0: none
    int status_times = 0;  // to so many only; 0: to all
    std::optional<std::uint32_t> retry_after{};
    Duration slow{};               // to answer a request
    bool filters_options = false;  // drops OPTIONS of phones
    int lost_answers = 0;          // so many answers to accepted REGISTERs are lost on the way
};

struct ServerCounters {
    std::size_t requests = 0;  // transactions, not retransmissions
    std::size_t registers = 0;
    std::size_t accepted = 0;  // 200 to a REGISTER with a Contact
    std::size_t challenges = 0;
    std::size_t removals = 0;  // REGISTERs that only remove: un-REGISTERs
    std::size_t star_contacts = 0;
    std::size_t options = 0;
    std::size_t keep_alives = 0;  // CRLF pings and STUN
};

class Registrar : public Node {
public:
    Registrar(Internet& internet, std::string name, std::vector<IpAddress> addresses,
              ServerOptions options, LocationService& location);

    void receive(const Packet& packet) override;

    void silence() { faults_.silent = true; }
    void mute() { faults_.mute = true; }
    void refuse(
        IcmpReason reason = IcmpReason::port_unreachable);  // the process died: RST and ICMP
    void answer_with(int status, std::optional<std::uint32_t> retry_after = {});
    void answer_once_with(int status);  // the next request
    void slow_down(Duration delay) { faults_.slow = delay; }
    void filter_options() { faults_.filters_options = true; }
    void lose_answers(int count) { faults_.lost_answers = count; }
    void restart(
        bool forgets_bindings);  // connections are reset, transactions and nonces forgotten
    void heal();                 // no fault any more; the certificate stays
    void set_certificate(Certificate certificate) { certificate_ = std::move(certificate); }
    [[nodiscard]] const Certificate& certificate() const { return certificate_; }
    [[nodiscard]] const ServerFaults& faults() const { return faults_; }
    [[nodiscard]] bool is_answering() const;  // takes requests and answers them, however slowly

    void add_user(const std::string& user, const std::string& password) {
        passwords_[user] = password;
    }
    [[nodiscard]] bool knows(const std::string& user) const { return passwords_.contains(user); }
    [[nodiscard]] bool takes(const std::string& user, const std::string& password) const {
        const auto known = passwords_.find(user);
        return known != passwords_.end() && known->second == password;
    }
    void add_peer(const IpAddress& address) {
        peers_.insert(address);
    }  // a node or caller: never filtered

    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] const std::vector<IpAddress>& addresses() const { return addresses_; }
    [[nodiscard]] bool has(const IpAddress& address) const;
    [[nodiscard]] bool takes_for_own(const IpAddress& address) const {
        return has(address) || (options_.stands_in && peers_.contains(address));
    }
    [[nodiscard]] bool is_peer(const IpAddress& address) const { return peers_.contains(address); }
    [[nodiscard]] LocationService& location_service() { return location_; }
    [[nodiscard]] const LocationService& location_service() const { return location_; }
    [[nodiscard]] TcpHost& tcp() { return tcp_; }
    [[nodiscard]] const TcpHost& tcp() const { return tcp_; }
    [[nodiscard]] ServerOptions& options() { return options_; }
    [[nodiscard]] const ServerOptions& options() const { return options_; }
    [[nodiscard]] DigestRules& digest() { return authenticator_.rules(); }
    [[nodiscard]] const ServerCounters& counters() const { return counters_; }
    [[nodiscard]] const BanFilter& ban_filter() const { return ban_filter_; }
    [[nodiscard]] const BindingPings& pings() const { return pings_; }
    [[nodiscard]] Internet& internet() { return internet_; }
    // REGISTER transactions by the second they came in: for S2.
    [[nodiscard]] const std::map<std::int64_t, std::size_t>& registers_by_second() const {
        return by_second_;
    }

    void send(const Hop& hop, std::string bytes);
    // The way from this node, or from its owner, to a binding; nothing: its connection is gone.
    [[nodiscard]] std::optional<Hop> way_to(const Binding& binding) const;

private:
    // A dead node sends nothing, not even what its kernel would repeat.
    class Outlet : public Uplink {
    public:
        explicit Outlet(Registrar& registrar) : registrar_(registrar) {}
        void send(Packet packet) override;
        void attach(const IpAddress&, Node&, const std::string&) override {}
        void detach(const IpAddress&) override {}

    private:
        Registrar& registrar_;
    };
    struct Stream {
        sip::StreamFramer framer{sip::StreamFramer::Side::accepted};
        bool secure = false;
        bool shaken_hands = false;
        Instant last_heard{};
        std::uint64_t number = 0;  // a later connection may have the same TcpId
    };
    struct Answered {
        std::string response;  // "" : not yet
        Instant since;
        bool can_be_lost = false;
    };

    void listen();
    bool refuses_datagram(const Packet& packet);
    void on_tcp(const TcpEvent& event);
    void on_stream_bytes(const TcpId& id, std::string_view bytes);
    void on_datagram(const Packet& packet);
    void on_text(std::string_view text, const Hop& hop);
    void on_new_request(const sip::Message& request, const Hop& hop);
    void on_register(const sip::Message& request, const Hop& hop);
    bool authorize(const sip::Message& request, const Hop& hop);
    bool authorize_call(const sip::Message& request, const Hop& hop);
    void on_accepted(const TcpId& id);
    void on_closed(TcpId id);
    void close_if_idle(const TcpId& id, std::uint64_t number);
    void close_streams();
    void count(const sip::Message& request);
    void reply(const sip::Message& request, const Hop& hop, int status,
               std::string_view reason = {}, std::string_view extra_headers = {});
    void transmit_answer(Answered& answered, const Hop& hop);
    [[nodiscard]] bool is_ours(std::string_view host) const;
    void forget_old_answers();

    Internet& internet_;
    std::string name_;
    std::vector<IpAddress> addresses_;
    ServerOptions options_;
    LocationService& location_;
    ServerFaults faults_{};
    ServerCounters counters_{};
    std::map<std::int64_t, std::size_t> by_second_;
    Certificate certificate_;
    Authenticator::Passwords passwords_;
    std::set<IpAddress> peers_;
    Random random_;
    Authenticator authenticator_;
    Outlet outlet_;
    TcpHost tcp_;
    std::map<TcpId, Stream> streams_;
    std::uint64_t stream_count_ = 0;
    std::map<std::string, Answered> answered_;  // absorbs retransmissions (RFC 3261 §17.2.2)
    Instant next_cleaning_{};
    Proxy proxy_;
    BindingPings pings_;
    BanFilter ban_filter_;
};

}  // namespace holdfast::lab
