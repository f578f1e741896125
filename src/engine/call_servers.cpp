#include "engine/call_servers.h"

#include <utility>
#include <vector>

#include "engine/flow_desk.h"
#include "sip/response.h"

namespace holdfast::engine {

using call::ServerId;
using sip::Method;
using transaction::InviteServer;
using transaction::NonInviteServer;

namespace {

std::string merge_key(const sip::Message& request) {
    if (!request.to().tag().empty()) return {};
    return std::string(request.from().tag())
        .append("\n")
        .append(request.call_id())
        .append("\n")
        .append(std::to_string(request.cseq().number))
        .append(" ")
        .append(request.method_text());
}

}  // namespace

bool CallServers::is_merged(const sip::Message& request) const {
    const auto merge = merge_key(request);
    return !merge.empty() && by_merge_.contains(merge);
}

ServerId CallServers::cancelled_by(const sip::Message& cancel, const Endpoint& source,
                                   FlowId arrived) const {
    const auto found = by_key_.find(transaction::server_key_of_cancelled(cancel));
    if (found == by_key_.end()) return {};
    // Hop by hop (§9.1): a branch that somebody has seen elsewhere ends no call.
    const Entry& entry = entries_.at(found->second);
    const bool same_way =
        source.address == entry.source.address || arrived == flow_of(found->second);
    return same_way ? found->second : ServerId{};
}

ServerId CallServers::begin(const Step& step, CallRef call, const sip::Message& request,
                            const Endpoint& source, FlowId flow) {
    const auto* const way = step.flows.find(flow);
    const bool reliable = way != nullptr && is_reliable(way->target.transport);
    const ServerId id{++last_};
    Entry entry{.key = transaction::server_key_of(request),
                .merge = merge_key(request),
                .call = call,
                .request = request.clone(),
                .source = source,
                .machine = NonInviteServer({flow, reliable, {}}, {})};
    if (request.method() == Method::invite)
        entry.machine =
            InviteServer(step.now, {flow, reliable, text_of(entry, {.status = 100})}, {});
    step.flows.touch(step.now, flow);
    by_call_.add(call);
    if (!call) refused_.add(flow);
    by_key_.emplace(entry.key, id);
    // The first copy keeps its place: it is the one the others are merged into.
    if (!entry.merge.empty()) by_merge_.emplace(entry.merge, id);
    entries_.emplace(id, std::move(entry));
    settle(id);
    return id;
}

void CallServers::again(const Step& step, const sip::Message& request) {
    const auto found = by_key_.find(transaction::server_key_of(request));
    if (found == by_key_.end()) return;
    std::visit([&](auto& machine) { machine.on_request(step.outbox); },
               entries_.at(found->second).machine);
    settle(found->second);
}

bool CallServers::on_ack(const Step& step, const sip::Message& ack) {
    const auto found = by_key_.find(transaction::server_key_of(ack));
    if (found == by_key_.end()) return true;
    const ServerId id = found->second;
    Entry& entry = entries_.at(id);
    auto* const invite = std::get_if<InviteServer>(&entry.machine);
    if (invite == nullptr || !transaction::ack_fits(ack, entry.to_tag)) return false;
    const auto result = invite->on_ack(step.now);
    settle(id);
    return result == transaction::ServerResult::ack_for_success;
}

void CallServers::respond(const Step& step, ServerId server, const CallResponse& response) {
    const auto found = entries_.find(server);
    if (found == entries_.end()) return;
    Entry& entry = found->second;
    entry.to_tag = response.to_tag;
    auto text = text_of(entry, response);
    step.flows.touch(step.now, flow_of(server));
    std::visit(
        [&](auto& machine) {
            machine.respond(step.now, response.status, std::move(text), step.outbox);
        },
        entry.machine);
    settle(server);
}

std::string CallServers::text_of(const Entry& entry, const CallResponse& response) const {
    std::string headers;
    if (!response.contact.empty())
        headers.append("Contact: <").append(response.contact).append(">\r\n");
    headers += response.headers;
    if (!user_agent_.empty()) headers.append("Server: ").append(user_agent_).append("\r\n");
    std::string out;
    sip::write_response(out, entry.request,
                        {.status = response.status,
                         .reason = response.reason,
                         .to_tag = response.to_tag,
                         .extra_headers = headers,
                         .body = response.body,
                         .content_type = response.body.empty() ? "" : "application/sdp",
                         .source = entry.source,
                         // RFC 3261 §12.1.1: what makes a dialog.
                         .copy_record_route = entry.request.method() == Method::invite &&
                                              response.status > 100 && response.status < 300});
    return out;
}

CallRef CallServers::call_of(ServerId server) const {
    const auto found = entries_.find(server);
    return found == entries_.end() ? CallRef{} : found->second.call;
}

FlowId CallServers::flow_of(ServerId server) const {
    const auto found = entries_.find(server);
    if (found == entries_.end()) return {};
    return std::visit([](const auto& machine) { return machine.flow(); }, found->second.machine);
}

const sip::Message* CallServers::request_of(ServerId server) const {
    const auto found = entries_.find(server);
    return found == entries_.end() ? nullptr : &found->second.request;
}

void CallServers::on_flow_ended(FlowId flow) {
    std::vector<ServerId> over;
    for (const auto& [id, entry] : entries_)
        if (flow_of(id) == flow) over.push_back(id);
    for (const ServerId id : over) erase(id);
}

void CallServers::on_time(const Step& step) {
    for (const ServerId id : agenda_.take_due(step.now)) {
        auto& machine = entries_.at(id).machine;
        if (auto* const invite = std::get_if<InviteServer>(&machine)) {
            invite->on_time(step.now, step.outbox);
        } else {
            std::get<NonInviteServer>(machine).on_time(step.now);
        }
        settle(id);
    }
}

void CallServers::settle(ServerId id) {
    const auto& machine = entries_.at(id).machine;
    if (std::visit([](const auto& it) { return it.is_done(); }, machine)) return erase(id);
    agenda_.put(id, std::visit([](const auto& it) { return it.next_deadline(); }, machine));
}

void CallServers::erase(ServerId id) {
    const Entry& entry = entries_.at(id);
    agenda_.remove(id);
    by_call_.remove(entry.call);
    if (!entry.call) refused_.remove(flow_of(id));
    by_key_.erase(entry.key);
    if (const auto merged = by_merge_.find(entry.merge);
        merged != by_merge_.end() && merged->second == id)
        by_merge_.erase(merged);
    entries_.erase(id);
}

}  // namespace holdfast::engine
