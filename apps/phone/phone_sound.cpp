// What a person does with a call's sound beside talking: recordings and conferences.
#include <algorithm>
#include <utility>

#include "apps/phone/phone.h"
#include "media/limits.h"
#include "runtime/clock.h"

namespace holdfast::phone {

namespace {

std::string number_of(CallRef call) { return std::to_string(call.value); }

}  // namespace

Done<CallRef> Phone::record(std::optional<CallRef> named, const std::string& path) {
    const auto call = choose(
        named, [](const Call& one, const Line&) { return one.stage == Stage::talking; },
        "is answered");
    if (!call) return call;
    if (const auto& now = calls_.all().at(*call).recording; !now.empty())
        return std::unexpected("Call " + number_of(*call) + " is recorded already, to \"" + now +
                               "\"");
    if (auto may = may_be_recorded_to(path); !may) return std::unexpected(std::move(may.error()));
    calls_.record(*call, path);
    return call;
}

Done<CallRef> Phone::stop_recording(std::optional<CallRef> named) {
    const auto call = choose(
        named, [](const Call& one, const Line&) { return !one.recording.empty(); }, "is recorded");
    if (call) calls_.stop_recording(*call);
    return call;
}

// Nothing that is there already is written over, and nothing is said: the Event `recorded` names
// the file.
std::string Phone::path_for(const Call& call) const {
    const auto& [folder, format] = settings_.recordings;
    return free_path(folder /
                     recording_name(runtime::wall_clock(), call.incoming, call.peer, format))
        .string();
}

Done<std::vector<CallRef>> Phone::confer(const std::vector<CallRef>& named) {
    const auto is_answered = [](const Call& one, const Line&) {
        return one.stage == Stage::talking;
    };
    std::vector<CallRef> members;
    for (const auto ref : named) {
        const auto call = choose(ref, is_answered, "is answered");
        if (!call) return std::unexpected(call.error());
        if (std::ranges::find(members, *call) == members.end()) members.push_back(*call);
    }
    if (named.empty())
        for (const auto& [ref, call] : calls_.all())
            if (call.stage == Stage::talking) members.push_back(ref);
    if (members.size() < 2)
        return std::unexpected("A conference needs two calls that are answered");
    if (members.size() > media::limits::parties)
        return std::unexpected("A conference has " + std::to_string(media::limits::parties) +
                               " calls at most");
    for (const auto ref : members) {
        if (const auto line = lines_.find(ref); line != lines_.end() && line->second.held)
            calls_.resume(ref);
        if (ref != members.front()) calls_.join(ref, members.front());
    }
    return members;
}

Done<CallRef> Phone::split(std::optional<CallRef> named) {
    const auto call = choose(
        named, [](const Call& one, const Line&) { return !one.conference.empty(); },
        "is in a conference");
    if (call) calls_.split(*call);
    return call;
}

}  // namespace holdfast::phone
