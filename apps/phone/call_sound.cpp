// What the media say of a call's sound, in Events and in what is known of the call.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "apps/phone/calls.h"
#include "engine/input.h"

namespace holdfast::phone {

namespace {

CallRef call_of(media::SessionId session) { return CallRef{session.value}; }

std::string in_words(const media::Statistics& heard) {
    auto words = fmt::format("{}: {} packets heard, {} lost, {} late, jitter {:.0f} ms",
                             heard.codec.empty() ? "no codec" : heard.codec, heard.received_packets,
                             std::max<std::int64_t>(heard.lost_packets, 0), heard.late_packets,
                             seconds_of(heard.jitter) * 1000);
    if (heard.round_trip)
        words += fmt::format(", round trip {:.0f} ms", seconds_of(*heard.round_trip) * 1000);
    if (heard.lost_there) words += fmt::format(", {:.1f} % lost there", *heard.lost_there * 100);
    if (heard.received_packets > 0) words += fmt::format(", MOS {:.1f}", heard.mos);
    return words;
}

}  // namespace

void Calls::on_media(Instant now) {
    for (const auto& event : media_.take())
        std::visit([&](const auto& what) { on(now, what); }, event);
}

void Calls::on(Instant, const media::out::Ready& ready) {
    const auto ref = call_of(ready.session);
    auto* call = find(ref);
    const auto sound = sounds_.find(ref);
    if (call == nullptr || sound == sounds_.end() || !sound->second.is_open) return;
    sound->second.stream = ready.stream;
    if (call->incoming) return driver_.submit(in::Answer{.call = ref, .streams = {ready.stream}});
    call->stage = Stage::calling;
    driver_.submit(in::Dial{.account = call->account,
                            .call = ref,
                            .uri = call->peer,
                            .streams = {ready.stream},
                            .options = sound->second.settings.options,
                            .referred_by = call->referred_by});
}

void Calls::on(Instant now, const media::out::Failed& failed) {
    const auto ref = call_of(failed.session);
    auto* call = find(ref);
    if (call == nullptr) return;
    say(now, ref, EventKind::sound_failed, failed.sentence);
    if (failed.kind == media::out::FailureKind::recording || failed.ends) not_recorded(ref);
    if (failed.kind == media::out::FailureKind::dtmf) digits_are_over(ref);
    if (!failed.ends) return;
    leave_conference(ref);
    // The session is gone, and with it what the call is for.
    sounds_.erase(ref);
    if (call->stage == Stage::ending) return over(now, ref);
    call->no_sound = true;
    call->why_no_sound = failed.sentence;
    if (call->stage == Stage::opening) {
        end_unknown(now, ref, "it has no sound");
        return over(now, ref);
    }
    if (call->incoming && call->stage == Stage::ringing) return reject(ref, 480);
    driver_.submit(in::HangUp{.account = call->account, .call = ref});
}

void Calls::on(Instant now, const media::out::Started& started) {
    const auto ref = call_of(started.session);
    const auto sound = sounds_.find(ref);
    say(now, ref, EventKind::sound, "we send " + started.codec);
    if (sound == sounds_.end()) return;
    sound->second.flows = true;
    send_waiting_digits(now, ref);
}

void Calls::on(Instant now, const media::out::FirstPacket& first) {
    const auto ref = call_of(first.session);
    if (auto* call = find(ref)) call->is_heard = true;
    say(now, ref, EventKind::sound, "we hear " + first.codec + " from " + first.from.to_string());
}

void Calls::on(Instant now, const media::out::Silent& silent) {
    const auto ref = call_of(silent.session);
    if (auto* call = find(ref)) call->is_heard = false;
    say(now, ref, EventKind::silent,
        fmt::format("nothing is heard from the other side for {:.0f} s: its sound does not arrive "
                    "here (a firewall or NAT on the way, or the other side sends none)",
                    seconds_of(silent.since)));
}

void Calls::on(Instant now, const media::out::Heard& heard) {
    const auto ref = call_of(heard.session);
    if (auto* call = find(ref)) call->is_heard = true;
    say(now, ref, EventKind::heard, "the other side is heard again");
}

void Calls::on(Instant now, const media::out::FromElsewhere& elsewhere) {
    say(now, call_of(elsewhere.session), EventKind::notice,
        "the sound comes from " + elsewhere.from.to_string() + " and not from " +
            elsewhere.expected.to_string() + ", which was agreed" +
            (elsewhere.followed ? "; ours goes there now, too" : ""));
}

void Calls::on(Instant now, const media::out::DtmfHeard& heard) {
    say(now, call_of(heard.session), EventKind::dtmf, std::string(1, heard.digit));
}

void Calls::on(Instant now, const media::out::Played& played) {
    say(now, call_of(played.session), EventKind::played, "the file has been played");
}

void Calls::on(Instant now, const media::out::DeviceLost& lost) {
    say(now, call_of(lost.session), EventKind::sound_failed, lost.sentence);
}

void Calls::on(Instant now, const media::out::DeviceFound& found) {
    say(now, call_of(found.session), EventKind::notice, found.end.to_string() + " is there again");
}

void Calls::on(Instant now, const media::out::Recorded& recorded) {
    const auto ref = call_of(recorded.session);
    not_recorded(ref);
    say(now, ref, EventKind::recorded,
        fmt::format("{}, {:.1f} s", recorded.path, seconds_of(recorded.length)));
}

void Calls::on(Instant, const media::out::Measured&) {}

void Calls::on(Instant now, const media::out::Closed& closed) {
    const auto ref = call_of(closed.session);
    auto* call = find(ref);
    sounds_.erase(ref);
    leave_conference(ref);
    if (call == nullptr) return;
    if (call->answered) say(now, ref, EventKind::measured, in_words(closed.statistics));
    if (call->stage == Stage::ending) over(now, ref);
}

void Calls::on(Instant now, const media::out::Joined& joined) {
    const auto ref = call_of(joined.session);
    leave_conference(ref);
    std::vector<CallRef> members;
    for (const auto member : joined.members)  // one may have lost its sound meanwhile
        if (find(call_of(member)) != nullptr && sounds_.contains(call_of(member)))
            members.push_back(call_of(member));
    if (members.size() < 2) return;
    std::string words;
    for (std::size_t n = 0; n < members.size(); ++n) {
        if (n > 0) words += n + 1 < members.size() ? ", " : " and ";
        words += std::to_string(members[n].value);
        auto& others = calls_.at(members[n]).conference;
        others = members;
        std::erase(others, members[n]);
    }
    say(now, ref, EventKind::notice, "a conference: calls " + words + " hear each other");
}

void Calls::on(Instant now, const media::out::Parted& parted) {
    const auto ref = call_of(parted.session);
    leave_conference(ref);
    say(now, ref, EventKind::notice, "it has left the conference");
}

// Nor is it again when the next offer is agreed on.
void Calls::not_recorded(CallRef ref) {
    if (auto* call = find(ref)) call->recording.clear();
    if (const auto sound = sounds_.find(ref); sound != sounds_.end())
        sound->second.settings.record.clear();
}

void Calls::leave_conference(CallRef ref) {
    for (auto& [each, call] : calls_) {
        if (each == ref) call.conference.clear();
        std::erase(call.conference, ref);
    }
}

void Calls::on(Instant, const media::out::Listed&) {}

// No call's: it goes on without. At every call it would be said again.
void Calls::on(Instant now, const media::out::NotPlayed& not_played) {
    const bool is_bell = not_played.signal == media::Signal::ring;
    auto& told = not_played_[{is_bell, not_played.has_tone}];
    if (std::exchange(told, not_played.sentence) == not_played.sentence) return;
    Event event{.kind = EventKind::notice};
    event.reason = (not_played.has_tone ? "the phone rings with its own tone: "
                    : is_bell           ? "the phone does not ring: "
                                        : "tones are not heard: ") +
                   not_played.sentence;
    tell_(now, event);
}

}  // namespace holdfast::phone
