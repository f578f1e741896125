// What becomes of a call's sound when something becomes of its DTLS.
#include <string>

#include "media/gst_clock.h"
#include "media/gst_session.h"
#include "media/limits.h"

namespace holdfast::media::gst {

namespace {

using namespace std::chrono_literals;

constexpr Duration between_attempts = 1s;

constexpr const char* other_certificate =
    "whoever answers the encryption's handshake is not the other side: its certificate is not the "
    "one that the call's description names; nothing is sent or heard";
constexpr const char* handshake_fails =
    "the encryption's handshake (DTLS) fails again and again: the other side, or someone in its "
    "name, does not speak it as was agreed on; nothing is sent or heard";
constexpr const char* ended_there =
    "the other side has ended the encryption (DTLS) and the call goes on without sound: nothing is "
    "sent or heard until both agree anew, with hold and resume for instance, or another call";
constexpr const char* alert_without_keys =
    "the other side, or someone in its name, says that the encryption's handshake (DTLS) fails; "
    "without keys that proves nothing, and the handshake goes on";

}  // namespace

void Session::on_association(GstMessage* message) {
    const GstStructure* said = gst_message_get_structure(message);
    int event = 0;
    if (over_ || !network_ || GST_MESSAGE_SRC(message) != GST_OBJECT(network_->bin()) || !said ||
        !gst_structure_has_name(said, association_message) ||
        !gst_structure_get_int(said, "event", &event))
        return;  // of a network that is gone
    switch (static_cast<AssociationEvent>(event)) {
    case AssociationEvent::refused:
        if (!network_->transport().is_with_stranger())
            return fail(out::FailureKind::encryption, other_certificate, true);
        begins_again_ = true;  // the other side may still speak
        return;
    case AssociationEvent::failed:
        // What a stranger begins proves nothing of the other side.
        if (!network_->transport().is_with_stranger()) ++attempts_;
        [[fallthrough]];
    case AssociationEvent::anew: begins_again_ = true; return;
    case AssociationEvent::ended: return fail(out::FailureKind::encryption, ended_there, false);
    case AssociationEvent::alert:
        return fail(out::FailureKind::encryption, alert_without_keys, false);
    }
}

void Session::begin_again() {
    const Instant now = present();
    if (now - last_attempt_ < between_attempts) return;
    begins_again_ = false;
    last_attempt_ = now;
    if (attempts_ >= limits::dtls_attempts)
        return fail(out::FailureKind::encryption, handshake_fails, true);
    replace_network(sdp::AgreedStream{network_->stream()});
}

}  // namespace holdfast::media::gst
