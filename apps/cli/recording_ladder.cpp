#include "apps/cli/recording_ladder.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <variant>

#include "apps/cli/page_messages.h"
#include "apps/cli/terminal.h"
#include "engine/recording_words.h"
#include "sip/stream.h"

namespace holdfast::cli {

namespace {

using nlohmann::ordered_json;

constexpr std::string_view us = "this host";
constexpr std::size_t page_first_most = 1000;  // lines: how it began,
constexpr std::size_t page_last_most = 4000;   // and how it ended

std::string text_at(const ordered_json& json, const char* key) {
    const auto value = json.find(key);
    return value != json.end() && value->is_string() ? value->get<std::string>() : "";
}

std::uint32_t number_at(const ordered_json& json, const char* key) {
    const auto value = json.find(key);
    return value != json.end() && value->is_number_unsigned() ? value->get<std::uint32_t>() : 0;
}

// As engine/recording.h writes what may be no UTF-8.
std::string bytes_at(const ordered_json& json, const char* key) {
    const auto value = json.find(key);
    if (value == json.end() || !value->is_object()) return "";
    if (value->contains("text")) return text_at(*value, "text");
    return recording::from_base64(text_at(*value, "base64")).value_or("");
}

class LadderReader {
public:
    RecordedLadder read(const Recording& recording) {
        for (const auto& step : recording.steps) {
            now_ = std::max(now_, step.at);
            std::visit([this](const auto& input) { take(input); }, step.input);
            for (const auto& output : step.outputs) take_output(output);
        }
        return std::move(ladder_);
    }

private:
    struct Flow {
        std::string other;  // "udp:203.0.113.11:5060"
        std::string local = "an unknown port";
        bool is_stream = false;
        sip::StreamFramer sent{};
        sip::StreamFramer received{};
    };

    void note(std::string text) { ladder_.lines.push_back({.at = now_, .note = std::move(text)}); }

    template <class Other>
    void take(const Other&) {}
    void take(const in::FlowOpened& opened) { flow(opened.flow).local = opened.local.to_string(); }
    void take(const in::FlowFailed& failed) {
        lost(failed.flow, "failed", failed.error, failed.detail);
    }
    void take(const in::FlowClosed& closed) {
        lost(closed.flow, "was closed", closed.error, closed.detail);
    }
    void take(const in::Received& received) { carry(received.flow, received.bytes, false); }
    void take(const in::Stray& stray) {
        add(stray.bytes, false, stray.remote.to_string(), stray.local.to_string() + ", no flow");
    }
    void take(const in::DnsAnswer& answer) {
        const auto asked = questions_.find(answer.query.value);
        if (asked == questions_.end()) return;
        ladder_.answers.push_back({now_, asked->second, answer.answer});
        questions_.erase(asked);
    }
    void take(const in::NetworkChanged& changed) {
        std::string addresses;
        for (const auto& address : changed.addresses)
            addresses += (addresses.empty() ? "" : ", ") + address.to_string();
        note((changed.woke ? "The host woke: " : "The network changed: ") +
             (addresses.empty() ? "no address" : addresses));
    }
    void take(const in::RegisterNow&) { note("Told to register now"); }
    void take(const in::ChangePassword&) { note("The password was changed"); }
    void take(const in::ShutDown&) { note("Told to end"); }

    void lost(FlowId id, std::string_view how, FlowError error, const std::string& detail) {
        note(fmt::format("The flow to {} {}: {}{}", flow(id).other, how, name_of(error),
                         detail.empty() ? "" : " (" + detail + ")"));
        if (flow(id).is_stream) flows_.erase(id.value);
    }

    void take_output(const std::string& line) {
        const auto json = ordered_json::parse(line, nullptr, false);
        if (!json.is_object()) return;
        const auto what = text_at(json, "out");
        const FlowId id{number_at(json, "flow")};
        if (what == "open_flow") {
            const auto target = text_at(json, "target");
            flows_[id.value] = Flow{.other = target, .is_stream = !target.starts_with("udp:")};
        } else if (what == "send") {
            carry(id, bytes_at(json, "bytes"), true);
        } else if (what == "resolve") {
            questions_[number_at(json, "query")] = {.name = bytes_at(json, "name"),
                                                    .type = type_of(text_at(json, "type"))};
        } else if (what == "event") {
            tell(json);
        }
    }

    static dns::RecordType type_of(std::string_view name) {
        for (const auto type :
             {dns::RecordType::aaaa, dns::RecordType::srv, dns::RecordType::naptr})
            if (dns::name_of(type) == name) return type;
        return dns::RecordType::a;
    }

    void tell(const ordered_json& json) {
        auto text = text_at(json, "event");
        if (const auto target = text_at(json, "target"); !target.empty()) text += " " + target;
        if (const auto mapping = text_at(json, "mapping"); !mapping.empty())
            text += ", seen as " + mapping;
        if (const auto reason = bytes_at(json, "reason"); !reason.empty()) text += ": " + reason;
        note(std::move(text));
    }

