// Who calls, as far as that can be believed, and what the caller asks of the phone (RFC 3323, RFC
// 3325).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/time.h"
#include "sip/message.h"

namespace holdfast::call {

// Whose word an INVITE is.
enum class Source : std::uint8_t {
    own_server,  // it came from a server of the account: what that asserts counts
    anybody,
};

struct Caller {
    std::string words;  // "Bob B. <sip:bob@example.test>"
    // To be answered by itself after so long: Call-Info or Alert-Info with answer-after=SECONDS, or
    // info=alert-autoanswer. Only the account's own server may ask so: it opens a microphone.
    std::optional<Duration> answer_after{};
};

// RFC 3325 §9.1: P-Asserted-Identity stands above From where it can be trusted, unless the caller
// wants not to be named (Privacy: id, user or header).
Caller caller_of(const sip::Message& invite, Source source);

}  // namespace holdfast::call
