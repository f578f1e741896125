// The text of our REGISTER requests (RFC 3261 §10.2, RFC 5626 §4.2.1) and of R1's OPTIONS.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "sip/method.h"

namespace holdfast::registration {

struct ContactField {
    std::string uri{};
    std::optional<std::uint32_t> expires{};  // the parameter
    std::string parameters{};                // ";+sip.instance=…;reg-id=1", only for a current one
};

struct RegisterFields {
    std::string_view request_uri;  // "sip:example.test"
    std::string_view aor;          // To and From
    std::string_view display_name;
    std::string_view from_tag;
    std::string_view call_id;
    std::uint32_t cseq = 1;
    std::string_view branch;
    Transport transport = Transport::udp;
    std::string_view sent_by;  // N4: the local address
    std::vector<ContactField>
        contacts{};  // the current one first; none: a fetch (RFC 3261 §10.2.3)
    std::optional<std::uint32_t> expires{};  // the header
    std::string_view supported;              // "path, outbound"; "" : none
    std::string_view require;
    std::string_view user_agent;
    std::string_view authorization;     // complete lines
    bool ask_keep = false;              // RFC 6223 §4.2.2, §4.3
    std::vector<std::string> routes{};  // name-addr texts
};
std::string register_request(const RegisterFields& fields);

// N8: above this many bytes the compact header names are used.
constexpr std::size_t compact_above = 1300;

struct OptionsFields {
    std::string_view request_uri;
    std::string_view aor;
    std::string_view to;
    std::string_view from_tag;
    std::string_view call_id;
    std::uint32_t cseq = 1;
    std::string_view branch;
    Transport transport = Transport::udp;
    std::string_view sent_by;
    std::string_view contact;
    std::uint32_t max_forwards = 20;  // R1
    std::vector<std::string> routes{};
    std::string_view user_agent;
    std::string_view authorization;
};
std::string options_request(const OptionsFields& fields);

}  // namespace holdfast::registration
