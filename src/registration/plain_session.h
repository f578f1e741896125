// What a plain client keeps from one REGISTER to the next: one Call-ID with its CSeq and From tag
// (RFC 3261 §10.2), and one nonce for a realm, whatever server gave it. A failure or a rewritten
// Contact begins a new one, as pjsip does.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "registration/account.h"
#include "registration/credentials.h"
#include "registration/register_request.h"
#include "sip/message.h"
#include "sip/uri.h"

namespace holdfast::registration {

// What an account's requests say of it, whatever the session.
struct PlainIdentity {
    explicit PlainIdentity(const AccountConfig& config);
    std::string scheme = "sip";
    std::string user;  // as written in the AOR
    std::string domain;
    std::string aor;
    std::string display_name;
    std::vector<std::string> routes;  // the outbound proxy, loose
    std::string next_hop;             // L1: outbound proxy, else registrar, else the AOR's domain
    bool valid = false;               // the AOR could be read

    [[nodiscard]] std::string request_uri() const { return scheme + ":" + domain; }
    [[nodiscard]] std::string contact_uri(const Endpoint& endpoint, Transport transport) const;
};

class PlainSession {
public:
    PlainSession(const AccountConfig& config, Random& random);

    struct Request {
        Transport transport = Transport::udp;
        Endpoint local;  // sent-by
        std::vector<ContactField> contacts;
        std::uint32_t expires = 0;  // the header; 0: an un-REGISTER
    };
    struct Written {
        std::string branch;
        std::string wire;
        std::string call_id;
        std::uint32_t cseq = 0;
    };
    Written write(const PlainIdentity& identity, const Request& request,
                  std::string_view user_agent, Random& random);
    // A 401 or 407 to the last request: whether another one may succeed. Words say why not.
    struct Answered {
        bool again = false;
        std::string words;
    };
    Answered on_challenge(const sip::Message& response);
    void begin_request() { rounds_ = 0; }
    void change_password(const Redacted<std::string>& password) {
        credentials_.change_password(password);
    }

    [[nodiscard]] const Credentials& credentials() const { return credentials_; }

private:
    std::string call_id_;
    std::string from_tag_;
    std::uint32_t cseq_ = 0;
    Credentials credentials_;
    Credentials::Sent sent_;
    int rounds_ = 0;
};

// Where the server saw our request come from: `received` and `rport` of the top Via, and where one
// is missing, what we wrote there (RFC 3581 §4, RFC 3261 §18.2.1). Nothing: no address.
std::optional<Endpoint> seen_by_server(const sip::Message& response);
// E: our Contact's `expires`, else the Expires header, else what was asked.
Duration granted(const sip::Message& response, std::string_view contact_uri, Duration asked);

}  // namespace holdfast::registration
