#include "apps/cli/page_messages.h"

#include <fmt/format.h>

#include <cmath>
#include <variant>

#include "apps/cli/terminal.h"
#include "apps/cli/trace.h"
#include "base/text.h"

namespace holdfast::cli {

namespace {

constexpr std::size_t text_most = 6000;  // octets of one message; a page has thousands
constexpr std::size_t first_most = 120;  // characters

std::string header_of(std::string_view message, std::string_view name) {
    while (!message.empty()) {
        const auto line = message.substr(0, message.find_first_of("\r\n"));
        if (line.size() > name.size() && line[name.size()] == ':' &&
            equals_ignoring_case(line.substr(0, name.size()), name))
            return std::string(trimmed(line.substr(name.size() + 1)));
        const auto end = message.find('\n');
        if (line.empty() || end == std::string_view::npos) break;
        message.remove_prefix(end + 1);
    }
    return {};
}

std::string text_of(const dns::Record& record) {
    if (const auto* address = std::get_if<IpAddress>(&record)) return address->to_string();
    if (const auto* srv = std::get_if<dns::Srv>(&record))
        return fmt::format("{} {} {} {}", srv->priority, srv->weight, srv->port,
                           srv->target.empty() ? "." : srv->target);
    if (const auto* naptr = std::get_if<dns::Naptr>(&record))
        return fmt::format("{} {} \"{}\" \"{}\" {}", naptr->order, naptr->preference, naptr->flags,
                           naptr->service,
                           naptr->regexp.empty() ? naptr->replacement : naptr->regexp);
    const auto& alias = std::get<dns::Cname>(record);
    return alias.owner + " is " + alias.name;
}

}  // namespace

std::string first_line_of(std::string_view message) {
    constexpr std::string_view version = "SIP/2.0";
    auto line = trimmed(message.substr(0, message.find_first_of("\r\n")));
    const bool is_response = line.starts_with(version);
    if (is_response)
        line.remove_prefix(version.size());
    else if (line.ends_with(version))
        line.remove_suffix(version.size());
    auto first = printable(trimmed(line));
    const auto sequence = header_of(message, "CSeq");
    if (is_response && !sequence.empty()) first += " · " + printable(sequence);
    if (!is_response && !sequence.empty())
        first += " · CSeq " + printable(sequence.substr(0, sequence.find(' ')));
    return shortened(first, first_most);
}

nlohmann::ordered_json json_of(const PageMessage& message) {
    nlohmann::ordered_json json{{"t", message.at},
                                {"about", message.about},
                                {"from", printable(message.from)},
                                {"to", printable(message.to)},
                                {"way", printable(message.way)}};
    json["first"] = message.first.empty() ? first_line_of(message.bytes) : message.first;
    if (!message.bytes.empty()) {
        auto text = traced(message.bytes);
        if (text.size() > text_most) {
            const auto left_out = text.size() - text_most;
            while (text.size() > text_most ||
                   (!text.empty() && (static_cast<unsigned char>(text.back()) & 0x80U) != 0))
                text.pop_back();
            text += fmt::format("\n… {} more octets are left out here\n", left_out);
        }
        while (text.ends_with('\n')) text.pop_back();
        json["text"] = std::move(text);
    }
    if (!message.fate.empty()) json["fate"] = message.fate;
    return json;
}

std::string in_words(const dns::Question& question, const dns::Answer& answer) {
    auto words = question.name + " " + std::string(dns::name_of(question.type)) + ": ";
    if (answer.status != dns::Status::ok) return words + std::string(dns::name_of(answer.status));
    if (answer.records.empty()) words += "none of that type";
    for (std::size_t i = 0; i < answer.records.size(); ++i)
        words += (i == 0 ? "" : ", ") + text_of(answer.records[i]);
    return words + fmt::format(" (TTL {:g} s)", seconds_of(answer.ttl));
}

double page_seconds(Duration duration) { return std::round(seconds_of(duration) * 1e6) / 1e6; }

}  // namespace holdfast::cli
