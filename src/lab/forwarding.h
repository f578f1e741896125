// The text of a message that a proxy passes on (RFC 3261 §16.6, §16.7).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lab/location_service.h"
#include "sip/message.h"

namespace holdfast::lab {

struct ForwardFields {
    std::string_view target;                   // the new Request-URI
    std::string_view route;                    // a Route instead of those it had; "" : none
    std::vector<std::string> record_routes{};  // on top of those it had
    std::string_view sent_by;
    std::string_view branch;
    Transport transport = Transport::udp;
    Endpoint source;  // where the request came from: received and rport
};

// With our Via on top and Max-Forwards one less.
std::string forwarded_request(const sip::Message& request, const ForwardFields& fields);
// Without the top Via.
std::string forwarded_response(const sip::Message& response);

// The way to a binding as a token for a Route's user part, and back.
std::string way_token(const Hop& hop);
std::optional<Hop> way_of_token(std::string_view token, const Endpoint& local);

}  // namespace holdfast::lab
