// libre, which baresip rests on: sip_msg_decode() finds the headers, parts those that are lists,
// and decodes the start line, the first Via, From, To, CSeq and Content-Type. The rest its callers
// decode when they want it: here all of it, as the other parsers do. A request is printed by a
// format, as its own are (sip_requestf).
#define HAVE_INTTYPES_H  // as Debian's library was built: a socket's address has room for IPv6
#define HAVE_STDBOOL_H
#define HAVE_INET6
#define RELEASE  // no checks of a buffer's bounds in its inline functions
#include <re/re.h>

#include <string>

#include "bench/peers/peers.h"

namespace {

int any_uri_parameter(const pl* /*name*/, const pl* /*value*/, void* /*argument*/) { return 0; }

bool decodes_uri(const uri& value) {
    return uri_params_apply(&value.params, any_uri_parameter, nullptr) == 0;
}

// libre looks parameters up by name.
bool has(const pl& parameters, const char* name) {
    pl value{};
    return msg_param_decode(&parameters, name, &value) == 0;
}

bool decodes_address(const pl& text, bool contact) {
    sip_addr address{};
    if (sip_addr_decode(&address, &text) != 0 || !decodes_uri(address.uri)) return false;
    if (contact)
        for (const char* name : {"expires", "q", "+sip.instance", "reg-id"})
            (void)has(address.params, name);
    return true;
}

bool decodes_via(const pl& text) {
    sip_via via{};
    if (sip_via_decode(&via, &text) != 0) return false;
    for (const char* name : {"rport", "received"}) (void)has(via.params, name);
    return true;
}

bool decodes(const sip_hdr& header) {
    httpauth_digest_chall challenge{};
    httpauth_digest_resp response{};
    switch (header.id) {
    case SIP_HDR_VIA: return decodes_via(header.val);
    case SIP_HDR_CONTACT: return decodes_address(header.val, true);
    case SIP_HDR_ROUTE:
    case SIP_HDR_RECORD_ROUTE:
    case SIP_HDR_PATH:
    case SIP_HDR_SERVICE_ROUTE:
    case SIP_HDR_P_ASSERTED_IDENTITY:
    case SIP_HDR_P_ASSOCIATED_URI: return decodes_address(header.val, false);
    case SIP_HDR_WWW_AUTHENTICATE:
    case SIP_HDR_PROXY_AUTHENTICATE:
        return httpauth_digest_challenge_decode(&challenge, &header.val) == 0;
    case SIP_HDR_AUTHORIZATION:
    case SIP_HDR_PROXY_AUTHORIZATION:
        return httpauth_digest_response_decode(&response, &header.val) == 0;
    default: return true;
    }
}

// nullptr: refused. mem_deref() gives it back.
sip_msg* made(std::string_view text) {
    const pl whole{text.data(), text.size()};
    mbuf* buffer = mbuf_alloc(text.size());
    sip_msg* message = nullptr;
    if (buffer != nullptr && mbuf_write_pl(buffer, &whole) == 0) {
        mbuf_set_pos(buffer, 0);
        if (sip_msg_decode(&message, buffer) != 0) message = nullptr;
    }
    mem_deref(buffer);
    return message;
}

// The text of a header, whose list libre has parted.
pl listed(const sip_msg& message, sip_hdrid id) {
    pl whole{};
    for (const le* at = message.hdrl.head; at != nullptr; at = at->next) {
        const auto& header = *static_cast<const sip_hdr*>(at->data);
        if (header.id != id) continue;
        if (whole.p == nullptr) whole.p = header.val.p;
        whole.l = static_cast<size_t>(header.val.p + header.val.l - whole.p);
    }
    return whole;
}

}  // namespace

extern "C" __attribute__((noinline)) bool libre_parse(std::string_view text) {
    sip_msg* message = made(text);
    bool sound = message != nullptr && (!message->req || decodes_uri(message->uri));
    if (sound) {
        sound = decodes_uri(message->from.uri) && decodes_uri(message->to.uri);
        for (const le* at = message->hdrl.head; at != nullptr && sound; at = at->next)
            sound = decodes(*static_cast<const sip_hdr*>(at->data));
    }
    mem_deref(message);
    return sound;
}

// What it refuses by itself.
extern "C" bool libre_takes(std::string_view text) {
    sip_msg* message = made(text);
    mem_deref(message);
    return message != nullptr;
}

// What it has no type for is text: the program's own.
extern "C" __attribute__((noinline)) bool libre_print(mbuf* out, const sip_msg& message,
                                                      const sip_addr& contact, const pl& supported,
                                                      const pl& allow) {
    mbuf_set_pos(out, 0);
    return mbuf_printf(out,
                       "%r %H SIP/2.0\r\n"
                       "Via: SIP/2.0/%s %r%r\r\n"
                       "Max-Forwards: %r\r\n"
                       "From: \"%r\" <%H>%r\r\n"
                       "To: \"%r\" <%H>%r\r\n"
                       "Call-ID: %r\r\n"
                       "CSeq: %u %r\r\n"
                       "User-Agent: %r\r\n"
                       "Contact: <%H>%r\r\n"
                       "Expires: %r\r\n"
                       "Supported: %r\r\n"
                       "Allow: %r\r\n"
                       "Content-Length: 0\r\n\r\n",
                       &message.met, uri_encode, &message.uri, sip_transp_name(message.via.tp),
                       &message.via.sentby, &message.via.params, &message.maxfwd,
                       &message.from.dname, uri_encode, &message.from.uri, &message.from.params,
                       &message.to.dname, uri_encode, &message.to.uri, &message.to.params,
                       &message.callid, message.cseq.num, &message.cseq.met,
                       &sip_msg_hdr(&message, SIP_HDR_USER_AGENT)->val, uri_encode, &contact.uri,
                       &contact.params, &message.expires, &supported, &allow) == 0;
}

std::string holdfast::bench::libre_printed(std::string_view text, int rounds) {
    std::string printed;
    sip_msg* message = made(text);
    mbuf* out = mbuf_alloc(2'048);
    sip_addr contact{};
    const auto* header = message != nullptr ? sip_msg_hdr(message, SIP_HDR_CONTACT) : nullptr;
    if (out != nullptr && header != nullptr && sip_addr_decode(&contact, &header->val) == 0) {
        const auto supported = listed(*message, SIP_HDR_SUPPORTED);
        const auto allow = listed(*message, SIP_HDR_ALLOW);
        bool sound = true;
        for (int i = 0; i < rounds && sound; ++i)
            sound = libre_print(out, *message, contact, supported, allow);
        if (sound) printed.assign(out->buf, out->buf + out->pos);
    }
    mem_deref(out);
    mem_deref(message);
    return printed;
}
