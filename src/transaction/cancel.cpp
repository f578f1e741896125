#include "transaction/cancel.h"

#include "base/check.h"
#include "sip/message.h"
#include "sip/writer.h"

namespace holdfast::transaction {

std::string cancel_for(std::string_view invite, std::string_view headers) {
    const auto original = sip::Message::parse(invite);
    CHECK(original && original->is_request());

    std::string bytes;
    sip::Writer writer(bytes);
    // RFC 3261 §9.1: Request-URI, Call-ID, To, the number of CSeq and From identical, tags too; one
    // Via, the INVITE's own, so that both match; its Route; neither Require nor Proxy-Require.
    writer.request_line(sip::Method::cancel, original->request_uri().text);
    writer.header(sip::HeaderName::via, original->top_via().text);
    for (const auto& header : original->headers())
        if (header.name == sip::HeaderName::route)
            writer.header(sip::HeaderName::route, header.value);
    writer.max_forwards(original->max_forwards().value_or(70));
    writer.header(sip::HeaderName::from, original->header(sip::HeaderName::from).value_or(""));
    writer.header(sip::HeaderName::to, original->header(sip::HeaderName::to).value_or(""));
    writer.call_id(original->call_id());
    writer.cseq(original->cseq().number, sip::Method::cancel);
    writer.lines(headers);
    writer.finish();
    return bytes;
}

}  // namespace holdfast::transaction
