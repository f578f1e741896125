// A call's sound beside talking: recordings, conferences, and what is heard before and after.
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
    if (auto claimed = claim_recording(path); !claimed)
        return std::unexpected(std::move(claimed.error()));
    calls_.record(*call, path);
    return call;
}

Done<CallRef> Phone::stop_recording(std::optional<CallRef> named) {
    const auto call = choose(
        named, [](const Call& one, const Line&) { return !one.recording.empty(); }, "is recorded");
    if (call) calls_.stop_recording(*call);
    return call;
}

std::expected<std::string, std::string> Phone::path_for(const Call& call) const {
    const auto& [folder, format] = settings_.recordings;
    auto path = claim_recording(
        folder, recording_name(runtime::wall_clock(), call.incoming, call.peer, format));
    if (!path) return std::unexpected(std::move(path.error()));
    return path->string();
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
    // All of them or none: the first one's conference is there already.
    auto all = calls_.all().at(members.front()).conference;
    for (const auto ref : members)
        if (std::ranges::find(all, ref) == all.end()) all.push_back(ref);
    if (all.size() > media::limits::parties)
        return std::unexpected("A conference has " + std::to_string(media::limits::parties) +
                               " calls at most");
    for (const auto ref : members) {
        calls_.resume(ref);  // if it is on hold, or is being put on it
        if (ref != members.front()) calls_.join(ref, members.front());
    }
    return members;
}

void Phone::leave_conference(CallRef ref) {
    const auto call = calls_.all().find(ref);
    if (call != calls_.all().end() && !call->second.conference.empty()) calls_.split(ref);
}

Done<CallRef> Phone::split(std::optional<CallRef> named) {
    const auto call = choose(
        named, [](const Call& one, const Line&) { return !one.conference.empty(); },
        "is in a conference");
    if (call) calls_.split(*call);
    return call;
}

void Phone::on_media(Instant now) {
    calls_.on_media(now);
    signals_.update(calls_.all());
}

CallFacts Phone::facts_of(CallRef ref) const {
    const auto call = calls_.all().find(ref);
    const auto line = lines_.find(ref);
    if (call == calls_.all().end() || line == lines_.end()) return {};
    const auto& known = line->second;
    const bool will_be_taken = known.answers_at_once && answering_.contains(ref);
    const bool is_being_taken = calls_.settings(ref) != nullptr;  // its sound is opened
    return {.is_left = known.ended_by_us || !known.refused_because.empty(),
            .is_taken = call->second.incoming && (will_be_taken || is_being_taken),
            .is_held = known.held};
}

// Asked before the end has come about. Who has hung up knows that it is over, and where there is no
// sound a tone would have none either.
bool Phone::comes_to_nothing(const Event& event) const {
    const auto call = calls_.all().find(event.call);
    return event.kind == EventKind::call_ended && call != calls_.all().end() &&
           !call->second.incoming && !call->second.answered && !call->second.no_sound &&
           !facts_of(event.call).is_left;
}

}  // namespace holdfast::phone
