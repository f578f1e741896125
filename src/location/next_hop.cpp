#include "location/next_hop.h"

#include "base/text.h"
#include "location/names.h"
#include "sip/uri.h"

namespace holdfast::location {

namespace {

std::unexpected<std::string> wrong(std::string_view text, std::string_view why) {
    return std::unexpected("\"" + std::string(text) + "\": " + std::string(why));
}

// People paste what a Route header holds: <sip:proxy.example.test;lr>.
std::string_view without_brackets(std::string_view text) {
    text = trimmed(text);
    if (text.size() >= 2 && text.front() == '<' && text.back() == '>')
        text = trimmed(text.substr(1, text.size() - 2));
    return text;
}

std::string host_of(std::string_view text) {
    if (text.size() >= 2 && text.front() == '[' && text.back() == ']')
        text = text.substr(1, text.size() - 2);
    if (const auto address = IpAddress::parse(text)) return address->to_string();
    return normal_name(text);
}

}  // namespace

std::expected<NextHop, std::string> next_hop_of(std::string_view uri_text) {
    const auto uri = sip::OwnedUri::parse(without_brackets(uri_text));
    if (!uri) return wrong(uri_text, "not a SIP URI: " + std::string(uri.error().reason));
    if (!uri->get().is_sip()) return wrong(uri_text, "a next hop begins with sip: or sips:");

    NextHop next_hop;
    // RFC 3263 §4: TARGET is the maddr parameter, if there is one, else the host.
    const auto maddr = uri->get().parameters.find("maddr");
    next_hop.host = host_of(maddr && !maddr->empty() ? *maddr : uri->get().host);
    if (!IpAddress::parse(next_hop.host) && !is_valid_name(next_hop.host))
        return wrong(uri_text, "not a host name or address");
    next_hop.port = uri->get().port;
    next_hop.secure = uri->get().scheme == sip::Scheme::sips;
    if (const auto text = uri->get().transport()) {
        const auto transport = parse_transport(*text);
        if (!transport) return wrong(uri_text, "transport is udp, tcp or tls");
        // RFC 3261 §26.2.2: sips is TLS; ;transport=tcp says what TLS runs on.
        if (next_hop.secure && *transport == Transport::udp)
            return wrong(uri_text, "sips cannot use udp");
        next_hop.transport = next_hop.secure ? Transport::tls : *transport;
    }
    return next_hop;
}

std::string to_string(const NextHop& next_hop) {
    std::string text = next_hop.secure ? "sips:" : "sip:";
    const bool ipv6 = next_hop.host.find(':') != std::string::npos;
    text += ipv6 ? "[" + next_hop.host + "]" : next_hop.host;
    if (next_hop.port != 0) text += ":" + std::to_string(next_hop.port);
    if (next_hop.transport && !next_hop.secure) {
        text += ";transport=";
        text += name_of(*next_hop.transport);
    }
    return text;
}

}  // namespace holdfast::location
