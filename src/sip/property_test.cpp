// Properties: what is printed reads back as it was; no bytes whatsoever break the parser; what it
// accepts is consistent.
#include <gtest/gtest.h>
// rapidcheck wants gtest first
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <vector>

#include "sip/stream.h"
#include "sip/writer.h"
#include "tests/sip_test_data.h"

namespace holdfast::sip {
namespace {

using test::read_data;

rc::Gen<std::string> text_of(const std::string& characters, std::size_t least = 1) {
    return rc::gen::suchThat(rc::gen::container<std::string>(rc::gen::elementOf(characters)),
                             [least](const std::string& text) { return text.size() >= least; });
}

const std::string token_characters = "abzABZ059-.!%*_+`'~";
const std::string host_characters = "abc09-.";
const std::string user_characters = "abAB09-_.!~*'()&=+$,;?/";

// Octets that mean something to the parser, so that random text gets beyond the first line.
rc::Gen<std::string> sip_like() {
    return rc::gen::map(rc::gen::container<std::vector<std::string>>(
                            rc::gen::elementOf(std::vector<std::string>{"OPTIONS ",
                                                                        "sip:",
                                                                        "a",
                                                                        "1",
                                                                        "@",
                                                                        ":",
                                                                        ";",
                                                                        "=",
                                                                        ",",
                                                                        "<",
                                                                        ">",
                                                                        "\"",
                                                                        "\\",
                                                                        "%41",
                                                                        "%",
                                                                        "?",
                                                                        "[",
                                                                        "]",
                                                                        " ",
                                                                        "\t",
                                                                        "\r\n",
                                                                        "\r",
                                                                        "\n",
                                                                        " SIP/2.0\r\n",
                                                                        "SIP/2.0 200 OK\r\n",
                                                                        "Via: SIP/2.0/UDP h",
                                                                        ";branch=z9hG4bK",
                                                                        "From: ",
                                                                        "To: ",
                                                                        "Contact: ",
                                                                        "*",
                                                                        "CSeq: 1 OPTIONS\r\n",
                                                                        "Call-ID: x\r\n",
                                                                        "l: ",
                                                                        "\r\n ",
                                                                        "\r\n\r\n",
                                                                        "WWW-Authenticate: Digest ",
                                                                        "realm=",
                                                                        "Route: ",
                                                                        std::string(1, '\0'),
                                                                        "\xff"})),
                        [](const std::vector<std::string>& parts) {
                            std::string text;
                            for (const auto& part : parts) text += part;
                            return text;
                        });
}

RC_GTEST_PROP(SipProperty, PrintedRequestReadsBack, ()) {
    const auto method = *text_of(token_characters);
    const auto uri = "sip:" + *text_of(user_characters) + "@h" + *text_of(host_characters);
    const auto display = *rc::gen::suchThat<std::string>([](const std::string& text) {
        return std::ranges::all_of(
            text, [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; });
    });
    const auto tag = *text_of(token_characters);
    const auto branch = *text_of(token_characters);
    const auto call_id = *text_of(token_characters + "()<>:\\\"/[]?{}@");
    const auto number = *rc::gen::inRange<std::uint32_t>(0, 0x7fffffff);
    const auto body = *rc::gen::arbitrary<std::string>();
    const auto form = *rc::gen::element(NameForm::full, NameForm::compact);

    std::string out;
    Writer writer(out, form);
    writer.request_line(method, uri);
    writer.via({.transport = "UDP", .sent_by = "h:1", .branch = branch});
    writer.from(display, uri, tag);
    writer.to({}, uri, {});
    writer.call_id(call_id);
    writer.cseq(number, method);
    writer.finish(body, "a/b");

    const auto message = Message::parse(out);
    RC_ASSERT(message.has_value());
    RC_ASSERT(message->method_text() == method);
    RC_ASSERT(message->request_uri().text == uri);
    RC_ASSERT(message->top_via().branch == branch);
    RC_ASSERT(unescape(message->from().display_name) == display);
    RC_ASSERT(message->from().tag() == tag);
    RC_ASSERT(message->to().uri.text == uri);
    RC_ASSERT(message->call_id() == call_id);
    RC_ASSERT(message->cseq().number == number);
    RC_ASSERT(message->body() == body);
    RC_ASSERT(message->text() == out);
}

RC_GTEST_PROP(SipProperty, AnyTextIsReadOrRefused, ()) {
    const auto text = *sip_like();
    const auto message = Message::parse(text);
    if (!message) {
        RC_ASSERT(message.error().offset <= text.size());
        RC_ASSERT(!message.error().reason.empty());
        RC_ASSERT(message.error().answerable == Message::salvage(text).has_value());
        return;
    }
    const auto again = message->clone();  // its own bytes mean the same
    RC_ASSERT(again.text() == message->text());
    RC_ASSERT(again.body() == message->body());
    RC_ASSERT(again.vias().size() == message->vias().size());
}

// One octet of a real message changed, removed or doubled: read or refused, and its answer can be
// printed.
RC_GTEST_PROP(SipProperty, DamagedMessages, ()) {
    const auto name = *rc::gen::element<std::string>(
        "messages/a_register.sip", "messages/b_401.sip", "messages/d_invite.sip",
        "rfc4475/wsinv.dat", "rfc4475/intmeth.dat", "rfc4475/longreq.dat");
    auto text = read_data(name);
    const auto at = *rc::gen::inRange<std::size_t>(0, text.size());
    switch (*rc::gen::inRange(0, 4)) {
    case 0: text[at] = *rc::gen::arbitrary<char>(); break;
    case 1: text.erase(at, *rc::gen::inRange<std::size_t>(1, 40)); break;
    case 2: text.insert(at, text.substr(at, 20)); break;
    default: text.resize(at); break;
    }
    auto message = Message::parse(text);
    if (!message && message.error().answerable) message = Message::salvage(text).value();
    if (!message) return;
    std::string answer;
    write_response(answer, *message,
                   {.status = 400, .to_tag = "x", .source = Endpoint::parse("192.0.2.1:1")});
    RC_ASSERT(answer.ends_with("\r\nContent-Length: 0\r\n\r\n"));
    RC_ASSERT(answer.find("\r\n\r\n") ==
              answer.size() - 4);  // nothing in the request ends the headers
}

RC_GTEST_PROP(SipProperty, UriEqualityIsAnEquivalence, ()) {
    auto some_uri = [] {
        const auto part = [](std::vector<std::string> choices) {
            return *rc::gen::elementOf(std::move(choices));
        };
        return OwnedUri::parse(part({"sip:", "SIP:", "sips:"}) +
                               part({"", "a@", "%61@", "A@", "a:b@"}) + part({"h", "H", "[::1]"}) +
                               part({"", ":5060"}) +
                               part({"", ";transport=udp", ";x=1", ";X=1;lr", ";lr"}) +
                               part({"", "?a=b", "?a=b&c=d", "?c=d&a=b"}))
            .value();
    };
    const auto a = some_uri();
    const auto b = some_uri();
    RC_ASSERT(a == a);
    RC_ASSERT((a == b) == (b == a));
}

// However a stream is cut into pieces, the framer hands out the same.
RC_GTEST_PROP(SipProperty, PiecesOfAStream, ()) {
    const auto text = *sip_like() + read_data("messages/a_register.sip") + *sip_like();
    auto items = [&text](auto next_size) {
        StreamFramer framer;
        std::string seen;
        for (std::size_t at = 0; at < text.size();) {
            const std::size_t size = next_size();
            framer.feed(std::string_view(text).substr(at, size));
            at += size;
            while (const auto item = framer.next()) {
                if (item->kind == StreamItem::Kind::error) return seen + "error";
                if (item->kind == StreamItem::Kind::message)
                    seen.append("message ").append(item->bytes);
                else
                    seen.append(item->bytes);  // CRLF CRLF is one ping or two pongs, as it comes
            }
        }
        return seen;
    };
    const auto piece = *rc::gen::inRange<std::size_t>(1, 50);
    RC_ASSERT(items([&] { return piece; }) == items([&] { return text.size(); }));
}

}  // namespace
}  // namespace holdfast::sip
