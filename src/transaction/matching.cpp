// RFC 3261 §17.1.3 and §17.2.3.
#include "transaction/matching.h"

#include <algorithm>

#include "base/text.h"

namespace holdfast::transaction {

namespace {

// No header value holds a line feed, so that two keys cannot run into one another.
void append(std::string& text, std::string_view part) {
    text += '\n';
    text += part;
}

std::string_view tag_of(const sip::NameAddr& address) { return address.tag(); }

// RFC 3261 §17.2.3, second half: the client of RFC 2543 has no branch that could be trusted.
std::string rfc2543_key(const sip::Message& request, std::string_view method) {
    std::string text = "2543";
    append(text, method);
    append(text, request.request_uri().text);
    append(text, lower_case(tag_of(request.from())));
    // The ACK carries the To tag of our response, which its INVITE did not: ack_fits() compares it.
    if (method != "INVITE") append(text, lower_case(tag_of(request.to())));
    append(text, request.call_id());
    append(text, std::to_string(request.cseq().number));
    append(text, lower_case(request.top_via().text));
    return text;
}

ServerKey server_key(const sip::Message& request, std::string_view method) {
    const auto& via = request.top_via();
    if (!via.has_magic_cookie()) return {rfc2543_key(request, method)};
    return {joined({"3261\n", method, "\n", lower_case(via.branch), "\n", lower_case(via.host),
                    "\n", std::to_string(via.port)})};
}

}  // namespace

ClientKey client_key(std::string_view branch, std::string_view method) {
    auto text = joined({branch, "\n", method});  // methods are case sensitive (RFC 3261 §7.1)
    const auto branch_end = text.begin() + static_cast<std::ptrdiff_t>(branch.size());
    std::transform(text.begin(), branch_end, text.begin(), to_lower);
    return {std::move(text)};
}

ClientKey client_key_of(const sip::Message& message) {
    // RFC 3261 §17.1.3: the method is in the CSeq, for CANCEL has the branch of what it cancels.
    return client_key(message.top_via().branch, message.method_text());
}

// Not the From tag: it is the same in all our requests of a run, and some servers alter it.
bool is_answer_to(const Asked& asked, const sip::Message& response) {
    return response.call_id() == asked.call_id && response.cseq().number == asked.cseq;
}

ServerKey server_key_of(const sip::Message& request) {
    const bool ack = request.method() == sip::Method::ack;
    return server_key(request, ack ? std::string_view("INVITE") : request.method_text());
}

ServerKey server_key_of_cancelled(const sip::Message& cancel) {
    return server_key(cancel, "INVITE");
}

bool ack_fits(const sip::Message& ack, std::string_view our_to_tag) {
    if (ack.top_via().has_magic_cookie()) return true;
    return equals_ignoring_case(tag_of(ack.to()), our_to_tag);
}

}  // namespace holdfast::transaction
