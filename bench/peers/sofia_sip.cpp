// sofia-sip: msg_make() parses every header that its class knows to typed values, parameters and
// URIs included; what it does not know is kept as text. It copies the message, as it must: it
// writes into it. Its transactions (nta) check a message with sip_sanity_check(), and for errors in
// headers that matter, before anything else sees it.
#include <sofia-sip/msg.h>
#include <sofia-sip/msg_header.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_util.h>

#include <span>

#include "bench/peers/peers.h"

namespace {

// Of the headers that an error was found in, those that make nta refuse the message
// (NTATAG_BAD_REQ_MASK, NTATAG_BAD_RESP_MASK).
constexpr unsigned phone_needs = sip_mask_request | sip_mask_response | sip_mask_ua;

msg_t* made(std::string_view text) {
    return msg_make(sip_default_mclass(), 0, text.data(), static_cast<ssize_t>(text.size()));
}

bool is_whole(msg_t* message) {
    return message != nullptr && msg_is_complete(message) > 0 && msg_has_error(message) == 0;
}

}  // namespace

extern "C" __attribute__((noinline)) bool sofia_sip_parse(std::string_view text) {
    msg_t* message = made(text);
    const bool parsed = is_whole(message);
    msg_destroy(message);
    return parsed;
}

extern "C" bool sofia_sip_takes(std::string_view text) {
    msg_t* message = made(text);
    const bool taken = is_whole(message) && sip_sanity_check(sip_object(message)) == 0 &&
                       (msg_extract_errors(message) & phone_needs) == 0;
    msg_destroy(message);
    return taken;
}

// Header by header into memory that is there already, as ours does; msg_as_string() costs a quarter
// more. The length.
extern "C" __attribute__((noinline)) size_t sofia_sip_print(msg_t* message, std::span<char> out) {
    size_t at = 0;
    for (const auto* header = *msg_chain_head(message); header != nullptr && at < out.size();
         header = header->sh_succ) {
        const auto size =
            msg_header_e(out.data() + at, static_cast<isize_t>(out.size() - at), header, 0);
        at += size > 0 ? static_cast<size_t>(size) : 0;
    }
    return at < out.size() ? at : 0;
}

std::string holdfast::bench::sofia_sip_printed(std::string_view text, int rounds) {
    std::string out(2'048, ' ');
    size_t length = 0;
    msg_t* message = made(text);
    for (int i = 0; i < rounds; ++i) length = sofia_sip_print(message, out);
    msg_destroy(message);
    out.resize(length);
    return out;
}
