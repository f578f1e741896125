// What engine_fuzz's servers say: responses to what the engine sent, requests to it, DNS records —
// well-formed for the most part, so that they get past the parser, and wrong in one place or
// another.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/dns.h"
#include "base/text.h"
#include "fuzz/engine/script.h"
#include "sip/message.h"

namespace holdfast::fuzz {

// One request of the engine's, as the servers remember it.
struct Asked {
    FlowId flow;
    std::string text;
};

// A value out of the usual ones and the extremes.
inline std::string number_text(std::uint8_t arg) {
    constexpr std::array<std::string_view, 16> values{
        "0",    "1",     "5",      "30",         "60",         "300",        "3600", "86400",
        "7200", "65535", "999999", "2147483647", "4294967295", "4294967296", "-1",   "1e3"};
    return std::string(values[arg % values.size()]);
}

inline std::string host_text(std::uint8_t arg) {
    constexpr std::array<std::string_view, 12> hosts{
        "203.0.113.11",   "203.0.113.12", "203.0.113.13", "198.51.100.66",
        "[2001:db8::11]", "127.0.0.1",    "10.0.0.1",     "224.0.0.1",
        "a.example.test", "example.test", "evil.test",    "0.0.0.0"};
    return std::string(hosts[arg % hosts.size()]);
}

inline std::string digest_text(std::uint8_t arg, std::uint8_t more) {
    constexpr std::array<std::string_view, 4> realms{"example.test", "b", "evil.test", ""};
    constexpr std::array<std::string_view, 8> algorithms{
        "MD5", "SHA-256", "SHA-512-256", "MD5-sess", "SHA-256-sess", "", "AKAv1-MD5", "md5"};
    constexpr std::array<std::string_view, 4> qops{R"(, qop="auth")", R"(, qop="auth,auth-int")",
                                                   "", R"(, qop="odd")"};
    std::string text = R"(Digest realm=")";
    text += arg & 0x80U ? std::to_string(more) : std::string(realms[arg % realms.size()]);
    text += R"(", nonce="n)" + std::to_string(more) + "\"";
    const auto algorithm = algorithms[arg / 4U % algorithms.size()];
    if (!algorithm.empty()) text.append(", algorithm=").append(algorithm);
    text += qops[more % qops.size()];
    if (more & 0x40U) text += ", stale=true";
    if (more & 0x80U) text += R"(, opaque="o", domain="sip:evil.test")";
    return text;
}

class Mouth {
public:
    // The Contacts that a registrar lists: those of the request, as they were asked for.
    static std::string echo(const sip::Message& request, std::uint32_t most) {
        std::string lines;
        for (const auto& contact : request.contacts()) {
            const auto expires =
                std::min(contact.expires.value_or(request.expires().value_or(most)), most);
            if (expires == 0) continue;
            std::string text(contact.text);
            if (!contact.expires) text += ";expires=" + std::to_string(expires);
            lines += "Contact: " + text + "\r\n";
        }
        return lines;
    }

    // A plain answer, with this in its top Via.
    static std::string plain(const sip::Message& request, int status, std::string_view headers,
                             std::string_view via_says) {
        std::string via(request.top_via().text);
        if (const auto at = via.find(";rport"); at != std::string::npos)
            via.replace(at, 6, via_says);
        return compose(request, std::to_string(status) + " Said", via, headers, true);
    }

    // status, count, (header, arg, arg)…, via, arg, mistakes, [damage].
    static std::string answer(const sip::Message& request, Reader& in) {
        constexpr std::array<int, 32> statuses{
            200, 401, 407, 100, 503, 500, 302, 403, 423, 420, 421, 439, 400, 404, 408, 480,
            482, 486, 487, 200, 200, 401, 180, 202, 300, 305, 429, 494, 502, 600, 699, 1000};
        const int status = in.pick(statuses);
        std::string headers;
        for (std::size_t left = in.index(9); left > 0; --left) headers += header(request, in);
        std::string via = via_of(request, in);
        const auto mistakes = in.u8();
        std::string status_line = std::to_string(status) + " Said";
        if (mistakes & 1U) via = "SIP/2.0/UDP 203.0.113.9;branch=z9hG4bKother\r\nVia: " + via;
        auto text = compose(request, status_line, via, headers, (mistakes & 2U) == 0);
        const auto swap = [&](std::string_view what, std::string_view by) {
            if (const auto at = text.find(what); at != std::string::npos)
                text.replace(at, what.size(), by);
        };
        if (mistakes & 4U) swap("CSeq: ", "CSeq: 4");
        if (mistakes & 8U) swap("REGISTER\r\n", "OPTIONS\r\n");
        if (mistakes & 16U) swap("z9hG4bK", "z9hG4bk");
        if (mistakes & 32U) swap("Call-ID: ", "Call-ID: x");
        if (mistakes & 64U) text = damaged(std::move(text), in);
        return text;
    }

