// Digits of a call that wait for its answer and its sound: that they are sent, to whom they were
// meant for, and that what is told of it is true. They may be a PIN: how many they are is told, and
// no more.
#include <algorithm>
#include <utility>

#include "apps/phone/calls.h"
#include "apps/phone/dialling.h"
#include "engine/input.h"

namespace holdfast::phone {

namespace {

std::size_t keys_in(const std::string& digits) {
    return digits.size() - static_cast<std::size_t>(std::ranges::count(digits, ','));
}
std::string that_waited(std::size_t count) {
    return count == 1 ? "1 digit that waited is "
                      : std::to_string(count) + " digits that waited are ";
}

}  // namespace

// By INFO if that is wanted, or if we choose and the other side has no telephone events: an INFO
// says which digit it is, a tone has to be heard.
std::optional<sip::DigitForm> Calls::info_form(const Sound& sound) {
    if (sound.settings.info) return sound.settings.info;
    const bool we_choose = sound.settings.sound.dtmf == media::DtmfMethod::automatic;
    if (we_choose && sound.agreed && !sound.has_events && sound.takes_info)
        return sip::DigitForm::relay;
    return std::nullopt;
}

void Calls::submit_digits(CallRef ref, const Sound& sound, const std::string& digits) {
    if (const auto form = info_form(sound))
        return driver_.submit(in::Press{.call = ref, .digits = digits, .form = *form});
    media_.submit(media::in::SendDtmf{.session = media::SessionId{ref.value}, .digits = digits});
}

bool Calls::press(CallRef ref, const std::string& digits) {
    const auto* call = find(ref);
    const auto sound = sounds_.find(ref);
    if (call == nullptr || sound == sounds_.end()) return true;
    auto& waiting = sound->second.settings.dtmf;
    if (waiting.size() + digits.size() > digits_waiting_most) return false;
    // Where nothing may be sent, the media say so.
    if (call->stage == Stage::talking && sound->second.flows && waiting.empty()) {
        submit_digits(ref, sound->second, digits);
        return true;
    }
    waiting += digits;
    send_digits(ref);
    return true;
}

void Calls::send_digits(CallRef ref) {
    const auto* call = find(ref);
    const auto sound = sounds_.find(ref);
    if (call == nullptr || call->stage != Stage::talking || sound == sounds_.end() ||
        !sound->second.flows || (!sound->second.may_send && !info_form(sound->second)))
        return;
    if (auto digits = std::exchange(sound->second.settings.dtmf, {}); !digits.empty())
        submit_digits(ref, sound->second, digits);
}

// Those that are for after the answer, and those that were pressed before the sound flowed.
void Calls::send_waiting_digits(Instant now, CallRef ref) {
    const auto* call = find(ref);
    const auto found = sounds_.find(ref);
    if (call == nullptr || call->stage != Stage::talking || found == sounds_.end()) return;
    auto& sound = found->second;
    const auto count = keys_in(sound.settings.dtmf);
    if (!sound.may_send && !info_form(sound) && count > 0)
        return say(now, ref, EventKind::notice,
                   std::to_string(count) + (count == 1 ? " digit waits" : " digits wait") +
                       " until the other side takes our sound");
    const bool waited = !sound.settings.dtmf.empty();
    send_digits(ref);
    if (!waited || !sound.settings.dtmf.empty()) return;
    sound.sends_digits = true;
    sound.digits_on_their_way += count;
}

// Told when they have been sent, not when they are about to be.
void Calls::on(Instant now, const media::out::DtmfSent& sent) {
    digits_are_sent(now, CallRef{sent.session.value});
}

void Calls::digits_are_sent(Instant now, CallRef ref) {
    const auto sound = sounds_.find(ref);
    if (sound == sounds_.end()) return;
    if (const auto count = sound->second.digits_on_their_way; count > 0)
        say(now, ref, EventKind::notice, that_waited(count) + "sent");
    digits_are_over(ref);
}

// Sent, or not: the media or the engine have said why.
void Calls::digits_are_over(CallRef ref) {
    const auto sound = sounds_.find(ref);
    if (sound == sounds_.end()) return;
    sound->second.sends_digits = false;
    sound->second.digits_on_their_way = 0;
    if (const auto uri = std::exchange(sound->second.transfer_then, {}); !uri.empty())
        transfer(ref, uri);
}

// RFC 3261 §8.1.3.4: a server has us call somebody else, who is not to get the PIN of the first.
void Calls::keep_digits_from(Instant now, CallRef ref, const std::string& other) {
    const auto* call = find(ref);
    const auto sound = sounds_.find(ref);
    if (call == nullptr || sound == sounds_.end() || are_same_callee(call->peer, other)) return;
    const auto count = keys_in(std::exchange(sound->second.settings.dtmf, {}));
    if (count > 0)
        say(now, ref, EventKind::notice,
            that_waited(count) + "not sent: the call goes to another one than was dialled");
}

void Calls::tell_unsent_digits(Instant now, CallRef ref) {
    const auto* call = find(ref);
    const auto sound = sounds_.find(ref);
    if (call == nullptr || !call->answered || sound == sounds_.end()) return;
    const auto begun = std::exchange(sound->second.digits_on_their_way, 0U);
    const auto count = begun + keys_in(std::exchange(sound->second.settings.dtmf, {}));
    if (count > 0)
        say(now, ref, EventKind::notice,
            that_waited(count) + (begun > 0 ? "not all sent" : "not sent"));
}

void Calls::transfer_after_digits(CallRef ref, const std::string& uri) {
    const auto sound = sounds_.find(ref);
    const bool has_digits = sound != sounds_.end() &&
                            (sound->second.sends_digits || !sound->second.settings.dtmf.empty());
    if (!has_digits) return transfer(ref, uri);
    sound->second.transfer_then = uri;
}

}  // namespace holdfast::phone
