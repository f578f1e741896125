// osip2: osip_message_parse() gives typed values for the headers that it has a type for; others
// (Expires, Supported) stay text.
#include <osipparser2/osip_parser.h>
// osip_parser.h needs nothing before it, but osip_message.h needs its types.
#include <osipparser2/osip_message.h>

#include "bench/peers/peers.h"

extern "C" __attribute__((noinline)) bool osip2_parse(std::string_view text) {
    static const bool ready = parser_init() == 0;  // its table of header names
    osip_message_t* message = nullptr;
    if (!ready || osip_message_init(&message) != 0) return false;
    const bool parsed = osip_message_parse(message, text.data(), text.size()) == 0;
    osip_message_free(message);
    return parsed;
}
