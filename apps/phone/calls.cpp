#include "apps/phone/calls.h"

#include <algorithm>
#include <utility>

#include "base/signs.h"
#include "engine/input.h"
#include "runtime/clock.h"
#include "sdp/agreement.h"

namespace holdfast::phone {

namespace {

media::SessionId session_of(CallRef call) { return media::SessionId{call.value}; }

}  // namespace

CallRef Calls::dial(AccountId account, const std::string& uri, CallSettings settings) {
    return begin({.account = account, .incoming = false, .peer = uri}, std::move(settings));
}

CallRef Calls::begin(Call call, CallSettings settings) {
    const CallRef ref{++last_call_};
    const auto at = registered_at_.find(call.account);
    calls_[ref] = std::move(call);
    open_sound(ref, std::move(settings),
               at == registered_at_.end() ? std::nullopt : std::optional{at->second});
    return ref;
}

void Calls::transfer(CallRef ref, const std::string& uri) {
    if (find(ref) == nullptr) return;
    driver_.submit(in::Transfer{.call = ref, .target = uri});
}

void Calls::connect(CallRef ref, CallRef other) {
    if (find(ref) == nullptr || find(other) == nullptr) return;
    driver_.submit(in::TransferTo{.call = ref, .other = other});
}

// What a call sounds like goes on in the one that follows it: who is muted is not heard by somebody
// else. Not the recording: each has its own.
std::optional<CallSettings> Calls::settings_of(CallRef ref) const {
    const auto sound = sounds_.find(ref);
    if (sound == sounds_.end()) return std::nullopt;
    auto settings = sound->second.settings;
    settings.record.clear();
    settings.dtmf.clear();
    return settings;
}

// RFC 3515 §2.4.3.
void Calls::follow(const Event& referred) {
    if (auto settings = settings_of(referred.call))
        begin({.account = referred.account,
               .incoming = false,
               .peer = one_line(referred.contact, text_most),
               .referred_by = referred.call},
              *std::move(settings));
}

// RFC 3891 §3: who talks here goes on talking, with somebody else.
void Calls::take_over(const Event& replaced) {
    auto settings = settings_of(replaced.other);
    if (!settings) return driver_.submit(in::Reject{.call = replaced.call, .status = 480});
    calls_[replaced.call] = {.account = replaced.account,
                             .incoming = true,
                             .peer = one_line(replaced.reason, text_most),
                             .via = replaced.target,
                             .stage = Stage::ringing};
    answer(replaced.call, *std::move(settings));
}

void Calls::answer(CallRef ref, CallSettings settings) {
    const auto* call = find(ref);
    if (call == nullptr || !call->incoming || call->stage != Stage::ringing) return;
    const auto sound = sounds_.find(ref);
    if (sound != sounds_.end() && sound->second.is_open) return;  // it is being answered
    open_sound(ref, std::move(settings), call->via);
}

void Calls::reject(CallRef ref, int status) {
    const auto* call = find(ref);
    if (call == nullptr || !call->incoming || call->stage != Stage::ringing) return;
    driver_.submit(in::Reject{.call = ref, .status = status});
    // An answer may be on its way already: then there is nothing to reject any more.
    driver_.submit(in::HangUp{.account = call->account, .call = ref});
}

void Calls::forward(CallRef ref, const std::string& uri, call::Diverted why) {
    const auto* call = find(ref);
    if (call == nullptr || !call->incoming || call->stage != Stage::ringing) return;
    driver_.submit(in::Reject{.call = ref, .forward_to = uri, .why = why});
}

void Calls::hang_up(CallRef ref) {
    auto* call = find(ref);
    if (call == nullptr || call->stage == Stage::ending) return;
    if (stop_looking(runtime::boot_time(), ref, "hung up")) return;
    // The engine does not know it yet, and hears of it only if the user still wants it (Ready).
    if (call->stage == Stage::opening) {
        close_sound(ref);
        return end_unknown(runtime::boot_time(), ref, "hung up");
    }
    driver_.submit(in::HangUp{.account = call->account, .call = ref});
}

void Calls::hang_up_all() {
    for (const auto& [ref, call] : std::map(calls_)) hang_up(ref);
}

// Ports first: what the other side is told must be true.
void Calls::open_sound(CallRef ref, CallSettings settings, const std::optional<Target>& target) {
    const bool follows_host = !settings.sound.advertise && settings.sound.bind.is_unspecified();
    if (!settings.sound.advertise) settings.sound.advertise = address_towards(target);
    auto options = settings.sound;
    const bool microphone_muted = settings.microphone_muted;
    const bool speaker_muted = settings.speaker_muted;
    sounds_[ref] = {.settings = std::move(settings),
                    .is_open = true,
                    .stream = {},
                    .follows_host = follows_host};
    media_.submit(media::in::Open{.session = session_of(ref), .options = std::move(options)});
    if (microphone_muted || speaker_muted) mute(ref, microphone_muted, speaker_muted);
}

void Calls::close_sound(CallRef ref) {
    const auto sound = sounds_.find(ref);
    if (sound == sounds_.end() || !std::exchange(sound->second.is_open, false)) return;
    media_.submit(media::in::Close{session_of(ref)});
}

void Calls::agreed(Instant now, const out::Media& media) {
    const auto sound = sounds_.find(media.call);
    if (sound == sounds_.end() || !sound->second.is_open || !media.agreed) return;
    // Ours is one stream of sound; the others were rejected.
    const auto& streams = media.agreed->streams;
    const auto ours = std::ranges::find_if(
        streams, [](const sdp::AgreedStream& stream) { return stream.local == std::size_t{0}; });
    // The other side may have taken it out: then it is off.
    auto stream = ours == streams.end() ? sdp::AgreedStream{.rejected = true} : *ours;
    sound->second.may_send = !stream.rejected && sdp::sends(stream.direction);
    sound->second.has_events = stream.dtmf_send.has_value();
    sound->second.takes_info = media.takes_info;
    media_.submit(
        media::in::Agreed{.session = session_of(media.call), .stream = std::move(stream)});
    sound->second.agreed = true;
    begin_recording(media.call);  // of an offer that came late, the answer comes after our 200
    send_waiting_digits(now, media.call);
}

void Calls::on_step(Instant now, const Input& input, const std::vector<holdfast::Output>& outputs) {
    if (const auto* opened = std::get_if<in::FlowOpened>(&input)) {
        if (const auto flow = flows_.find(opened->flow); flow != flows_.end())
            flow->second.local = opened->local;
    } else if (const auto* failed = std::get_if<in::FlowFailed>(&input)) {
        // One that was open is of UDP, and stays (in::FlowFailed).
        std::erase_if(flows_, [&](const auto& flow) {
            return flow.first == failed->flow && !flow.second.local;
        });
    } else if (const auto* closed = std::get_if<in::FlowClosed>(&input)) {
        flows_.erase(closed->flow);
    }
    for (const auto& output : outputs) {
        if (const auto* open = std::get_if<out::OpenFlow>(&output))
            flows_[open->flow] = {.target = open->target, .local = {}};
        else if (const auto* close = std::get_if<out::CloseFlow>(&output))
            flows_.erase(close->flow);
        else if (const auto* media = std::get_if<out::Media>(&output))
            agreed(now, *media);
    }
    if (std::holds_alternative<in::FlowOpened>(input)) follow_network();
}

void Calls::on_event(Instant now, const Event& event) {
    if (event.target &&
        (event.kind == EventKind::registered || event.kind == EventKind::moved ||
         event.kind == EventKind::refreshed || event.kind == EventKind::connected)) {
        registered_at_.insert_or_assign(event.account, *event.target);
        follow_network();
    }
    if (!event.call) return on_way(now, event);
    if (event.kind == EventKind::ring && find(event.call) == nullptr) {
        calls_[event.call] = {.account = event.account,
                              .incoming = true,
                              .peer = one_line(event.reason, text_most),
                              .via = event.target,
                              .stage = Stage::ringing};
        return;
    }
    if (event.kind == EventKind::replaced) return take_over(event);
    auto* call = find(event.call);
    if (call == nullptr) return;
    switch (event.kind) {
    case EventKind::referred: follow(event); break;
    case EventKind::dialling: keep_digits_from(now, event.call, event.contact); break;
    case EventKind::ringing: call->stage = Stage::ringing; break;
    case EventKind::answered: answered(now, event.call, *call); break;
    case EventKind::digits_sent: digits_are_sent(now, event.call); break;
    case EventKind::digits_failed: digits_are_over(event.call); break;
    case EventKind::call_ended:
        call->stage = Stage::ending;
        tell_unsent_digits(now, event.call);
        end(now, event.call);
        break;
    default: break;  // what else happens to a call is for the user to read
    }
}

void Calls::answered(Instant now, CallRef ref, Call& call) {
    call.stage = Stage::talking;
    call.answered = now;
    const auto sound = sounds_.find(ref);
    if (sound == sounds_.end()) return;
    auto& path = sound->second.settings.record;
    if (path.empty() && path_of_) {
        if (auto named = path_of_(call))
            path = *std::move(named);
        else
            say(now, ref, EventKind::sound_failed, "the call is not recorded: " + named.error());
    }
    begin_recording(ref);
    send_waiting_digits(now, ref);  // early media may have begun before
}

// One that the engine has never heard of, and cannot tell the end of.
void Calls::end_unknown(Instant now, CallRef ref, std::string why) {
    calls_.at(ref).stage = Stage::ending;
    say(now, ref, EventKind::call_ended, std::move(why));
}

// The call is over when its sound is closed: until then a recording may be unfinished.
void Calls::end(Instant now, CallRef ref) {
    const auto sound = sounds_.find(ref);
    if (sound != sounds_.end() && sound->second.is_open) return close_sound(ref);
    if (sound == sounds_.end()) over(now, ref);  // never had one: not answered
}

void Calls::over(Instant now, CallRef ref) {
    const auto found = calls_.find(ref);
    if (found == calls_.end()) return;
    const auto call = std::move(found->second);
    calls_.erase(found);
    sounds_.erase(ref);
    looking_.erase(ref);
    leave_conference(ref);
    if (on_over_) on_over_(now, ref, call);
}

Call* Calls::find(CallRef call) {
    const auto found = calls_.find(call);
    return found == calls_.end() ? nullptr : &found->second;
}

void Calls::say(Instant now, CallRef ref, EventKind kind, std::string reason) {
    const auto* call = find(ref);
    if (call == nullptr) return;
    Event event{.kind = kind, .account = call->account, .call = ref};
    event.reason = std::move(reason);
    tell_(now, event);
}

}  // namespace holdfast::phone
