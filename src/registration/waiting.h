// The client of a direct account that calls nobody: it waits for whoever calls this host (§11,
// `accept_direct_calls`). It registers nowhere, asks nobody and opens nothing; it says where it can
// be called, and says it again when that has changed (K5).
//
//   AccountDetails::direct_to = "*:5060", waits_at(5060): the driver has opened that UDP port of
//   ours. UDP alone: there is no port that takes connections.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "registration/machine.h"

namespace holdfast::registration {

// No URI that could be called is written so.
std::string waits_at(std::uint16_t udp_port);
// The port; nothing for an account that is another one.
std::optional<std::uint16_t> waiting_port(std::string_view direct_to);

class Waiting {
public:
    Waiting(std::string aor, std::uint16_t udp_port);

    void handle(const Told& told, const Context& context);
    [[nodiscard]] View view() const;

private:
    void say_where(const Context& context);
    [[nodiscard]] std::string uri_at(const IpAddress& address) const;

    std::string user_;  // with its scheme: "sip:alice@", "sip:"
    std::uint16_t port_ = 0;
    std::vector<IpAddress> said_;
    std::string state_ = "not started";
};

}  // namespace holdfast::registration
