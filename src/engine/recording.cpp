#include "engine/recording.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "base/text.h"
#include "engine/recording_calls.h"
#include "engine/recording_words.h"
#include "registration/policy.h"
#include "sip/digit_info.h"
#include "sip/redaction.h"

namespace holdfast {

namespace {

using namespace recording;

template <class... Cases>
struct Overloaded : Cases... {
    using Cases::operator()...;
};

Json dns_record_json(const dns::Record& record) {
    return std::visit(
        Overloaded{
            [](const IpAddress& address) { return Json{{"address", address.to_string()}}; },
            [](const dns::Srv& srv) {
                return Json{{"srv", bytes_json(srv.target)},
                            {"priority", srv.priority},
                            {"weight", srv.weight},
                            {"port", srv.port}};
            },
            [](const dns::Naptr& naptr) {
                return Json{
                    {"naptr", bytes_json(naptr.replacement)}, {"order", naptr.order},
                    {"preference", naptr.preference},         {"flags", bytes_json(naptr.flags)},
                    {"service", bytes_json(naptr.service)},   {"regexp", bytes_json(naptr.regexp)}};
            },
            [](const dns::Cname& cname) {
                return Json{{"cname", bytes_json(cname.name)}, {"owner", bytes_json(cname.owner)}};
            }},
        record);
}

Json answer_json(const dns::Answer& answer) {
    Json records = Json::array();
    for (const auto& record : answer.records) records.push_back(dns_record_json(record));
    return {{"status", name_of(answer.status)},
            {"ttl_us", answer.ttl.count()},
            {"records", std::move(records)}};
}

Json account_json(const registration::AccountConfig& config) {
    Json backups = Json::array();
    for (const auto& backup : config.backups)
        backups.push_back({{"uri", backup.uri}, {"domain", backup.domain}});
    Json policy = Json::object();
    for (const auto& field : registration::describe(config.policy)) policy[field.key] = field.value;
    Json json{{"aor", config.aor},
              {"display_name", config.display_name},
              {"auth_user", config.auth_user},
              {"password", recorded_password},
              {"registrar", config.registrar},
              {"outbound_proxy", config.outbound_proxy},
              {"backups", std::move(backups)}};
    if (config.transport) json["transport"] = name_of(*config.transport);
    json["realms"] = config.realms;
    json["contact_address"] = config.contact_address;
    if (config.takes_calls) json["takes_calls"] = true;
    if (!config.follows_transfers) json["follows_transfers"] = false;
    json["stun"] = config.stun;
    if (!config.direct_to.empty()) json["direct_to"] = config.direct_to;
    json["policy"] = std::move(policy);
    return json;
}

// No header value that carries an answer to a challenge.
Json message_json(std::string_view bytes) { return bytes_json(sip::redact_authorization(bytes)); }

Json received_json(FlowId flow, std::string_view shown) {
    return {{"in", "received"}, {"flow", flow.value}, {"bytes", bytes_json(shown)}};
}

Json failure_json(std::string_view what, FlowId flow, FlowError error, const std::string& detail) {
    return {{"in", what},
            {"flow", flow.value},
            {"error", name_of(error)},
            {"detail", bytes_json(detail)}};
}

Json input_json(const Input& input) {
    return std::visit(
        Overloaded{
            [](const in::Time&) { return Json{{"in", "time"}}; },
            [](const in::FlowOpened& i) {
                return Json{{"in", "flow_opened"},
                            {"flow", i.flow.value},
                            {"local", i.local.to_string()},
                            {"verified_name", i.verified_name}};
            },
            [](const in::FlowFailed& i) {
                return failure_json("flow_failed", i.flow, i.error, i.detail);
            },
            [](const in::FlowClosed& i) {
                return failure_json("flow_closed", i.flow, i.error, i.detail);
            },
            [](const in::Received& i) {
                return received_json(i.flow, sip::redact_authorization(i.bytes));
            },
            [](const in::Stray& i) {
                return Json{{"in", "stray"},
                            {"local", i.local.to_string()},
                            {"remote", i.remote.to_string()},
                            {"bytes", message_json(i.bytes)}};
            },
            [](const in::DnsAnswer& i) {
                return Json{{"in", "dns_answer"},
                            {"query", i.query.value},
                            {"answer", answer_json(i.answer)}};
            },
            [](const in::NetworkChanged& i) {
                Json addresses = Json::array();
                for (const auto& address : i.addresses) addresses.push_back(address.to_string());
                return Json{{"in", "network_changed"},
                            {"addresses", std::move(addresses)},
                            {"woke", i.woke}};
            },
            [](const in::AddAccount& i) {
                return Json{{"in", "add_account"},
                            {"account", i.account.value},
                            {"config", account_json(i.config)}};
            },
            [](const in::RemoveAccount& i) {
                return Json{{"in", "remove_account"}, {"account", i.account.value}};
            },
            [](const in::RegisterNow& i) {
                return Json{{"in", "register_now"}, {"account", i.account.value}};
            },
            [](const in::ChangePassword& i) {
                return Json{{"in", "change_password"},
                            {"account", i.account.value},
                            {"password", recorded_password}};
            },
            [](const in::HangUp& i) {
                Json json{{"in", "hang_up"}, {"account", i.account.value}};
                if (i.call) json["call"] = i.call.value;
                return json;
            },
            [](const in::Dial& i) { return dial_json(i); },
            [](const in::Answer& i) {
                return Json{
                    {"in", "answer"}, {"call", i.call.value}, {"streams", streams_json(i.streams)}};
            },
            [](const in::Reject& i) { return reject_json(i); },
            [](const in::Press& i) { return press_json(i); },
            [](const in::Transfer& i) { return transfer_json(i); },
            [](const in::TransferTo& i) {
                return Json{
                    {"in", "transfer_to"}, {"call", i.call.value}, {"other", i.other.value}};
            },
            [](const in::Hold& i) { return Json{{"in", "hold"}, {"call", i.call.value}}; },
            [](const in::Resume& i) { return Json{{"in", "resume"}, {"call", i.call.value}}; },
            [](const in::MediaChanged& i) {
                return Json{{"in", "media_changed"},
                            {"call", i.call.value},
                            {"streams", streams_json(i.streams)}};
            },
            [](const in::ShutDown&) { return Json{{"in", "shut_down"}}; }},
        input);
}

Json event_json(const Event& event) {
    Json json{{"out", "event"}, {"event", name_of(event.kind)}, {"account", event.account.value}};
    if (event.call) json["call"] = event.call.value;
    if (event.other) json["other"] = event.other.value;
    if (event.target) json["target"] = event.target->to_string();
    if (event.from) json["from"] = event.from->to_string();
    if (event.mapping) json["mapping"] = event.mapping->to_string();
    if (!event.contact.empty()) json["contact"] = bytes_json(event.contact);
    if (event.expires) json["expires_us"] = event.expires->count();
    if (event.rtt) json["rtt_us"] = event.rtt->count();
    if (event.status != 0) json["status"] = event.status;
    if (event.reg_id != 0) json["reg_id"] = event.reg_id;
    // What an INFO brings is hidden in its bytes (sip/digit_info.h), and a replay tells it so.
    const bool is_digit = event.kind == EventKind::dtmf;
    if (!event.reason.empty())
        json["reason"] = bytes_json(is_digit ? sip::masked_digits(event.reason) : event.reason);
    for (const auto& row : event.targets)
        json["targets"].push_back({{"target", row.target.to_string()},
                                   {"priority", row.priority},
                                   {"weight", row.weight},
                                   {"host", bytes_json(row.host)},
                                   {"reason", bytes_json(row.reason)}});
    for (const auto& uri : event.diverted_by) json["diverted_by"].push_back(bytes_json(uri));
    return json;
}

Json output_json(const Output& output) {
    return std::visit(Overloaded{[](const out::OpenFlow& o) {
                                     return Json{{"out", "open_flow"},
                                                 {"flow", o.flow.value},
                                                 {"target", o.target.to_string()},
                                                 {"tls_name", o.tls_name},
                                                 {"spare_port", o.spare_port}};
                                 },
                                 [](const out::CloseFlow& o) {
                                     return Json{{"out", "close_flow"}, {"flow", o.flow.value}};
                                 },
                                 [](const out::Send& o) {
                                     return Json{{"out", "send"},
                                                 {"flow", o.flow.value},
                                                 {"bytes", message_json(o.bytes)}};
                                 },
                                 [](const out::Resolve& o) {
                                     return Json{{"out", "resolve"},
                                                 {"query", o.query.value},
                                                 {"name", bytes_json(o.question.name)},
                                                 {"type", name_of(o.question.type)},
                                                 {"system_resolver", o.question.system_resolver}};
                                 },
                                 [](const out::Store& o) {
                                     return Json{{"out", "store"},
                                                 {"key", bytes_json(o.key)},
                                                 {"value", bytes_json(o.value)}};
                                 },
                                 [](const out::Media& o) { return media_json(o); },
                                 [](const Event& event) { return event_json(event); }},
                      output);
}

// Every string was checked; what slipped through is replaced rather than thrown at.
std::string line_of(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string timed(Instant now, const Json& json) {
    Json line{{"t_us", now.time_since_epoch().count()}};
    line.update(json);
    return line_of(line);
}

}  // namespace

std::string recorded(const EngineOptions& options) {
    Json state = Json::array();  // keys may be any bytes
    for (const auto& [key, value] : options.state)
        state.push_back({{"key", bytes_json(key)}, {"value", bytes_json(value)}});
    const std::string seed{options.seed.begin(), options.seed.end()};
    return line_of({{"holdfast_recording", format_version},
                    {"seed", hex(seed)},
                    {"started_us", options.started.time_since_epoch().count()},
                    {"wall_clock", options.wall_clock},
                    {"user_agent", options.user_agent},
                    {"registers_per_second", options.registers_per_second},
                    {"leave_within_us", options.leave_within.count()},
                    {"state", std::move(state)}});
}

std::string recorded(Instant now, const Input& input) { return timed(now, input_json(input)); }
std::string recorded(Instant now, const Output& output) { return timed(now, output_json(output)); }

std::string StepRecorder::step(Instant now, const Input& input,
                               const std::vector<Output>& outputs) {
    const auto* const received = std::get_if<in::Received>(&input);
    const auto stream = received != nullptr ? streams_.find(received->flow) : streams_.end();
    auto lines =
        stream == streams_.end()
            ? recorded(now, input)
            : timed(now, received_json(received->flow, stream->second.feed(received->bytes)));
    lines += '\n';
    if (const auto* const failed = std::get_if<in::FlowFailed>(&input))
        streams_.erase(failed->flow);
    if (const auto* const closed = std::get_if<in::FlowClosed>(&input))
        streams_.erase(closed->flow);
    for (const auto& output : outputs) {
        lines.append(recorded(now, output)).append(1, '\n');
        if (const auto* const opened = std::get_if<out::OpenFlow>(&output);
            opened != nullptr && is_reliable(opened->target.transport))
            streams_.try_emplace(opened->flow);
        if (const auto* const closed = std::get_if<out::CloseFlow>(&output))
            streams_.erase(closed->flow);
    }
    return lines;
}

}  // namespace holdfast
