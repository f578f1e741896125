// What a person does in a call: hold, mute, recording, conference.
#include "apps/phone/calls.h"
#include "engine/input.h"

namespace holdfast::phone {

void Calls::hold(CallRef ref) {
    const auto* call = find(ref);
    if (call != nullptr && call->stage == Stage::talking) driver_.submit(in::Hold{.call = ref});
}

void Calls::resume(CallRef ref) {
    const auto* call = find(ref);
    if (call != nullptr && call->stage == Stage::talking) driver_.submit(in::Resume{.call = ref});
}

void Calls::mute(CallRef ref, bool microphone, bool speaker) {
    const auto sound = sounds_.find(ref);
    if (sound == sounds_.end()) return;
    sound->second.settings.microphone_muted = microphone;
    sound->second.settings.speaker_muted = speaker;
    media_.submit(media::in::Mute{
        .session = media::SessionId{ref.value}, .microphone = microphone, .speaker = speaker});
}

void Calls::record(CallRef ref, const std::string& path) {
    const auto sound = sounds_.find(ref);
    if (sound == sounds_.end() || !sound->second.is_open) return;
    sound->second.settings.record = path;
    begin_recording(ref);
}

// Once it is answered and has its sound.
void Calls::begin_recording(CallRef ref) {
    auto* call = find(ref);
    const auto sound = sounds_.find(ref);
    if (call == nullptr || !call->answered || sound == sounds_.end() || !sound->second.agreed ||
        !call->recording.empty() || sound->second.settings.record.empty())
        return;
    call->recording = sound->second.settings.record;
    media_.submit(
        media::in::Record{.session = media::SessionId{ref.value}, .path = call->recording});
}

void Calls::stop_recording(CallRef ref) {
    if (find(ref) != nullptr) media_.submit(media::in::StopRecording{media::SessionId{ref.value}});
}

void Calls::join(CallRef ref, CallRef with) {
    if (find(ref) == nullptr || find(with) == nullptr) return;
    media_.submit(media::in::Join{.session = media::SessionId{ref.value},
                                  .with = media::SessionId{with.value}});
}

void Calls::split(CallRef ref) {
    if (find(ref) != nullptr) media_.submit(media::in::Split{media::SessionId{ref.value}});
}

const CallSettings* Calls::settings(CallRef ref) const {
    const auto sound = sounds_.find(ref);
    return sound == sounds_.end() ? nullptr : &sound->second.settings;
}

}  // namespace holdfast::phone
