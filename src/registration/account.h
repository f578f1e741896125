// What a user says about an account.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/redacted.h"
#include "registration/policy.h"

namespace holdfast::registration {

struct Backup {          // F8: a further priority with its own TLS name, realms and Call-ID
    std::string uri;     // "sip:backup.example.test"
    std::string domain;  // "" : Request-URI, From and To keep the AOR's domain
    friend bool operator==(const Backup&, const Backup&) = default;
};

struct AccountDetails {
    std::string aor;  // "sip:alice@example.test"; sips: for TLS only
    std::string display_name;
    std::string auth_user;  // "" : the AOR's user
    Redacted<std::string> password;
    std::string registrar;       // URI; "" : the AOR's domain
    std::string outbound_proxy;  // URI; "" : none
    std::vector<Backup> backups;
    std::optional<Transport> transport;  // nothing: auto (L1)
    // It makes calls, and INVITEs become calls that can be answered; else they ring and end.
    bool takes_calls = false;
    bool follows_transfers = true;    // the other side of a call may have us call another (REFER)
    std::vector<std::string> realms;  // "" : learned (§11)
    std::string contact_address;  // N4: HOST[:PORT] of the Contact, by hand; "" : as it is learned
    std::string stun;  // N4: HOST[:PORT] of a STUN server for the first Contact; "" : none
    // A direct account registers nowhere: its calls go to this sip: or sips: URI, located by RFC
    // 3263. The host 0.0.0.0 in its AOR is our own address. "*:PORT": it calls nobody and waits for
    // calls at that UDP port of ours (waiting.h). "" : an account that registers.
    std::string direct_to;
    friend bool operator==(const AccountDetails&, const AccountDetails&) = default;
};
// Whether what it sends goes over TLS alone.
inline bool is_secure_only(const AccountDetails& account) {
    return account.aor.starts_with("sips:") || account.transport == Transport::tls;
}
struct AccountConfig : AccountDetails {
    Policy policy;
    friend bool operator==(const AccountConfig&, const AccountConfig&) = default;
};

// Many accounts have few different policies: those that are equal share one.
using SharedPolicy = std::shared_ptr<const Policy>;

}  // namespace holdfast::registration
