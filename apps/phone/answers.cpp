// What the phone has answered, in words, as JSON and as CSV.
#include <array>
#include <cmath>
#include <ctime>
#include <nlohmann/json.hpp>
#include <utility>

#include "apps/phone/control.h"
#include "apps/phone/json_text.h"
#include "apps/phone/verbs.h"
#include "base/signs.h"

namespace holdfast::phone {

namespace {

using Json = nlohmann::ordered_json;

std::string local_time(std::int64_t since_1970) {
    const auto seconds = static_cast<std::time_t>(since_1970);
    std::tm parts{};
    ::localtime_r(&seconds, &parts);
    std::array<char, 32> text{};
    const auto size = std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &parts);
    return {text.data(), size};
}

// "1:07", "1:02:03".
std::string length(double seconds) {
    const auto whole = std::max<std::int64_t>(0, std::llround(std::floor(seconds)));
    const auto two = [](std::int64_t number) {
        return (number < 10 ? "0" : "") + std::to_string(number);
    };
    const auto minutes = whole / 60 % 60;
    if (whole < 3600) return std::to_string(minutes) + ":" + two(whole % 60);
    return std::to_string(whole / 3600) + ":" + two(minutes) + ":" + two(whole % 60);
}

// An answer may come from a newer phone: what is not there is empty. What callers chose is one line
// and harmless: a row of theirs must not look like two.
std::string text_in(const Json& object, const char* name) {
    const auto found = object.is_object() ? object.find(name) : object.end();
    return found != object.end() && found->is_string() ? one_line(found->get<std::string>())
                                                       : std::string{};
}
bool flag_in(const Json& object, const char* name) {
    const auto found = object.is_object() ? object.find(name) : object.end();
    return found != object.end() && found->is_boolean() && found->get<bool>();
}
double number_in(const Json& object, const char* name) {
    const auto found = object.is_object() ? object.find(name) : object.end();
    return found != object.end() && found->is_number() ? found->get<double>() : 0;
}
std::int64_t whole_in(const Json& object, const char* name) {
    const auto found = object.is_object() ? object.find(name) : object.end();
    return found != object.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}
Json list_in(const Json& object, const char* name) {
    const auto found = object.is_object() ? object.find(name) : object.end();
    return found != object.end() && found->is_array() ? *found : Json::array();
}

std::string numbers(const Json& calls) {
    std::string line;
    for (const auto& call : calls) line += (line.empty() ? "" : ", ") + text_of(call);
    return line;
}

std::string line_of_call(const Json& call) {
    auto line = "call " + std::to_string(whole_in(call, "call")) +
                (text_in(call, "direction") == "in" ? " from " : " to ") + text_in(call, "peer") +
                ": " + text_in(call, "stage");
    if (call.contains("talked")) line += " " + length(number_in(call, "talked"));
    if (flag_in(call, "held")) line += ", on hold";
    if (flag_in(call, "held_by_other")) line += ", on hold by the other side";
    if (flag_in(call, "microphone_muted")) line += ", microphone muted";
    if (flag_in(call, "speaker_muted")) line += ", speaker muted";
    if (const auto path = text_in(call, "recording"); !path.empty())
        line += ", recorded to " + path;
    if (const auto others = list_in(call, "conference"); !others.empty())
        line += ", in a conference with call " + numbers(others);
    return line + " (" + text_in(call, "account") + ")";
}

// Only those that are in force.
std::string rules_in_words(const Json& rules) {
    std::string lines;
    if (flag_in(rules, "do_not_disturb")) lines += "do not disturb: calls are refused\n";
    if (flag_in(rules, "one_call")) lines += "one call at a time: a second one is busy\n";
    if (const auto when = text_in(rules, "auto_answer"); when == "asked")
        lines += "calls are answered by themselves when the account's server asks for it\n";
    else if (!when.empty() && when != "off")
        lines += "calls are answered by themselves after " + when + "\n";
    for (const auto& [rule, when] : {std::pair{"forward_always", "every call is"},
                                     std::pair{"forward_busy", "beside another call they are"}})
        if (const auto whom = text_in(rules, rule); !whom.empty())
            lines += std::string(when) + " forwarded to " + one_line(whom) + "\n";
    if (const auto whom = text_in(rules, "forward_no_answer"); !whom.empty())
        lines += "not answered for " + text_in(rules, "forward_after") + " they are forwarded to " +
                 one_line(whom) + "\n";
    std::string denied;
    for (const auto& pattern : list_in(rules, "deny"))
        if (pattern.is_string()) denied += " " + one_line(pattern.get<std::string>());
    if (!denied.empty()) lines += "denied:" + denied + "\n";
    return lines;
}

std::string status_in_words(const Json& result) {
    std::string lines;
    if (const auto rules = result.find("rules"); rules != result.end())
        lines += rules_in_words(*rules);
    for (const auto& account : list_in(result, "accounts"))
        lines += text_in(account, "account") + ": " + text_in(account, "state") +
                 (flag_in(account, "reachable") ? ", reachable" : "") + "\n";
    const auto calls = list_in(result, "calls");
    if (calls.empty()) return lines + "no call";
    for (const auto& call : calls) lines += line_of_call(call) + "\n";
    lines.pop_back();
    return lines;
}

std::string history_in_words(const Json& result) {
    std::string lines;
    for (const auto& call : list_in(result, "calls")) {
        lines += local_time(whole_in(call, "started")) +
                 (text_in(call, "direction") == "in" ? "  from " : "  to   ") +
                 text_in(call, "peer") + "  " + text_in(call, "outcome");
        if (const auto talked = whole_in(call, "talked"); talked > 0)
            lines += " " + length(static_cast<double>(talked));
        const auto status = whole_in(call, "status");
        if (text_in(call, "outcome") == "failed" && status > 0)
            lines += ": " + std::to_string(status) + " " + text_in(call, "reason");
        const auto outcome = text_in(call, "outcome");
        if (outcome == "refused" || outcome == "forwarded") lines += ": " + text_in(call, "reason");
        lines += "\n";
    }
    if (lines.empty()) return "no call";
    lines.pop_back();
    return lines;
}

std::string words_of(std::string_view verb, const Json& result) {
    if (verb == "status") return status_in_words(result);
    if (verb == "history") return history_in_words(result);
    if (is_of_rules(verb)) {
        auto lines = rules_in_words(result);
        if (lines.empty()) return "no rule: calls ring";
        lines.pop_back();
        return lines;
    }
    if (verb == "hello")
        return "Holdfast " + text_in(result, "holdfast") + ", process " +
               std::to_string(whole_in(result, "process")) + ", protocol " +
               std::to_string(whole_in(result, "protocol"));
    if (verb == "quit") return "The phone ends";
    if (verb == "hangup") {
        const auto calls = list_in(result, "calls");
        if (calls.empty()) return "There was no such call";
        return "Hung up: call " + numbers(calls);
    }
    if (verb == "conference")
        return "To be in a conference: call " + numbers(list_in(result, "calls"));
    return "call " + std::to_string(whole_in(result, "call"));
}

std::expected<Json, Refused> parsed(std::string_view answer) {
    const auto object = Json::parse(answer, nullptr, false);
    if (!object.is_object())
        return std::unexpected(
            Refused{std::to_underlying(ControlError::parse), "The phone's answer is no JSON"});
    if (const auto error = object.find("error"); error != object.end())
        return std::unexpected(
            Refused{static_cast<int>(whole_in(*error, "code")), text_in(*error, "message")});
    const auto result = object.find("result");
    return result == object.end() ? Json::object() : *result;
}

// RFC 4180 §2. A spreadsheet takes what begins with = + - @ for a formula, and the caller chooses
// what he is called: such a field begins with an apostrophe. Some skip the blanks in front.
std::string csv_field(std::string text) {
    const auto first = text.find_first_not_of(' ');
    if (first != std::string::npos &&
        std::string_view("=+-@").find(text[first]) != std::string_view::npos)
        text.insert(0, "'");
    if (text.find_first_of(",\"") == std::string::npos) return text;
    std::string quoted = "\"";
    for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
    return quoted + "\"";
}

}  // namespace

