// From whom requests are accepted (docs/security.md): an open UDP port draws scanners and ghost
// calls, and an answer tells them that somebody is here. So everything else is dropped unanswered.
//
//   (a) on a flow we opened
//   (b) from an address of any target of the last good answers, of Path, or of a redirect; any
//   port: a call may be
//       delivered by another node of the cluster
//   (c) with our Contact token in the Request-URI
//   (d) of a dialog or transaction of ours
// A TLS account takes (a) and (d) only: what comes in clear text proves nothing about the server.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"

namespace holdfast::flow {

struct SourceRules {
    bool secure = false;               // the account is for TLS only
    bool accept_direct_calls = false;  // anybody may call; not on a secure account
};

struct IncomingRequest {
    Endpoint source;
    bool on_own_flow = false;    // (a): the flow is one that this account uses or used
    std::string_view token{};    // of the Request-URI (";hf="); "" : none
    bool of_our_dialog = false;  // (d)
};

enum class SourceVerdict : std::uint8_t {
    drop,
    own_flow,
    own_dialog,
    known_address,
    contact_token,
    direct
};
std::string_view name_of(SourceVerdict verdict);
constexpr bool is_accepted(SourceVerdict verdict) { return verdict != SourceVerdict::drop; }

// One per account.
class SourceFilter {
public:
    explicit SourceFilter(const SourceRules& rules = {}) : rules_(rules) {}

    // Those of (b); no more than the first filter_addresses of them are kept.
    void set_addresses(std::span<const IpAddress> addresses);
    void set_tokens(
        std::span<const std::string> tokens);  // one per reg-id, old ones until their binding ends

    [[nodiscard]] SourceVerdict judge(const IncomingRequest& request) const;

private:
    SourceRules rules_;
    std::vector<IpAddress> addresses_;
    std::vector<std::string> tokens_;
};

constexpr std::size_t filter_addresses = 96;  // three good answers of 32 targets each

}  // namespace holdfast::flow
