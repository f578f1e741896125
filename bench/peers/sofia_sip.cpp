// sofia-sip: msg_make() parses every header that its class knows to typed values, parameters and
// URIs included; what it does not know is kept as text. It copies the message, as it must: it
// writes into it.
#include <sofia-sip/msg.h>
#include <sofia-sip/sip_header.h>

#include "bench/peers/peers.h"

extern "C" __attribute__((noinline)) bool sofia_sip_parse(std::string_view text) {
    msg_t* message =
        msg_make(sip_default_mclass(), 0, text.data(), static_cast<ssize_t>(text.size()));
    const bool parsed =
        message != nullptr && msg_is_complete(message) > 0 && msg_has_error(message) == 0;
    msg_destroy(message);
    return parsed;
}
