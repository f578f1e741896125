// osip2: osip_message_parse() gives typed values for the headers that it has a type for; others
// (Expires, Supported) stay text.
#include <osipparser2/osip_parser.h>
// osip_parser.h needs nothing before it, but osip_message.h needs its types.
#include <osipparser2/osip_message.h>

#include "bench/peers/peers.h"

namespace {

// nullptr: refused.
osip_message_t* made(std::string_view text) {
    static const bool ready = [] {
        osip_trace_initialize_func(TRACE_LEVEL0, [](auto...) {});  // else it writes to the output
        return parser_init() == 0;                                 // its table of header names
    }();
    osip_message_t* message = nullptr;
    if (!ready || osip_message_init(&message) != 0) return nullptr;
    if (osip_message_parse(message, text.data(), text.size()) == 0) return message;
    osip_message_free(message);
    return nullptr;
}

}  // namespace

extern "C" __attribute__((noinline)) bool osip2_parse(std::string_view text) {
    osip_message_t* message = made(text);
    osip_message_free(message);
    return message != nullptr;
}

// It keeps what it has printed: forced, it prints anew.
extern "C" __attribute__((noinline)) char* osip2_print(osip_message_t* message, size_t* length) {
    char* printed = nullptr;
    osip_message_force_update(message);
    return osip_message_to_str(message, &printed, length) == 0 ? printed : nullptr;
}

std::string holdfast::bench::osip2_printed(std::string_view text, int rounds) {
    std::string out;
    osip_message_t* message = made(text);
    for (int i = 0; i < rounds && message != nullptr; ++i) {
        size_t length = 0;
        char* printed = osip2_print(message, &length);
        if (printed != nullptr) out.assign(printed, length);
        osip_free(printed);
    }
    osip_message_free(message);
    return out;
}
