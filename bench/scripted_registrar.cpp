#include "bench/scripted_registrar.h"

#include <array>
#include <cstdio>

namespace holdfast::bench {

namespace {

constexpr std::string_view line_end = "\r\n";
constexpr std::string_view proxy_via = "Via: SIP/2.0/UDP 203.0.113.11:5060;branch=z9hG4bKproxy";
constexpr std::string_view mapping = ";received=198.51.100.7;rport=40000";

// The lines that every answer takes over (RFC 3261 §8.2.6.2), the Via with what the server saw.
std::string copied_lines(std::string_view request) {
    std::string via(header_value(request, "Via"));
    if (const auto at = via.find(";rport"); at != std::string::npos) via.replace(at, 6, mapping);
    std::string out = "Via: " + via + "\r\n";
    for (const std::string_view name : {"From", "To", "Call-ID", "CSeq"}) {
        out.append(name).append(": ").append(header_value(request, name));
        if (name == "To") out += ";tag=server";
        out += line_end;
    }
    return out;
}

std::string finished(std::string answer) { return answer += "Content-Length: 0\r\n\r\n"; }

std::string challenge(std::string_view request, unsigned number) {
    std::array<char, 33> nonce{};
    std::snprintf(nonce.data(), nonce.size(), "%032x", number);  // as long as Kamailio's
    return finished("SIP/2.0 401 Unauthorized\r\n" + copied_lines(request) +
                    "WWW-Authenticate: Digest realm=\"example.test\", nonce=\"" + nonce.data() +
                    "\", algorithm=MD5, qop=\"auth\"\r\n");
}

std::string binding(std::string_view request) {
    std::string out = "SIP/2.0 200 OK\r\n" + copied_lines(request);
    const auto contact = header_value(request, "Contact");
    if (!contact.empty() && !contact.ends_with(";expires=0")) {
        out.append("Contact: ").append(contact);
        if (contact.find(";expires=") == std::string_view::npos) out += ";expires=300";
        out += line_end;
    }
    return finished(std::move(out));
}

std::string forwarded(std::string_view request, unsigned number) {
    auto uri = header_value(request, "Contact");
    uri = uri.substr(1, uri.find('>') - 1);
    std::string out = "OPTIONS " + std::string(uri) + " SIP/2.0\r\n";
    out.append(proxy_via).append(std::to_string(number)).append(line_end);
    return out.append(request.substr(request.find(line_end) + line_end.size()));
}

}  // namespace

std::string_view header_value(std::string_view text, std::string_view name) {
    for (std::size_t at = text.find(line_end); at != std::string_view::npos;
         at = text.find(line_end, at)) {
        at += line_end.size();
        const auto line = text.substr(at);
        if (!line.starts_with(name) || !line.substr(name.size()).starts_with(": ")) continue;
        const auto value = line.substr(name.size() + 2);
        return value.substr(0, value.find(line_end));
    }
    return {};
}

std::string ScriptedRegistrar::answer(std::string_view text) {
    if (text.starts_with("REGISTER "))
        return header_value(text, "Authorization").empty() ? challenge(text, ++nonces_)
                                                           : binding(text);
    const auto first_line = text.substr(0, text.find(line_end));
    if (first_line.starts_with("OPTIONS ")) {
        const bool to_an_aor = first_line.find('@') != std::string_view::npos;
        return to_an_aor ? forwarded(text, ++forwarded_)
                         : finished("SIP/2.0 200 OK\r\n" + copied_lines(text));
    }
    const auto at = text.find(proxy_via);
    if (at == std::string_view::npos) return {};
    const auto rest = text.find(line_end, at) + line_end.size();
    return std::string(text.substr(0, at)).append(text.substr(rest));
}

}  // namespace holdfast::bench
