// Prints SIP messages: appends to a string, byte exact, in call order.
//
//     Writer writer(out);
//     writer.request_line(Method::register_, "sip:example.test");
//     writer.via({.transport = "UDP", .sent_by = "192.0.2.4:5060", .branch = branch});
//     writer.from("Alice", "sip:alice@example.test", tag);
//     …
//     writer.finish();                        // Content-Length, blank line, body
//
// Values are written as given, but a CR, LF or NUL in one of them, which would let a caller's data
// end the header, is written as a space.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sip/header_name.h"
#include "sip/method.h"

namespace holdfast::sip {

// N8: compact names are used where a datagram would become too long.
enum class NameForm : std::uint8_t { full, compact };

struct ViaFields {
    std::string_view transport = "UDP";
    std::string_view sent_by = {};  // host or host:port; IPv6 in brackets
    std::string_view branch = {};   // with its cookie
    bool rport = true;              // RFC 3581 §3
    std::string_view extra = {};    // further parameters, ";" included: ";keep"
};

class Writer {
public:
    explicit Writer(std::string& out, NameForm form = NameForm::full) : out_(out), form_(form) {}

    void request_line(Method method, std::string_view uri);
    void request_line(std::string_view method, std::string_view uri);
    void status_line(int status, std::string_view reason);

    void via(const ViaFields& fields);
    // display: as people write it ("" for none), quoted and escaped here. tag: "" for none.
    void from(std::string_view display, std::string_view uri, std::string_view tag);
    void to(std::string_view display, std::string_view uri, std::string_view tag);
    // Name: "display" <uri> and parameters as given, ";" included. Contact, Route, Refer-To, …
    void address(HeaderName name, std::string_view display, std::string_view uri,
                 std::string_view parameters = {});
    void contact(std::string_view uri, std::string_view parameters = {}) {
        address(HeaderName::contact, {}, uri, parameters);
    }
    void call_id(std::string_view value) { header(HeaderName::call_id, value); }
    void cseq(std::uint32_t number, Method method) { cseq(number, name_of(method)); }
    void cseq(std::uint32_t number, std::string_view method);
    void max_forwards(std::uint32_t hops) { header(HeaderName::max_forwards, hops); }

    void header(HeaderName name, std::string_view value);
    void header(HeaderName name, const char* value) { header(name, std::string_view(value)); }
    void header(HeaderName name, std::uint32_t value);
    void header(std::string_view name, std::string_view value);
    // Complete lines with their CRLF, copied as they are.
    void lines(std::string_view text);

    // Content-Type (if there is a body and a type), Content-Length, blank line, body. Ends the
    // message.
    void finish(std::string_view body = {}, std::string_view content_type = {});

private:
    void tagged(HeaderName name, std::string_view display, std::string_view uri,
                std::string_view tag);
    enum class Trust : bool { nothing, text };  // whether what is written can hold a line end
    template <Trust trust = Trust::nothing, class Fill>
    void line(std::size_t bound, Fill fill);
    [[nodiscard]] std::string_view text_of(HeaderName name) const {
        return form_ == NameForm::compact ? compact_name_of(name) : name_of(name);
    }
    std::string& out_;
    NameForm form_;
};

}  // namespace holdfast::sip
