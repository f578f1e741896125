#include "apps/phone/verbs.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "apps/phone/json_text.h"
#include "apps/phone/typed_number.h"
#include "base/text.h"

namespace holdfast::phone {

namespace {

using Json = nlohmann::ordered_json;
using Words = std::span<const std::string>;
using Params = std::expected<Json, std::string>;

constexpr std::array table{
    Verb{"status", "", "the accounts and the calls"},
    Verb{"dial", "URI [ACCOUNT]",
         "call a URI, a number, a user of the account's domain; after a comma digits to press"},
    Verb{"voicemail", "[ACCOUNT]", "call the account's voicemail"},
    Verb{"pickup", "EXTENSION [ACCOUNT]", "take the call that rings at another phone"},
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
    Verb{"record", "[CALL] FILE", "record both sides to FILE: .wav, .opus, .ogg or .mp3"},
    Verb{"stoprecording", "[CALL]", "and no more"},
    Verb{"conference", "[CALL]…", "the other sides hear each other; alone: of all calls"},
    Verb{"split", "[CALL]", "take a call out of its conference"},
    Verb{"transfer", "[CALL] URI", "the other side is to call URI instead; the call ends then"},
    Verb{"connect", "CALL OTHER", "bring the other sides of two calls together; both end here"},
    Verb{"dnd", "[on|off]",
         "do not disturb: calls that come are refused; alone: what the rules are"},
    Verb{"onecall", "[on|off]", "one call at a time: a second one that comes is busy"},
    Verb{"autoanswer", "[off|asked|TIME]",
         "answer by itself: asked: when the account's server asks for it; TIME: always, so late"},
    Verb{"forward", "[always|busy|noanswer|after] [WHOM|off|TIME]",
         "send callers to WHOM: all; beside another call; if nobody answers within TIME"},
    Verb{"deny", "[PATTERN]",
         "refuse this caller: a number, a user or USER@HOST; * for any others"},
    Verb{"allow", "PATTERN", "take it out of those that are denied"},
    Verb{"history", "[TEXT]", "the calls that were, newest first; those with TEXT in them"},
    Verb{"hello", "", "the phone's version and process"},
    Verb{"quit", "", "hang up, unregister, and end the phone"},
};

std::string request(std::string_view method, Json params) {
    Json object{{"jsonrpc", "2.0"}, {"id", 1}, {"method", method}};
    if (!params.empty()) object["params"] = std::move(params);
    return text_of(object);
}

std::unexpected<std::string> too_many(const std::string& word) {
    return std::unexpected("\"" + word + "\" is one word too many (help lists the verbs)");
}

// Of words that may be a PIN, of which an error shows nothing.
std::unexpected<std::string> too_many() {
    return std::unexpected<std::string>(
        "There is one word too many: a number stands without blanks, and so do the digits behind "
        "its comma (help lists the verbs)");
}
std::string shown(const std::string& word) {
    return may_be_pin(word) ? "The first word" : in_quotes(word);
}

// What a blank beside a comma has parted: "*97, 1234#".
std::vector<std::string> with_their_digits(Words words) {
    std::vector<std::string> whole;
    for (const auto& word : words) {
        if (!whole.empty() && goes_on(whole.back(), word))
            whole.back() += word;
        else
            whole.push_back(word);
    }
    return whole;
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

Params dial(Words typed) {
    if (typed.empty()) return std::unexpected("Whom? dial URI [ACCOUNT]");
    const auto words = with_their_digits(typed);
    Json params{{"uri", words.front()}};
    if (words.size() > 1) params["account"] = words[1];
    if (words.size() > 2) return too_many();
    return params;
}

Params voicemail(Words words) {
    Json params = Json::object();
    if (!words.empty()) params["account"] = words.front();
    if (words.size() > 1) return too_many();
    return params;
}

Params pickup(Words words) {
    if (words.empty()) return std::unexpected("Whose call? pickup EXTENSION [ACCOUNT]");
    Json params{{"extension", words.front()}};
    if (words.size() > 1) params["account"] = words[1];
    if (words.size() > 2) return too_many();
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

// One word is what the verb wants; of two the first is the call. Either may be a PIN.
Params with_a_call(Words words, const char* wanted, const char* question) {
    if (words.empty()) return std::unexpected(question);
    Json params = Json::object();
    if (words.size() > 1) {
        if (!call_of(words.front()))
            return std::unexpected(shown(words.front()) + " is no call's number");
        take_call(words, params);
    }
    if (words.size() > 1) return too_many();
    params[wanted] = words.front();
    return params;
}

// The phone has a working directory of its own.
Params record(Words words) {
    auto params = with_a_call(words, "path", "To which file? record [CALL] FILE");
    if (!params) return params;
    std::error_code none;
    const auto path = std::filesystem::absolute(words.back(), none);
    if (!none) (*params)["path"] = path.string();
    return params;
}

Params conference(Words words) {
    Json params = Json::object();
    for (const auto& word : words) {
        if (!call_of(word)) return std::unexpected("\"" + word + "\" is no call's number");
        params["calls"].push_back(*call_of(word));
    }
    return params;
}

Params connect(Words words) {
    if (words.size() < 2) return std::unexpected("Which two calls? connect CALL OTHER");
    for (const auto& word : words.first(2))
        if (!call_of(word)) return std::unexpected("\"" + word + "\" is no call's number");
    if (words.size() > 2) return too_many(words[2]);
    return Json{{"call", *call_of(words[0])}, {"other", *call_of(words[1])}};
}

// Without a word nothing changes, and the rules are told.
Params switched(Words words, const char* rule) {
    if (words.empty()) return Json::object();
    if (words.front() != "on" && words.front() != "off")
        return std::unexpected("\"" + words.front() + "\" is neither on nor off");
    if (words.size() > 1) return too_many(words[1]);
    return Json{{rule, words.front() == "on"}};
}

Params told(Words words, const char* rule) {
    if (words.empty()) return Json::object();
    if (words.size() > 1) return too_many(words[1]);
    return Json{{rule, words.front()}};
}

Params forwarding(Words words) {
    if (words.empty()) return Json::object();
    constexpr std::array<std::pair<std::string_view, const char*>, 4> rules{
        {{"always", "forward_always"},
         {"busy", "forward_busy"},
         {"noanswer", "forward_no_answer"},
         {"after", "forward_after"}}};
    const auto rule = std::ranges::find(rules, words.front(), &decltype(rules)::value_type::first);
    if (rule == rules.end())
        return std::unexpected("When? forward always|busy|noanswer WHOM, or after TIME");
    if (words.size() < 2) return std::unexpected("Whom, or after what time? (off: to nobody)");
    return told(words.subspan(1), rule->second);
}

Params rules(const std::string& verb, Words words) {
    if (verb == "dnd") return switched(words, "do_not_disturb");
    if (verb == "onecall") return switched(words, "one_call");
    if (verb == "autoanswer") return told(words, "auto_answer");
    if (verb == "forward") return forwarding(words);
    if (verb == "deny") return told(words, "deny");
    if (words.empty()) return std::unexpected("Whom? allow PATTERN");
    return told(words, "allow");
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

}  // namespace

std::span<const Verb> verbs() { return table; }

bool is_of_rules(std::string_view verb) {
    return verb == "dnd" || verb == "onecall" || verb == "autoanswer" || verb == "forward" ||
           verb == "deny" || verb == "allow";
}

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
    } else if (verb == "answer" || verb == "hold" || verb == "resume" || verb == "split") {
        params = only_a_call(rest);
    } else if (verb == "stoprecording") {
        params = only_a_call(rest);
        method = "stop_recording";
    } else if (verb == "record") {
        params = record(rest);
    } else if (verb == "conference") {
        params = conference(rest);
    } else if (verb == "dial") {
        params = dial(rest);
    } else if (verb == "voicemail") {
        params = voicemail(rest);
    } else if (verb == "pickup") {
        params = pickup(rest);
    } else if (verb == "reject") {
        params = reject(rest);
    } else if (verb == "hangup") {
        params = hang_up(rest);
        method = "hang_up";
    } else if (verb == "dtmf") {
        params = with_a_call(rest, "digits", "Which digits? dtmf [CALL] DIGITS");
    } else if (verb == "mute" || verb == "unmute") {
        params = mute(rest, verb == "mute");
        method = "mute";
    } else if (verb == "transfer") {
        params = with_a_call(with_their_digits(rest), "uri", "To whom? transfer [CALL] URI");
    } else if (verb == "connect") {
        params = connect(rest);
    } else if (is_of_rules(verb)) {
        params = rules(verb, rest);
        method = "rules";
    } else if (verb == "history") {
        std::string search;
        for (const auto& word : rest) search += (search.empty() ? "" : " ") + word;
        return history_request(search, 0, 20);
    } else {
        return std::unexpected("There is no verb" +
                               (may_be_pin(verb) ? "" : " " + in_quotes(verb)) +
                               "; help or --help lists them");
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

}  // namespace holdfast::phone