    // method, uri, token, extra, cseq, dialog, via, body: to us, from a server or a stranger.
    static std::string request(const std::optional<Asked>& last, std::string_view contact,
                               Reader& in) {
        constexpr std::array<std::string_view, 12> methods{
            "INVITE", "OPTIONS", "NOTIFY",  "BYE",  "CANCEL",   "ACK",
            "REFER",  "UPDATE",  "MESSAGE", "INFO", "REGISTER", "ODD"};
        const auto method = in.pick(methods);
        const auto shape = in.u8();
        const std::string uri = shape & 1U && !contact.empty() ? std::string(contact)
                                : shape & 2U                   ? "sip:alice@192.168.1.20:40000"
                                                               : "sip:stranger@198.51.100.7";
        std::string call_id = "call-" + std::to_string(in.u8() % 4U);
        if (shape & 4U && last)  // a copy of our own OPTIONS comes back (R1)
            if (const auto own = sip::Message::parse(last->text)) call_id = own->call_id();
        std::string text;
        text.append(method).append(" ").append(uri).append(" SIP/2.0\r\nVia: SIP/2.0/UDP ");
        text.append(host_text(in.u8())).append(":").append(number_text(in.u8()));
        text.append(";branch=z9hG4bKb").append(std::to_string(in.u8() % 8U));
        if (shape & 8U) text.append(";rport");
        text.append(
            "\r\nMax-Forwards: 70\r\nFrom: <sip:bob@example.test>;tag=b\r\nTo: "
            "<sip:alice@example.test>");
        if (shape & 16U) text.append(";tag=").append(std::to_string(shape));
        text.append("\r\nCall-ID: ").append(call_id).append("\r\nCSeq: ");
        text.append(std::to_string(in.u8() % 4U)).append(" ").append(method).append("\r\n");
        constexpr std::array<std::string_view, 12> extras{
            "",
            "Event: keep-alive\r\n",
            "Event: check-sync;reboot=true\r\n",
            "Event: message-summary\r\nContent-Type: application/simple-message-summary\r\n",
            "Event: dialog\r\n",
            "Require: 100rel, odd\r\n",
            "Expires: 1\r\n",
            "Record-Route: <sip:203.0.113.9;lr>\r\n",
            "Content-Type: application/sdp\r\n",
            "Content-Encoding: gzip\r\n",
            "Contact: <sip:bob@198.51.100.66>\r\n",
            "Max-Forwards: 0\r\n"};
        text.append(in.pick(extras));
        std::string body(in.text());
        text.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n\r\n");
        text.append(body);
        if (shape & 32U) text = damaged(std::move(text), in);
        return text;
    }

    static dns::Record record(Reader& in) {
        constexpr std::array<std::string_view, 14> addresses{
            "203.0.113.11", "203.0.113.12",     "203.0.113.13", "198.51.100.66",  "127.0.0.1",
            "0.0.0.0",      "224.0.0.1",        "10.0.0.1",     "2001:db8::11",   "::",
            "ff02::1",      "::ffff:127.0.0.1", "fe80::1",      "255.255.255.255"};
        constexpr std::array<std::string_view, 8> names{
            "a.example.test", "b.example.test",         "example.test",           "", "evil.test",
            "localhost",      "_sip._udp.example.test", "_sips._tcp.example.test"};
        const auto kind = in.u8();
        switch (kind % 5U) {
        case 0: return *IpAddress::parse(in.pick(addresses));
        case 1: {
            const auto last = in.u8();
            return IpAddress::v4(203, 0, static_cast<std::uint8_t>(kind / 5U), last);
        }
        case 2: {
            const auto priority = in.u8();
            const auto weight = in.u16();
            const auto port = static_cast<std::uint16_t>(in.u8() % 2U ? 5060U : in.u16());
            return dns::Srv{priority, weight, port, std::string(in.pick(names))};
        }
        case 3: {
            constexpr std::array<std::string_view, 5> flags{"s", "a", "u", "p", ""};
            constexpr std::array<std::string_view, 6> services{"SIP+D2U",  "SIP+D2T", "SIPS+D2T",
                                                               "sips+d2t", "E2U+sip", ""};
            const auto order = in.u8();
            const auto preference = in.u8();
            const auto flag = in.pick(flags);
            const auto service = in.pick(services);
            return dns::Naptr{order,
                              preference,
                              std::string(flag),
                              std::string(service),
                              kind > 200 ? "!.*!sip:evil.test!" : "",
                              std::string(in.pick(names))};
        }
        default: {
            const auto owner = in.pick(names);
            return dns::Cname{std::string(owner), std::string(in.pick(names))};
        }
        }
    }

