#include "runtime/event_json.h"

#include <nlohmann/json.hpp>

namespace holdfast::runtime {

namespace {

using Json = nlohmann::ordered_json;

// Whole seconds as an integer: 300, not 300.0.
Json seconds(Duration duration) {
    constexpr Duration::rep ticks = 1'000'000;
    if (duration.count() % ticks == 0) return duration.count() / ticks;
    return seconds_of(duration);
}

Json target_object(const EventTarget& row) {
    return {{"address", row.target.endpoint.address.to_string()},
            {"port", row.target.endpoint.port},
            {"transport", name_of(row.target.transport)},
            {"priority", row.priority},
            {"weight", row.weight},
            {"host", row.host},
            {"reason", row.reason}};
}

Json target_list(const std::vector<EventTarget>& targets) {
    auto list = Json::array();
    for (const auto& row : targets) list.push_back(target_object(row));
    return list;
}

// A server's words may be no UTF-8; what is not is replaced, so that every line can be read.
std::string line_of(const Json& object) {
    return object.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string event_json(EventTime time, const Event& event, std::string_view account) {
    Json object{{"t", seconds_of(time.since_start)}};
    if (time.unixtime) object["time"] = *time.unixtime;
    object["event"] = name_of(event.kind);
    if (!account.empty()) object["account"] = account;
    if (event.other) object["other"] = event.other.value;
    if (event.call) object["call"] = event.call.value;
    if (event.target) object["target"] = event.target->to_string();
    if (event.from) object["from"] = event.from->to_string();
    if (event.mapping) object["mapping"] = event.mapping->to_string();
    if (!event.contact.empty()) object["contact"] = event.contact;
    if (event.expires) object["expires"] = seconds(*event.expires);
    if (event.rtt) object["rtt"] = seconds_of(*event.rtt);
    if (event.status != 0) object["status"] = event.status;
    if (event.reg_id != 0) object["reg_id"] = event.reg_id;
    if (!event.reason.empty()) object["reason"] = event.reason;
    if (!event.targets.empty()) object["targets"] = target_list(event.targets);
    return line_of(object);
}

std::string resolution_json(std::string_view account, const std::vector<EventTarget>& targets,
                            std::string_view problem) {
    Json object{{"account", account}, {"targets", target_list(targets)}};
    if (!problem.empty()) object["reason"] = problem;
    return line_of(object);
}

}  // namespace holdfast::runtime
