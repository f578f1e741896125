// What a user agent must make of a message that parses: refuse a request (RFC 3261 §8.2.1–§8.2.3),
// drop a response (§8.1.3.3, §18.1.2). Parsing does not decide these, so that a request can be
// answered with the right status.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "sip/message.h"

namespace holdfast::sip {

struct Capabilities {
    std::span<const Method> methods = {};            // others: 405 with Allow, or 501 if unknown
    std::span<const std::string_view> options = {};  // option tags we know; others in Require: 420
    std::span<const std::string_view> media_types =
        {};  // bodies we read: "application/sdp"; others: 415
    std::span<const std::string_view> sent_types =
        {};                  // bodies we answer an INVITE with; none in Accept: 406
    bool allow_tel = false;  // tel: as Request-URI; otherwise 416
};

struct Rejection {
    int status = 400;
    std::string_view reason = {};    // static text
    std::string extra_headers = {};  // lines for the response: Unsupported, Allow, Accept
};

// Nothing: go on. An ACK is never refused, since it is never answered; a CANCEL only for an unknown
// method (§8.2.2.3).
[[nodiscard]] std::optional<Rejection> check_request(const Message& request,
                                                     const Capabilities& capabilities);

// Whether the sender lets us leave the body unread (RFC 3261 §8.2.3, handling=optional).
[[nodiscard]] bool may_skip_body(const Message& request);

// Nothing: go on; otherwise why the response is dropped (static text). sent_by: host and port we
// put into our Vias.
struct SentBy {
    std::string_view host = {};
    std::uint16_t port = 0;  // 0: none written
};
[[nodiscard]] std::optional<std::string_view> check_response(const Message& response,
                                                             std::optional<SentBy> sent_by = {});

}  // namespace holdfast::sip
