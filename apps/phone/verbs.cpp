#include "apps/phone/verbs.h"

#include <array>
#include <cmath>
#include <ctime>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "apps/phone/control.h"
#include "base/signs.h"
#include "base/text.h"

namespace holdfast::phone {

namespace {

using Json = nlohmann::ordered_json;
using Words = std::span<const std::string>;
using Params = std::expected<Json, std::string>;

constexpr std::array table{
    Verb{"status", "", "the accounts and the calls"},
    Verb{"dial", "URI [ACCOUNT]", "call somebody: a URI, a number, a user of the account's domain"},
    Verb{"answer", "[CALL]", "take a call that rings here"},
    Verb{"reject", "[CALL] [STATUS]", "do not take it; 486 (busy) unless another status is given"},
    Verb{"hangup", "[CALL|all|incoming|calling]",
         "end a call; incoming: what rings here; calling: what we have dialled"},
    Verb{"hold", "[CALL]", "put a call on hold"},
    Verb{"resume", "[CALL]", "take it off hold"},
    Verb{"dtmf", "[CALL] DIGITS", "send digits: 0-9 * # A-D, a comma is a pause of 1 s"},
    Verb{"mute", "[CALL] [microphone|speaker|both]",
         "the other side does not hear us any more, or we it"},
    Verb{"unmute", "[CALL] [microphone|speaker|both]", "and hears us again"},
    Verb{"transfer", "[CALL] URI", "the other side is to call URI instead; the call ends then"},
    Verb{"connect", "CALL OTHER", "bring the other sides of two calls together; both end here"},
    Verb{"history", "[TEXT]", "the calls that were, newest first; those with TEXT in them"},
    Verb{"hello", "", "the phone's version and process"},
    Verb{"quit", "", "hang up, unregister, and end the phone"},
};

std::string text_of(const Json& object) {
    return object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string request(std::string_view method, Json params) {
    Json object{{"jsonrpc", "2.0"}, {"id", 1}, {"method", method}};
    if (!params.empty()) object["params"] = std::move(params);
    return text_of(object);
}

std::unexpected<std::string> too_many(const std::string& word) {
    return std::unexpected("\"" + word + "\" is one word too many (help lists the verbs)");
}

std::optional<std::uint32_t> call_of(const std::string& word) {
    const auto number = parse_number<std::uint32_t>(word);
    return number && *number > 0 ? number : std::nullopt;
}

// A call's number, if the first word is one; the rest stays.
void take_call(Words& words, Json& params) {
    if (words.empty()) return;
    if (const auto call = call_of(words.front())) {
        params["call"] = *call;
        words = words.subspan(1);
    }
}

Params only_a_call(Words words) {
    Json params = Json::object();
    if (!words.empty() && !call_of(words.front()))
        return std::unexpected("\"" + words.front() + "\" is no call's number (status lists them)");
    take_call(words, params);
    if (!words.empty()) return too_many(words.front());
    return params;
}

Params dial(Words words) {
    if (words.empty()) return std::unexpected("Whom? dial URI [ACCOUNT]");
    Json params{{"uri", words.front()}};
    if (words.size() > 1) params["account"] = words[1];
    if (words.size() > 2) return too_many(words[2]);
    return params;
}

// "486", "603": a status is a number, too, but no call has one so low that is not dialled.
Params reject(Words words) {
    Json params = Json::object();
    const auto is_status = [](const std::string& word) {
        const auto number = call_of(word);
        return number && *number >= 400 && *number <= 699;
    };
    if (!words.empty() && !is_status(words.front())) {
        if (!call_of(words.front()))
            return std::unexpected("\"" + words.front() +
                                   "\" is neither a call's number nor a status from 400 to 699");
        take_call(words, params);
    }
    if (!words.empty()) {
        if (!is_status(words.front()))
            return std::unexpected("\"" + words.front() + "\" is no status from 400 to 699");
        params["status"] = *call_of(words.front());
        words = words.subspan(1);
    }
    if (!words.empty()) return too_many(words.front());
    return params;
}

Params hang_up(Words words) {
    if (words.empty() || call_of(words.front())) return only_a_call(words);
    const auto& which = words.front();
    if (which != "all" && which != "incoming" && which != "calling")
        return std::unexpected("\"" + which +
                               "\" is neither a call's number nor all, incoming or calling");
    if (words.size() > 1) return too_many(words[1]);
    return Json{{"which", which}};
}

// One word is the digits; of two the first is the call.
Params dtmf(Words words) {
    if (words.empty()) return std::unexpected("Which digits? dtmf [CALL] DIGITS");
    Json params = Json::object();
    if (words.size() > 1) {
        if (!call_of(words.front()))
            return std::unexpected("\"" + words.front() + "\" is no call's number");
        take_call(words, params);
    }
    params["digits"] = words.front();
    if (words.size() > 1) return too_many(words[1]);
    return params;
}

// One word is whom; of two the first is the call.
Params transfer(Words words) {
    if (words.empty()) return std::unexpected("To whom? transfer [CALL] URI");
    Json params = Json::object();
    if (words.size() > 1) {
        if (!call_of(words.front()))
            return std::unexpected("\"" + words.front() + "\" is no call's number");
        take_call(words, params);
    }
    params["uri"] = words.front();
    if (words.size() > 1) return too_many(words[1]);
    return params;
}

Params connect(Words words) {
    if (words.size() < 2) return std::unexpected("Which two calls? connect CALL OTHER");
    for (const auto& word : words.first(2))
        if (!call_of(word)) return std::unexpected("\"" + word + "\" is no call's number");
    if (words.size() > 2) return too_many(words[2]);
    return Json{{"call", *call_of(words[0])}, {"other", *call_of(words[1])}};
}

Params mute(Words words, bool muted) {
    Json params = Json::object();
    take_call(words, params);
    const std::string end = words.empty() ? (muted ? "microphone" : "both") : words.front();
    if (end != "microphone" && end != "speaker" && end != "both")
        return std::unexpected("\"" + end +
                               "\" is neither a call's number nor microphone, speaker or both");
    if (words.size() > 1) return too_many(words[1]);
    if (end != "speaker") params["microphone"] = muted;
    if (end != "microphone") params["speaker"] = muted;
    return params;
}

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

std::string line_of_call(const Json& call) {
    auto line = "call " + std::to_string(whole_in(call, "call")) +
                (text_in(call, "direction") == "in" ? " from " : " to ") + text_in(call, "peer") +
                ": " + text_in(call, "stage");
    if (call.contains("talked")) line += " " + length(number_in(call, "talked"));
    if (flag_in(call, "held")) line += ", on hold";
    if (flag_in(call, "held_by_other")) line += ", on hold by the other side";
    if (flag_in(call, "microphone_muted")) line += ", microphone muted";
    if (flag_in(call, "speaker_muted")) line += ", speaker muted";
    return line + " (" + text_in(call, "account") + ")";
}

std::string status_in_words(const Json& result) {
    std::string lines;
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
        lines += "\n";
    }
    if (lines.empty()) return "no call";
    lines.pop_back();
    return lines;
}

std::string words_of(std::string_view verb, const Json& result) {
    if (verb == "status") return status_in_words(result);
    if (verb == "history") return history_in_words(result);
    if (verb == "hello")
        return "Holdfast " + text_in(result, "holdfast") + ", process " +
               std::to_string(whole_in(result, "process")) + ", protocol " +
               std::to_string(whole_in(result, "protocol"));
    if (verb == "quit") return "The phone ends";
    if (verb == "hangup") {
        const auto calls = list_in(result, "calls");
        if (calls.empty()) return "There was no such call";
        std::string line;
        for (const auto& call : calls)
            line += (line.empty() ? "Hung up: call " : ", ") + text_of(call);
        return line;
    }
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

std::span<const Verb> verbs() { return table; }

std::string verbs_in_words() {
    constexpr std::size_t column = 44;
    std::string text;
    for (const auto& verb : table) {
        auto line = std::string(verb.name);
        if (!verb.arguments.empty()) line += " " + std::string(verb.arguments);
        line.resize(std::max(line.size() + 1, column), ' ');
        text += line + std::string(verb.meaning) + "\n";
    }
    return text;
}

std::expected<std::string, std::string> request_of(Words words) {
    if (words.empty()) return std::unexpected("What? (help lists the verbs)");
    const auto& verb = words.front();
    const auto rest = words.subspan(1);
    Params params = Json::object();
    auto method = verb;
    if (verb == "status" || verb == "hello" || verb == "quit") {
        if (!rest.empty()) return too_many(rest.front());
    } else if (verb == "answer" || verb == "hold" || verb == "resume") {
        params = only_a_call(rest);
    } else if (verb == "dial") {
        params = dial(rest);
    } else if (verb == "reject") {
        params = reject(rest);
    } else if (verb == "hangup") {
        params = hang_up(rest);
        method = "hang_up";
    } else if (verb == "dtmf") {
        params = dtmf(rest);
    } else if (verb == "mute" || verb == "unmute") {
        params = mute(rest, verb == "mute");
        method = "mute";
    } else if (verb == "transfer") {
        params = transfer(rest);
    } else if (verb == "connect") {
        params = connect(rest);
    } else if (verb == "history") {
        std::string search;
        for (const auto& word : rest) search += (search.empty() ? "" : " ") + word;
        return history_request(search, 0, 20);
    } else {
        return std::unexpected("There is no verb \"" + verb + "\"; help or --help lists them");
    }
    if (!params) return std::unexpected(params.error());
    return request(method, *std::move(params));
}

std::string history_request(std::string_view search, std::int64_t before, std::size_t most) {
    Json params{{"limit", most}};
    if (!search.empty()) params["search"] = search;
    if (before > 0) params["before"] = before;
    return request("history", std::move(params));
}

std::string subscribe_request(Words events) {
    Json params = Json::object();
    if (!events.empty()) params["events"] = std::vector<std::string>(events.begin(), events.end());
    return request("subscribe", std::move(params));
}

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
