// Responses that follow from a request (RFC 3261 §8.2.6, RFC 3581 §4).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/address.h"
#include "sip/message.h"

namespace holdfast::sip {

struct ResponseFields {
    int status = 200;
    std::string_view reason = {};  // "": the RFC's phrase for the status
    std::string_view to_tag = {};  // added unless To has a tag, or the status is 100; "": none
    std::string_view extra_headers = {};  // complete lines with CRLF, before Content-Length
    std::string_view body = {};
    std::string_view content_type = {};
    // Where the request came from: fills received and rport in the top Via (RFC 3261 §18.2.1, RFC
    // 3581 §4). Nothing: the Via is copied as it is.
    std::optional<Endpoint> source = {};
    bool copy_record_route = false;  // RFC 3261 §12.1.1: responses that make a dialog
};

// Appends a response that copies Via, From, To, Call-ID, CSeq (and Timestamp into a 100, §8.2.6.1).
// The request may be a salvaged one.
void write_response(std::string& out, const Message& request, const ResponseFields& fields);

std::string_view reason_phrase_of(int status);  // RFC 3261 §21; "Unknown" for others

// Where a response to this request goes over an unreliable transport (RFC 3261 §18.2.2, RFC 3581
// §4). Deviates: maddr is not followed; it would let a sender choose whom our responses hit.
Endpoint response_destination(const Message& request, const Endpoint& source);

}  // namespace holdfast::sip
