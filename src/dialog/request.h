// One request of ours, without what its way decides: who sends it knows the flow, and with it Via,
// Contact and the credentials for who challenges there.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "sip/method.h"
#include "sip/uri.h"

namespace holdfast::dialog {

struct Request {
    sip::Method method = sip::Method::invite;
    std::string request_uri;
    std::vector<std::string> routes{};  // name-addr texts, the next one first
    // The URI whose host is the next hop (RFC 3261 §12.2.1.1); "": the account's own way (L8), for
    // a request outside dialogs.
    std::string next_hop{};
    std::string from;  // whole values, tags included
    std::string to;
    std::string call_id;
    std::uint32_t cseq = 1;
    std::uint32_t max_forwards = 70;
    bool has_contact = false;    // RFC 3261 §8.1.1.8: what makes a dialog or refreshes its target
    std::string headers{};       // complete lines with CRLF
    std::string content_type{};  // "" without a body
    std::string body{};
};

// What the way adds.
struct Way {
    Transport transport = Transport::udp;
    std::string_view sent_by;
    std::string_view branch;
    std::string_view contact;        // the URI in the brackets
    std::string_view authorization;  // complete lines
    std::string_view user_agent;
};

// RFC 3261 §12.2, RFC 3311 §5.1: the peer takes another Contact from these. REFER and NOTIFY name
// one as well (RFC 3515 §2.2), which phones in the field do not learn from.
constexpr bool refreshes_target(sip::Method method) {
    return method == sip::Method::invite || method == sip::Method::update;
}

std::string written(const Request& request, const Way& way);

// A URI as it may stand in a request line (RFC 3261 §19.1.1, Table 1): without headers and method.
std::string as_request_uri(const sip::Uri& uri);

}  // namespace holdfast::dialog
