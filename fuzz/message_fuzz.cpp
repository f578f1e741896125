// Any bytes: parse() neither reads past them nor grows without bound; what it accepts is the same
// when read again, and what it refuses can be answered when it says so.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "fuzz/rebuilt.h"
#include "sip/message.h"
#include "sip/response.h"
#include "sip/verdict.h"

namespace {

using namespace holdfast;
using namespace holdfast::sip;

// The message again, from what was read of it: first line, headers, body. Folds are undone.
std::string rebuilt(const Message& message) {
    std::string text;
    if (message.is_request())
        text.append(message.method_text())
            .append(" ")
            .append(message.request_uri().text)
            .append(" SIP/2.0");
    else
        text.append("SIP/2.0 ")
            .append(std::to_string(message.status()))
            .append(" ")
            .append(message.reason_phrase());
    text.append("\r\n");
    for (const auto& header : message.headers())
        text.append(header.name_text).append(":").append(header.value).append("\r\n");
    return text.append("\r\n").append(message.body());
}

bool same(std::span<const NameAddr> a, std::span<const NameAddr> b) {
    return std::ranges::equal(a, b, [](const NameAddr& x, const NameAddr& y) {
        return x.display_name == y.display_name && fuzz::same(x.uri, y.uri) &&
               fuzz::same(x.parameters, y.parameters);
    });
}

void check_same(const Message& a, const Message& b) {
    CHECK(a.status() == b.status() && a.reason_phrase() == b.reason_phrase());
    CHECK(a.method_text() == b.method_text() && a.cseq().number == b.cseq().number);
    CHECK(a.is_request() == b.is_request() && a.request_uri().text == b.request_uri().text);
    CHECK(a.call_id() == b.call_id() && a.body() == b.body());
    CHECK(a.from().text == b.from().text && a.to().text == b.to().text);
    CHECK(std::ranges::equal(a.headers(), b.headers(), [](const Header& x, const Header& y) {
        return x.name == y.name && x.name_text == y.name_text && x.value == y.value;
    }));
    CHECK(std::ranges::equal(a.vias(), b.vias(), [](const Via& x, const Via& y) {
        return x.host == y.host && x.port == y.port && x.branch == y.branch;
    }));
    CHECK(std::ranges::equal(a.contacts(), b.contacts(), [](const Contact& x, const Contact& y) {
        return fuzz::same(x.uri, y.uri) && x.expires == y.expires &&
               x.q_thousandths == y.q_thousandths;
    }));
    CHECK(same(a.routes(), b.routes()) && same(a.record_routes(), b.record_routes()));
    CHECK(same(a.service_routes(), b.service_routes()) && same(a.paths(), b.paths()));
    CHECK(a.challenges().size() == b.challenges().size());
    CHECK(a.authorizations().size() == b.authorizations().size());
    CHECK(a.tokens().size() == b.tokens().size() && a.expires() == b.expires());
}

void check_accepted(const Message& message) {
    CHECK(!message.vias().empty() && !message.call_id().empty());
    const auto again = Message::parse(message.text());
    CHECK(again && again->text() == message.text());
    check_same(*again, message);
    const auto from_parts = Message::parse(rebuilt(message));
    CHECK(from_parts);
    check_same(*from_parts, message);
    for (const auto& contact : message.contacts()) {
        fuzz::check_parts(contact);
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