    static std::string damaged(std::string text, Reader& in) {
        for (auto left = in.u8() % 8U; left > 0 && !text.empty(); --left) {
            const auto at = in.u16() % text.size();
            const auto what = in.u8();
            switch (in.u8() % 4U) {
            case 0: text[at] = static_cast<char>(what); break;
            case 1: text.erase(at, what % 32U); break;
            case 2: text.insert(at, what * 8U, 'a'); break;
            default: text.insert(at, text.substr(at, what)); break;
            }
        }
        return text;
    }

private:
    static std::string compose(const sip::Message& request, std::string_view status_line,
                               std::string_view via, std::string_view headers, bool to_tag) {
        std::string text = "SIP/2.0 ";
        text.append(status_line).append("\r\nVia: ").append(via).append("\r\nFrom: ");
        text.append(request.from().text).append("\r\nTo: ").append(request.to().text);
        if (to_tag) text.append(";tag=server");
        text.append("\r\nCall-ID: ").append(request.call_id()).append("\r\nCSeq: ");
        text.append(std::to_string(request.cseq().number)).append(" ");
        text.append(request.method_text()).append("\r\n").append(headers);
        return text.append("Content-Length: 0\r\n\r\n");
    }

    static std::string via_of(const sip::Message& request, Reader& in) {
        std::string via(request.top_via().text);
        const auto kind = in.u8();
        const auto arg = in.u8();
        const auto port = std::to_string(arg < 250 ? 10'000U + arg : (arg - 250U) * 20'000U);
        constexpr std::array<std::string_view, 8> seen{"198.51.100.7", "10.1.2.3",     "127.0.0.1",
                                                       "169.254.1.1",  "100.64.0.1",   "odd",
                                                       "::1",          "[2001:db8::7]"};
        std::string says = ";rport";
        if (kind & 1U) says.append("=").append(port);
        if (kind & 2U) says.append(";received=").append(seen[kind / 8U % seen.size()]);
        if (kind & 4U) says.append(";keep=").append(number_text(arg));
        if (const auto at = via.find(";rport"); at != std::string::npos) via.replace(at, 6, says);
        return via;
    }

    static std::string header(const sip::Message& request, Reader& in) {
        const auto kind = in.u8();
        const auto arg = in.u8();
        const auto line = [](std::string_view name, std::string_view value) {
            return std::string(name).append(": ").append(value).append("\r\n");
        };
        constexpr std::array<std::string_view, 6> tags{"outbound", "path",  "gruu",
                                                       "100rel",   "timer", "outbound, path, odd"};
        const std::string tag(tags[arg % tags.size()]);
        switch (kind % 20U) {
        case 0: return echo(request, 1 + arg * 8U);
        case 1: return line("WWW-Authenticate", digest_text(arg, in.u8()));
        case 2: return line("Proxy-Authenticate", digest_text(arg, in.u8()));
        case 3: return line("Expires", number_text(arg));
        case 4: return line("Min-Expires", number_text(arg));
        case 5: return line("Retry-After", number_text(arg));
        case 6: return line("Service-Route", "<sip:" + host_text(arg) + ";lr>");
        case 7: return line("Path", "<sip:" + host_text(arg) + ";lr;ob>");
        case 8: return line("Require", tag);
        case 9: return line("Unsupported", tag);
        case 10: return line("Supported", tag);
        case 11: return line("Flow-Timer", number_text(arg));
        case 12: return line("Warning", "399 a \"words " + std::to_string(arg) + "\"");
        case 13: return line("Contact", "*");
        case 14: {  // where a 3xx leads to
            auto uri = "sip:" + host_text(arg) + ":" + std::to_string(5000U + in.u8());
            if (arg & 0x40U) uri += ";transport=tcp";
            return line("Contact", "<" + uri + ">;expires=" + number_text(arg));
        }
        case 15:  // another device of ours
            return line("Contact", "<sip:alice@198.51.100." + std::to_string(arg) +
                                       ":5060;hf=other>;expires=" + number_text(arg));
        case 16:  // our instance, elsewhere
            return request.contacts().empty()
                       ? ""
                       : line("Contact", "<sip:alice@198.51.100.9:" + std::to_string(1024 + arg) +
                                             ">;+sip.instance=" +
                                             std::string(request.contacts()
                                                             .front()
                                                             .parameters.find("+sip.instance")
                                                             .value_or("\"<urn:uuid:0>\"")) +
                                             ";reg-id=1;expires=" + number_text(arg));
        case 17: return line("X-Long", std::string(arg * 16U, 'x'));
        case 18: return line("Contact", in.text());
        default: return line("Allow-Events", "message-summary");
        }
    }
};

}  // namespace holdfast::fuzz
