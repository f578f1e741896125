#include "base/event.h"

namespace holdfast {

std::string_view name_of(EventKind kind) {
    switch (kind) {
    case EventKind::resolved: return "resolved";
    case EventKind::attempt: return "attempt";
    case EventKind::attempt_failed: return "attempt_failed";
    case EventKind::probed: return "probed";
    case EventKind::registered: return "registered";
    case EventKind::refreshed: return "refreshed";
    case EventKind::moved: return "moved";
    case EventKind::mapping_changed: return "mapping_changed";
    case EventKind::suspect: return "suspect";
    case EventKind::reachable: return "reachable";
    case EventKind::unreachable: return "unreachable";
    case EventKind::unprovable: return "unprovable";
    case EventKind::binding_removed: return "binding_removed";
    case EventKind::binding_debt: return "binding_debt";
    case EventKind::auth_failed: return "auth_failed";
    case EventKind::refused: return "refused";
    case EventKind::waiting: return "waiting";
    case EventKind::unregistered: return "unregistered";
    case EventKind::ring: return "ring";
    case EventKind::dialling: return "dialling";
    case EventKind::ringing: return "ringing";
    case EventKind::early_media: return "early_media";
    case EventKind::answered: return "answered";
    case EventKind::held: return "held";
    case EventKind::resumed: return "resumed";
    case EventKind::transferring: return "transferring";
    case EventKind::transferred: return "transferred";
    case EventKind::transfer_failed: return "transfer_failed";
    case EventKind::referred: return "referred";
    case EventKind::replaced: return "replaced";
    case EventKind::sound: return "sound";
    case EventKind::sound_failed: return "sound_failed";
    case EventKind::silent: return "silent";
    case EventKind::heard: return "heard";
    case EventKind::dtmf: return "dtmf";
    case EventKind::digits_sent: return "digits_sent";
    case EventKind::digits_failed: return "digits_failed";
    case EventKind::played: return "played";
    case EventKind::recorded: return "recorded";
    case EventKind::measured: return "measured";
    case EventKind::call_ended: return "call_ended";
    case EventKind::notice: return "notice";
    case EventKind::flow_lost: return "flow_lost";
    case EventKind::connected: return "connected";
    case EventKind::not_connected: return "not_connected";
    case EventKind::stopped: return "stopped";
    }
    return "?";
}

}  // namespace holdfast
