// Any bytes: parse() neither reads past them nor grows without bound; what it accepts is the same
// when read again, and what it refuses can be answered when it says so.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "sip/message.h"
#include "sip/response.h"
#include "sip/verdict.h"

namespace {

using namespace holdfast;
using namespace holdfast::sip;

bool within(std::string_view part, const Message& message) {
    return part.empty() || part.size() <= message.text().size();
}

void check_accepted(const Message& message) {
    CHECK(!message.vias().empty() && !message.call_id().empty());
    const auto again = Message::parse(message.text());
    CHECK(again && again->text() == message.text());
    CHECK(again->headers().size() == message.headers().size());
    CHECK(again->contacts().size() == message.contacts().size());
    CHECK(again->tokens().size() == message.tokens().size());
    for (const auto& contact : message.contacts()) {
        CHECK(within(contact.text, message) && within(contact.uri.text, message));
        const auto uri = OwnedUri::parse(contact.uri.text);
        CHECK(uri && equal(*uri->operator->(), contact.uri));
        (void)contact.instance();
        (void)contact.reg_id();
    }
    constexpr Capabilities nothing;
    (void)check_request(message, nothing);
    (void)check_response(message);
}

void check_answer(const Message& request) {
    std::string answer;
    write_response(answer, request,
                   {.status = 400, .to_tag = "x", .source = Endpoint::parse("192.0.2.1:5060")});
    CHECK(answer.find("\r\n\r\n") == answer.size() - 4);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes{reinterpret_cast<const char*>(data), size};
    const auto message = Message::parse(bytes);
    if (message) {
        check_accepted(*message);
        if (message->is_request()) check_answer(*message);
        return 0;
    }
    CHECK(message.error().offset <= size);
    const auto salvaged = Message::salvage(bytes);
    CHECK(salvaged.has_value() == message.error().answerable);
    if (salvaged) check_answer(*salvaged);
    return 0;
}
