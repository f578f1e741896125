#include "apps/phone/control_objects.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "registration/policy_values.h"

namespace holdfast::phone {

namespace {

using Json = nlohmann::ordered_json;

const char* name_of(Stage stage) {
    switch (stage) {
    case Stage::opening: return "opening";
    case Stage::calling: return "calling";
    case Stage::ringing: return "ringing";
    case Stage::talking: return "talking";
    case Stage::ending: return "ending";
    }
    return "";
}

}  // namespace

nlohmann::ordered_json object_of(const CallView& view) {
    Json object{{"call", view.call.value},
                {"account", view.account},
                {"direction", view.incoming ? "in" : "out"},
                {"peer", view.peer},
                {"stage", name_of(view.stage)},
                {"held", view.held},
                {"held_by_other", view.held_by_other},
                {"microphone_muted", view.microphone_muted},
                {"speaker_muted", view.speaker_muted}};
    if (!view.recording.empty()) object["recording"] = view.recording;
    for (const auto other : view.conference) object["conference"].push_back(other.value);
    if (view.talked) object["talked"] = seconds_of(*view.talked);
    return object;
}

nlohmann::ordered_json object_of(const IncomingRules& rules) {
    return {{"do_not_disturb", rules.do_not_disturb},
            {"one_call", rules.one_call},
            {"auto_answer", rules.auto_answer.text()},
            {"forward_always", rules.forward.always},
            {"forward_busy", rules.forward.busy},
            {"forward_no_answer", rules.forward.no_answer},
            {"forward_after", registration::print_duration(rules.forward.after)},
            {"deny", rules.deny}};
}

nlohmann::ordered_json object_of(const runtime::PastCall& call) {
    Json object{{"id", call.id},
                {"account", call.account},
                {"direction", call.incoming ? "in" : "out"},
                {"peer", call.peer},
                {"started", call.started},
                {"talked", call.talked},
                {"outcome", call.outcome}};
    if (call.status != 0) object["status"] = call.status;
    if (!call.reason.empty()) object["reason"] = call.reason;
    return object;
}

bool is_event(std::string_view name) {
    for (auto kind = EventKind::resolved;;
         kind = static_cast<EventKind>(std::to_underlying(kind) + 1)) {
        if (holdfast::name_of(kind) == name) return true;
        if (kind == EventKind::stopped) return false;
    }
}

}  // namespace holdfast::phone
