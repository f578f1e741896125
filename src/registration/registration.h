// One account's registration (rules F, B, N3, K3, R, S of docs/registration.md): found, registered,
// kept, proven.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "registration/account.h"
#include "registration/machine.h"

namespace holdfast::registration {

using AccountState =
    std::map<std::string, std::string, std::less<>>;  // what act::Store wrote, restored

class Credentials;
class Resilient;
class Plain;
class Direct;

// Three clients behind one interface: the resilient one of the rules (Policy::style), the plain
// one that others are (presets), and one that registers nothing (AccountDetails::direct_to).
class Registration {
public:
    // instance_id: the UUID of this device (RFC 5626 §4.1), without "urn:uuid:".
    // shared: equal to config.policy, others hold it too; nothing: a copy is made.
    Registration(const AccountConfig& config, std::string instance_id, const AccountState& state,
                 std::string user_agent, SharedPolicy shared = nullptr);
    Registration(Registration&&) noexcept;
    Registration& operator=(Registration&&) noexcept;
    Registration(const Registration&) = delete;
    Registration& operator=(const Registration&) = delete;
    ~Registration();

    void handle(const Told& told, const Context& context);
    [[nodiscard]] Deadline next_deadline() const;
    [[nodiscard]] View view() const;
    // §11 (b): the addresses that may send requests from any port: those that DNS lists now or did
    // in the last good answer, of the last Path, and of redirects in use.
    [[nodiscard]] std::vector<IpAddress> accepted(Instant now) const;
    [[nodiscard]] const std::string& aor() const;  // as it was configured
    [[nodiscard]] bool is_secure_only() const;
    [[nodiscard]] bool is_direct() const;  // it registers nowhere, and has calls of its own only
    [[nodiscard]] const Policy& policy() const;
    // Which realms may have the password, for requests that are not the registration's (§11). Null
    // before it has begun.
    [[nodiscard]] const Credentials* credentials() const;
    [[nodiscard]] const std::string& domain()
        const;  // of the AOR: the Request-URI's host, the probes' To

private:
    std::variant<std::unique_ptr<Resilient>, std::unique_ptr<Plain>, std::unique_ptr<Direct>>
        client_;
};

}  // namespace holdfast::registration