std::expected<std::string, Refused> in_words(std::string_view verb, std::string_view answer) {
    const auto result = parsed(answer);
    if (!result) return std::unexpected(result.error());
    return words_of(verb, *result);
}

std::expected<std::string, Refused> result_of(std::string_view answer) {
    const auto result = parsed(answer);
    if (!result) return std::unexpected(result.error());
    return text_of(*result);
}

std::expected<CsvPage, Refused> csv_of(std::string_view answer) {
    const auto result = parsed(answer);
    if (!result) return std::unexpected(result.error());
    CsvPage page;
    for (const auto& call : list_in(*result, "calls")) {
        page.last = whole_in(call, "id");
        page.rows += local_time(whole_in(call, "started"));
        for (const auto* name : {"account", "direction", "peer", "outcome"})
            page.rows += "," + csv_field(text_in(call, name));
        page.rows += "," + std::to_string(whole_in(call, "talked")) + ",";
        if (const auto status = whole_in(call, "status"); status > 0)
            page.rows += std::to_string(status);
        page.rows += "," + csv_field(text_in(call, "reason")) + "\r\n";
    }
    return page;
}

Notification notification_of(std::string_view line) {
    auto object = Json::parse(line, nullptr, false);
    if (!object.is_object() || text_in(object, "method") != "event") return {};
    const auto params = object.find("params");
    if (params == object.end() || !params->is_object()) return {};
    Notification notification;
    const auto account = text_in(*params, "account");
    if (const auto call = whole_in(*params, "call"); call > 0)
        notification.words = "call " + std::to_string(call) + ": ";
    notification.words =
        (account.empty() ? "" : account + "  ") + notification.words + text_in(*params, "words");
    params->erase("words");
    notification.event = text_of(*params);
    notification.is_last = text_in(*params, "event") == name_of(EventKind::stopped);
    return notification;
}

}  // namespace holdfast::phone