    Flow& flow(FlowId id) {
        auto& flow = flows_[id.value];
        if (flow.other.empty()) flow.other = "flow " + std::to_string(id.value);
        return flow;
    }

    // A datagram is a message; a stream's pieces are put together.
    void carry(FlowId id, const std::string& bytes, bool sent) {
        auto& over = flow(id);
        const auto way = fmt::format("{}, flow {}", over.local, id.value);
        if (!over.is_stream) return add(bytes, sent, over.other, way);
        auto& framer = sent ? over.sent : over.received;
        framer.feed(bytes);
        while (const auto item = framer.next()) {
            using Kind = sip::StreamItem::Kind;
            if (item->kind == Kind::message) add(std::string(item->bytes), sent, over.other, way);
            if (item->kind == Kind::ping || item->kind == Kind::pong)
                add("\r\n", sent, over.other, way);
            if (item->kind != Kind::error) continue;
            // Not shown: half a header cannot be told to be a secret.
            line(sent, over.other, way).first = "(bytes that are no SIP message)";
            framer = sip::StreamFramer();
            return;
        }
    }

    RecordedLine& line(bool sent, const std::string& other, const std::string& way) {
        return ladder_.lines.emplace_back(
            RecordedLine{.at = now_,
                         .from = sent ? std::string(us) : other,
                         .to = sent ? other : std::string(us),
                         .way = sent ? way + " → " + other : other + " → " + way});
    }

    void add(const std::string& bytes, bool sent, const std::string& other,
             const std::string& way) {
        auto& added = line(sent, other, way);
        const bool is_blank =
            bytes.find_first_not_of(std::string_view("\r\n\0", 3)) == std::string::npos;
        added.is_keep_alive = is_blank || static_cast<unsigned char>(bytes.front()) < 4;
        if (added.is_keep_alive)
            added.first = is_blank ? "keep-alive" : "STUN";
        else
            added.bytes = bytes;
    }

    RecordedLadder ladder_;
    Instant now_{};
    std::map<std::uint32_t, Flow> flows_;
    std::map<std::uint32_t, dns::Question> questions_;
};

ordered_json json_of_line(const RecordedLine& line, double at) {
    if (!line.note.empty()) return {{"t", at}, {"note", printable(line.note)}};
    return json_of(PageMessage{.at = at,
                               .about = line.is_keep_alive ? "keep-alive" : "signalling",
                               .from = line.from,
                               .to = line.to,
                               .way = line.way,
                               .first = line.first,
                               .bytes = line.bytes});
}

}  // namespace

RecordedLadder ladder_of(const Recording& recording) { return LadderReader().read(recording); }

std::string ladder_text(const Recording& recording, const RecordedLadder& ladder) {
    std::string text;
    for (const auto& line : ladder.lines) {
        text += fmt::format("{:12.6f}  ", seconds_of(line.at - recording.options.started));
        if (!line.note.empty()) {
            text += "* " + printable(line.note) + "\n";
            continue;
        }
        const auto first = line.first.empty() ? first_line_of(line.bytes) : line.first;
        text += fmt::format("{} → {}  {}\n", line.from, line.to, first);
    }
    return text;
}

std::string ladder_page_json(const Recording& recording, const RecordedLadder& ladder,
                             const std::string& name) {
    const auto since_start = [&](Instant at) {
        return page_seconds(at - recording.options.started);
    };
    const auto& lines = ladder.lines;
    const auto last =
        recording.steps.empty() ? recording.options.started : recording.steps.back().at;
    const auto none = ordered_json::array();
    ordered_json run{{"preset", "recording"}, {"order", ordered_json::array({us})},
                     {"figures", none},       {"verdicts", none},
                     {"phones", none},        {"phones_left_out", 0},
                     {"dns", none},           {"dns_left_out", 0},
                     {"messages", none}};
    const auto middle = lines.size() > page_first_most + page_last_most
                            ? lines.size() - page_first_most - page_last_most
                            : std::size_t{0};
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const auto at = since_start(lines[i].at);
        if (middle > 0 && i == page_first_most) {
            run["messages"].push_back({{"t", at}, {"left_out", middle}, {"routine", 0}});
            i += middle - 1;
            continue;
        }
        run["messages"].push_back(json_of_line(lines[i], at));
    }
    const auto answers = std::min(ladder.answers.size(), page_first_most);
    for (std::size_t i = 0; i < answers; ++i) {
        const auto& [at, question, answer] = ladder.answers[i];
        run["dns"].push_back({since_start(at), us, printable(in_words(question, answer))});
    }
    run["dns_left_out"] = ladder.answers.size() - answers;
    ordered_json scenario{{"title", "Recording " + printable(name)},
                          {"name", "made by " + printable(recording.options.user_agent)},
                          {"length", since_start(last)},
                          {"events", none}};
    scenario["runs"].push_back(std::move(run));
    ordered_json page{{"version", HOLDFAST_VERSION},
                      {"command", "holdfast trace " + printable(name)}};
    page["scenarios"].push_back(std::move(scenario));
    return page.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace holdfast::cli
