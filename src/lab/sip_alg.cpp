#include "lab/sip_alg.h"

#include "base/text.h"

namespace holdfast::lab {

namespace {

constexpr std::uint16_t port_of_sip = 5060;  // where a URI or a Via names none

struct HeaderNames {
    std::string_view name;
    char compact;
};
constexpr HeaderNames via_names{"Via", 'v'};
constexpr HeaderNames contact_names{"Contact", 'm'};

bool is_line_of(std::string_view line, const HeaderNames& names) {
    auto name = line.substr(0, line.find(':'));
    while (!name.empty() && name.back() == ' ') name.remove_suffix(1);
    return equals_ignoring_case(name, names.name) ||
           equals_ignoring_case(name, std::string_view(&names.compact, 1));
}

// "192.0.2.1" is no part of "192.0.2.10", nor of "4.192.0.2.1".
bool stands_alone(std::string_view text, std::size_t begin, std::size_t end) {
    const auto is_more = [](char c) { return is_digit(c) || c == '.'; };
    return (begin == 0 || !is_more(text[begin - 1])) && (end == text.size() || !is_more(text[end]));
}

// Each "address:port", or address alone for port 5060. False: there was none.
bool replace_endpoint(std::string& text, const Endpoint& from, const Endpoint& to) {
    const auto address = from.address.to_string();
    const auto written = to.to_string();
    bool found = false;
    for (auto at = text.find(address); at != std::string::npos; at = text.find(address, at + 1)) {
        auto end = at + address.size();
        if (!stands_alone(text, at, end)) continue;
        auto port = std::to_string(port_of_sip);
        if (end < text.size() && text[end] == ':') {
            auto last = end + 1;
            while (last < text.size() && is_digit(text[last])) ++last;
            port = text.substr(end + 1, last - end - 1);
            end = last;
        }
        if (port != std::to_string(from.port)) continue;
        text.replace(at, end - at, written);
        at += written.size() - 1;
        found = true;
    }
    return found;
}

void replace_parameter(std::string& text, std::string_view name, const std::string& from,
                       const std::string& to) {
    const auto whole = ";" + std::string(name) + "=" + from;
    const auto at = text.find(whole);
    if (at == std::string::npos) return;
    const auto end = at + whole.size();
    if (!stands_alone(text, at + whole.size() - from.size(), end)) return;
    text.replace(at, whole.size(), ";" + std::string(name) + "=" + to);
}

struct AlgChange {
    Endpoint from;
    Endpoint to;
    bool contact_alone = false;
    bool parameters = false;  // received and rport of the top Via, too
};

// Of the top Via alone: what is behind a comma is another one.
std::string changed_via(std::string_view line, const AlgChange& change) {
    const auto end = line.find(',');
    std::string top(line.substr(0, end));
    const auto parameters = top.find(';');
    auto sent_by = top.substr(0, parameters);
    if (!replace_endpoint(sent_by, change.from, change.to)) return std::string(line);
    auto rest = parameters == std::string::npos ? "" : top.substr(parameters);
    if (change.parameters) {
        replace_parameter(rest, "received", change.from.address.to_string(),
                          change.to.address.to_string());
        replace_parameter(rest, "rport", std::to_string(change.from.port),
                          std::to_string(change.to.port));
    }
    return sent_by + rest + std::string(end == std::string_view::npos ? "" : line.substr(end));
}

bool is_other_line(std::string_view line, bool is_first) {
    constexpr HeaderNames from_names{"From", 'f'};
    constexpr HeaderNames to_names{"To", 't'};
    return is_first || is_line_of(line, from_names) || is_line_of(line, to_names);
}

std::string change_message(std::string_view text, const AlgChange& change) {
    const auto first_line = text.substr(0, text.find("\r\n"));
    if (first_line.find("SIP/2.0") == std::string_view::npos) return std::string(text);
    std::string result;
    bool via_is_done = change.contact_alone;
    while (!text.empty()) {
        const bool is_first = result.empty();
        const auto end = text.find("\r\n");
        if (end == 0 || end == std::string_view::npos) break;  // the body
        const auto line = text.substr(0, end);
        std::string changed(line);
        if (is_line_of(line, contact_names)) {
            replace_endpoint(changed, change.from, change.to);
        } else if (!via_is_done && is_line_of(line, via_names)) {
            changed = changed_via(line, change);
            via_is_done = true;
        } else if (!change.contact_alone && is_other_line(line, is_first)) {
            replace_endpoint(changed, change.from, change.to);
        }
        result += changed + "\r\n";
        text.remove_prefix(end + 2);
    }
    return result.append(text);
}

// As whom the phone is shown: with its own port, if the ALG gets that wrong.
Endpoint shown(SipAlg alg, const Endpoint& inside, const Endpoint& outside) {
    return alg == SipAlg::wrong_port ? Endpoint{outside.address, inside.port} : outside;
}

}  // namespace

std::string rewrite_outbound(SipAlg alg, std::string_view text, const Endpoint& inside,
                             const Endpoint& outside) {
    if (alg == SipAlg::none) return std::string(text);
    return change_message(text, {.from = inside,
                                 .to = shown(alg, inside, outside),
                                 .contact_alone = alg == SipAlg::contact});
}

std::string rewrite_inbound(SipAlg alg, std::string_view text, const Endpoint& inside,
                            const Endpoint& outside) {
    if (alg == SipAlg::none || alg == SipAlg::contact) return std::string(text);
    return change_message(
        text,
        {.from = shown(alg, inside, outside), .to = inside, .parameters = alg == SipAlg::full});
}

}  // namespace holdfast::lab
