// RFC 3261 §17.1.1.3.
#include "transaction/ack.h"

#include "base/check.h"
#include "sip/writer.h"

namespace holdfast::transaction {

std::string ack_for(std::string_view invite, const sip::Message& response) {
    const auto original = sip::Message::parse(invite);
    CHECK(original && original->is_request());

    std::string bytes;
    sip::Writer writer(bytes);
    writer.request_line(sip::Method::ack, original->request_uri().text);
    // One Via, equal to the INVITE's; Route, From, Call-ID and the CSeq number as in the INVITE; To
    // as in the response, for its tag says whose answer is acknowledged.
    writer.header(sip::HeaderName::via, original->top_via().text);
    writer.max_forwards(original->max_forwards().value_or(70));
    for (const auto& header : original->headers())
        if (header.name == sip::HeaderName::route)
            writer.header(sip::HeaderName::route, header.value);
    writer.header(sip::HeaderName::from, original->header(sip::HeaderName::from).value_or(""));
    // Of a response past a limit it may not have been read (I8): its branch says what is meant
    // (§17.2.3).
    const auto to = response.header(sip::HeaderName::to);
    writer.header(sip::HeaderName::to,
                  to ? *to : original->header(sip::HeaderName::to).value_or(""));
    writer.call_id(original->call_id());
    writer.cseq(original->cseq().number, sip::Method::ack);
    writer.finish();
    return bytes;
}

}  // namespace holdfast::transaction
