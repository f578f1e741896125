#include "apps/cli/words.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <ctime>

#include "apps/cli/terminal.h"

namespace holdfast::cli {

namespace {

std::string target_of(const Event& event) {
    return event.target ? event.target->to_string() : "the server";
}

std::string because(const Event& event) { return event.reason.empty() ? "" : ": " + event.reason; }

std::string flow_of(const Event& event) { return event.reg_id > 1 ? " (second flow)" : ""; }

// "; public address 203.0.113.195:13450, for 300 s, round trip 12 ms"
std::string details_of(const Event& event) {
    std::string words;
    if (event.mapping) words += ", seen there as " + event.mapping->to_string();
    if (event.expires) words += ", for " + in_words(*event.expires);
    if (event.rtt) words += ", answered in " + in_words(*event.rtt);
    return words;
}

std::vector<std::string> resolved(const Event& event) {
    if (event.targets.empty())
        return {"No server is known" + because(event) + ". Asking again after a while."};
    const auto count = event.targets.size();
    std::vector<std::string> lines{std::to_string(count) + (count == 1 ? " server" : " servers") +
                                   " found, in the order of preference" +
                                   (event.reason.empty() ? ":" : " (" + event.reason + "):")};
    for (std::size_t i = 0; i < count; ++i)
        lines.push_back("  " + row_in_words(i + 1, event.targets[i]));
    return lines;
}

std::string probed(const Event& event) {
    if (event.reason == "alive")
        return target_of(event) + " is alive" +
               (event.rtt ? ": it answered OPTIONS in " + in_words(*event.rtt) : "");
    if (event.reason == "busy") return target_of(event) + " is alive but busy (503 to OPTIONS)";
    if (event.reason == "silent") return target_of(event) + " does not answer OPTIONS";
    return target_of(event) + " could not be asked" + because(event);
}

std::string sentence_of(const Event& event) {
    switch (event.kind) {
    case EventKind::resolved: return {};  // several lines
    case EventKind::attempt: return "Trying " + target_of(event) + flow_of(event) + because(event);
    case EventKind::attempt_failed:
        return "Not registered at " + target_of(event) + flow_of(event) + because(event);
    case EventKind::probed: return probed(event);
    case EventKind::registered:
        return "Registered at " + target_of(event) + flow_of(event) + details_of(event) +
               (event.reason.empty() ? "" : " (" + event.reason + ")");
    case EventKind::refreshed:
        return "Refreshed at " + target_of(event) + flow_of(event) + details_of(event) +
               (event.reason.empty() ? "" : " (" + event.reason + ")");
    case EventKind::moved:
        return "Moved to " + target_of(event) +
               (event.from ? " from " + event.from->to_string() : "") + flow_of(event) +
               details_of(event) + (event.reason.empty() ? "" : " (" + event.reason + ")");
    case EventKind::mapping_changed:
        return "The public address at " + target_of(event) + " is now " +
               (event.mapping ? event.mapping->to_string() : "unknown") + because(event);
    case EventKind::suspect: return target_of(event) + " is doubted and verified" + because(event);
    case EventKind::reachable: return "Reachable" + because(event);
    case EventKind::unreachable: return "Not reachable" + because(event);
    case EventKind::unprovable:
        return "Whether requests arrive here cannot be proven" + because(event);
    case EventKind::binding_removed:
        return "Removed the old registration " + event.contact + " at " + target_of(event) +
               because(event);
    case EventKind::binding_debt:
        return "The old registration " + event.contact + " at " + target_of(event) +
               " stays for now" + because(event);
    case EventKind::auth_failed: return "The password does not work" + because(event);
    case EventKind::refused:
        return "Refused" + because(event) +
               (event.expires ? ". Trying again in " + in_words(*event.expires) : "");
    case EventKind::waiting:
        return "No server could be used" + because(event) +
               (event.expires
                    ? ". Trying again in " + in_words(*event.expires) + ", sooner if one answers"
                    : "");
    case EventKind::unregistered: return "Unregistered" + flow_of(event) + because(event);
    case EventKind::ring: return "Incoming call" + because(event);
    case EventKind::dialling: return "Calling " + event.contact + because(event);
    case EventKind::ringing: return "It rings" + because(event);
    case EventKind::early_media: return "The other side can be heard already" + because(event);
    case EventKind::answered: return "The call is answered" + because(event);
    case EventKind::held: return "On hold" + because(event);
    case EventKind::resumed: return "No longer on hold" + because(event);
    case EventKind::transferring: return "The transfer is under way" + because(event);
    case EventKind::transferred: return "Transferred" + because(event);
    case EventKind::transfer_failed: return "The transfer has failed" + because(event);
    case EventKind::referred:
        return "The other side asks us to call " + event.contact + because(event);
    case EventKind::replaced: return "Another takes over the call" + because(event);
    case EventKind::sound: return "Sound" + because(event);
    case EventKind::sound_failed: return "Sound is missing" + because(event);
    case EventKind::silent: return "Silence" + because(event);
    case EventKind::heard: return "Sound again" + because(event);
    case EventKind::dtmf: return "The other side pressed " + event.reason;
    case EventKind::digits_sent: return "The digits are sent" + because(event);
    case EventKind::digits_failed: return "The digits are not sent, or not all" + because(event);
    case EventKind::played: return "Played" + because(event);
    case EventKind::recorded: return "Recorded" + because(event);
    case EventKind::measured: return "The call's sound was " + event.reason;
    case EventKind::call_ended: return "The call has ended" + because(event);
    case EventKind::notice: return event.reason;
    case EventKind::flow_lost:
        return "The connection to " + target_of(event) + " is lost" + because(event);
    case EventKind::connected:
        if (!event.contact.empty())
            return "Can be called at " + event.contact + " (" + event.reason + ")";
        return "Calling by way of " + target_of(event);
    case EventKind::not_connected: return "Nobody can be called there" + because(event);
    case EventKind::stopped: return "Stopped";
    }
    return {};
}

std::string formatted(const char* format, std::int64_t microseconds) {
    constexpr std::int64_t second = 1'000'000;
    const auto seconds = static_cast<std::time_t>(microseconds / second);
    std::tm parts{};
    ::localtime_r(&seconds, &parts);
    std::array<char, 32> text{};
    const auto size = std::strftime(text.data(), text.size(), format, &parts);
    return {text.data(), size};
}

}  // namespace

std::string WallClock::time_of_day(Instant instant) const {
    return formatted("%H:%M:%S", microseconds + (instant - at).count());
}

std::string WallClock::fine_time_of_day(Instant instant) const {
    constexpr std::int64_t second = 1'000'000;
    const auto then = microseconds + (instant - at).count();
    auto fraction = std::to_string(then % second);
    return formatted("%H:%M:%S", then) + "." + std::string(6 - fraction.size(), '0') + fraction;
}

std::string in_words(Duration duration) {
    using namespace std::chrono_literals;
    std::array<char, 32> text{};
    if (duration < 1s) {
        const auto milliseconds = static_cast<double>(duration.count()) / 1e3;
        std::snprintf(text.data(), text.size(), milliseconds < 10 ? "%.1f ms" : "%.0f ms",
                      milliseconds);
    } else if (duration < 10min) {
        const bool whole = duration % 1s == 0s;
        std::snprintf(text.data(), text.size(), whole ? "%.0f s" : "%.1f s", seconds_of(duration));
    } else if (duration < 3h) {
        std::snprintf(text.data(), text.size(), "%.0f min", seconds_of(duration) / 60);
    } else {
        std::snprintf(text.data(), text.size(), "%.1f h", seconds_of(duration) / 3600);
    }
    return text.data();
}

std::string row_in_words(std::size_t rank, const EventTarget& row) {
    std::string words = std::to_string(rank) + ". " + row.target.to_string();
    if (!row.host.empty() && row.host != row.target.endpoint.address.to_string())
        words += "  " + row.host;
    if (!row.reason.empty()) words += "  (" + row.reason + ")";
    return printable(words);
}

bool is_a_change(EventKind kind) {
    switch (kind) {
    case EventKind::resolved:
    case EventKind::attempt:
    case EventKind::attempt_failed:
    case EventKind::probed:
    case EventKind::refreshed:
    case EventKind::binding_removed: return false;
    default: return true;
    }
}

std::vector<std::string> words_of(const Event& event) {
    std::vector<std::string> lines;
    if (event.kind == EventKind::resolved) {
        lines = resolved(event);
    } else {
        lines.push_back(sentence_of(event));
    }
    for (auto& line : lines) line = printable(line);
    return lines;
}

}  // namespace holdfast::cli
