#include "lab/proxy.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "lab/forwarding.h"
#include "lab/registrar.h"
#include "sip/response.h"
#include "sip/writer.h"

namespace holdfast::lab {

using namespace std::chrono_literals;

namespace {

// A CANCEL or ACK belongs to the INVITE with the same top Via (RFC 3261 §9.1, §17.1.1.3).
std::string transaction_key(const sip::Message& request) {
    const auto& via = request.top_via();
    const bool of_invite =
        request.method() == sip::Method::cancel || request.method() == sip::Method::ack;
    return std::string(of_invite ? "INVITE" : request.method_text()) + " " +
           std::string(via.branch) + " " + std::string(via.host) + ":" + std::to_string(via.port);
}

constexpr Duration t1 = 500ms;
constexpr Duration t2 = 4s;

}  // namespace

void Proxy::forget_all() {
    forks_.clear();
    branches_.clear();
}

Proxy::Fork* Proxy::fork_of(const std::string& branch) {
    const auto key = branches_.find(branch);
    if (key == branches_.end()) return nullptr;
    const auto fork = forks_.find(key->second);
    return fork == forks_.end() ? nullptr : &fork->second;
}

void Proxy::on_request(const sip::Message& request, const Hop& from) {
    if (request.method() == sip::Method::cancel) return on_cancel(request, from);
    if (request.method() == sip::Method::ack) return pass_ack(request, from);
    const auto key = transaction_key(request);
    if (const auto known = forks_.find(key); known != forks_.end()) {
        if (!known->second.last_response.empty())
            registrar_.send(from, known->second.last_response);
        return;
    }
    auto& fork = forks_[key];
    fork.request = request.clone();
    fork.upstream = from;
    registrar_.internet().after(registrar_.options().branch_timeout + 8s, [this, key] {
        if (const auto old = forks_.find(key); old != forks_.end()) {
            for (const auto& [id, branch] : old->second.branches) branches_.erase(id);
            forks_.erase(old);
        }
    });
    if (request.max_forwards() == 0U) return respond(fork, 483);
    if (request.method() == sip::Method::invite) respond(fork, 100);
    if (const int status = registrar_.options().refuses_dialogs;
        status != 0 && is_of_another_node(request))
        return respond(fork, status);
    if (!request.routes().empty()) {
        const auto next = onward(request, from);
        if (!next) return respond(fork, 404);
        start(fork, std::string(request.request_uri().text), next->route, next->hop);
    } else {
        // RFC 5627 §5.4: a GRUU is for its instance alone.
        const auto instance = request.request_uri().parameters.find("gr");
        for (const auto& binding :
             registrar_.location_service().bindings(request.request_uri().text))
            if (!instance || binding.instance == *instance) fork_to(fork, binding);
    }
    for (const auto& [id, branch] : fork.branches) branches_[id] = key;
    for (const auto& [id, branch] : std::map(fork.branches)) {
        registrar_.send(branch.hop, branch.text);
        again(id, t1);
        registrar_.internet().after(registrar_.options().branch_timeout,
                                    [this, id = id] { time_out(id); });
    }
    if (fork.branches.empty()) respond(fork, 480);
}

bool Proxy::is_of_another_node(const sip::Message& request) const {
    if (request.routes().empty() || request.to().tag().empty()) return false;
    const auto address = request.routes().front().uri.host_address();
    return address && !registrar_.has(*address) && registrar_.is_peer(*address);
}

void Proxy::fork_to(Fork& fork, const Binding& binding) {
    const auto way = registrar_.way_to(binding);
    if (!way) return;  // its connection is gone: nobody there (RFC 5626 §5.3: 430)
    const auto& owner = binding.flow.local.address;
    if (registrar_.has(owner)) return start(fork, binding.contact, {}, *way);
    for (const auto& own : registrar_.addresses()) {
        if (own.family() != owner.family()) continue;
        if (registrar_.options().route_via_owner) {
            const auto host = Endpoint{owner, default_port(Transport::udp)};
            start(fork, binding.contact,
                  "<sip:" + way_token(*way) + "@" + host.to_string() + ";lr>",
                  {Transport::udp, {own, default_port(Transport::udp)}, host});
        } else if (way->transport == Transport::udp) {
            start(fork, binding.contact, {},
                  {Transport::udp, {own, default_port(Transport::udp)}, way->remote});
        }
        return;
    }
}

void Proxy::start(Fork& fork, const std::string& target, const std::string& route, const Hop& hop) {
    const auto id = std::string(sip::branch_cookie) + "-" + registrar_.name() + "-" +
                    std::to_string(++next_branch_);
    Branch branch{.hop = hop, .target = target, .route = route, .text = {}, .response = {}};
    branch.text = forwarded_request(
        fork.request, {.target = target,
                       .route = route,
                       .record_routes = own_record_routes(fork.request, fork.upstream, hop),
                       .sent_by = hop.local.to_string(),
                       .branch = id,
                       .transport = hop.transport,
                       .source = fork.upstream.remote});
    fork.branches[id] = std::move(branch);
}

// RFC 3261 §16.4: our own Routes are taken off; one with a way in its user part says where to.
std::optional<Proxy::Onward> Proxy::onward(const sip::Message& request, const Hop& from) const {
    auto routes = request.routes();
    while (!routes.empty()) {
        const auto& uri = routes.front().uri;
        const auto address = uri.host_address();
        if (!address || !registrar_.takes_for_own(*address)) break;
        routes = routes.subspan(1);
        if (uri.user.empty()) continue;
        const auto hop = way_of_token(uri.user, from.local);
        if (!hop) return std::nullopt;
        return Onward{*hop, {}};
    }
    std::string left;
    for (const auto& route : routes) left.append(left.empty() ? "" : ", ").append(route.text);
    const auto hop = hop_to(routes.empty() ? request.request_uri() : routes.front().uri, from);
    if (!hop) return std::nullopt;
    return Onward{*hop, left};
}

// RFC 5626 §5.3: a Contact that is registered is reached the way it registered; else its address.
std::optional<Hop> Proxy::hop_to(const sip::Uri& uri, const Hop& from) const {
    const auto instance = uri.parameters.find("gr");
    for (const auto& aor : registrar_.location_service().aors())
        for (const auto& binding : registrar_.location_service().bindings(aor)) {
            const auto contact = sip::OwnedUri::parse(binding.contact);
            const bool is_it = instance ? binding.instance == *instance
                                        : contact && sip::equal(contact->get(), uri);
            if (!is_it || !registrar_.has(binding.flow.local.address)) continue;
            if (auto way = registrar_.way_to(binding)) return way;
        }
    const auto address = uri.host_address();
    if (!address) return std::nullopt;
    const auto transport =
        parse_transport(uri.transport().value_or("udp")).value_or(Transport::udp);
    if (is_reliable(transport)) return std::nullopt;  // nobody listens there
    for (const auto& own : registrar_.addresses())
        if (own.family() == address->family())
            return Hop{transport,
                       {own, default_port(transport)},
                       {*address, uri.port != 0 ? uri.port : default_port(transport)}};
    return from.remote.address == *address ? std::optional(from) : std::nullopt;
}

// RFC 3261 §16.6: the ACK of a 2xx is a request of its own, without a transaction; that of a
// refusal was for us.
void Proxy::pass_ack(const sip::Message& ack, const Hop& from) {
    if (forks_.contains(transaction_key(ack)) || ack.routes().empty()) return;
    const auto next = onward(ack, from);
    if (!next) return;
    const auto branch = std::string(sip::branch_cookie) + "-" + registrar_.name() + "-ack-" +
                        std::to_string(++next_branch_);
    registrar_.send(next->hop, forwarded_request(ack, {.target = ack.request_uri().text,
                                                       .route = next->route,
                                                       .sent_by = next->hop.local.to_string(),
                                                       .branch = branch,
                                                       .transport = next->hop.transport,
                                                       .source = from.remote}));
}

// RFC 3261 §16.6, step 4; RFC 5658 §3: two of them where the transport changes.
std::vector<std::string> Proxy::own_record_routes(const sip::Message& request, const Hop& in,
                                                  const Hop& out) const {
    if (!registrar_.options().record_route || request.method() != sip::Method::invite ||
        !request.to().tag().empty())
        return {};
    const auto route = [](const Hop& hop) {
        std::string text = "<sip:" + hop.local.to_string();
        if (hop.transport != Transport::udp)
            text.append(";transport=").append(name_of(hop.transport));
        return text + ";lr>";
    };
    std::vector<std::string> routes{route(out)};
    if (route(in) != routes.front()) routes.push_back(route(in));
    return routes;
}

// RFC 3261 §17.1: INVITE until anything comes, others until a final answer.
void Proxy::again(const std::string& id, Duration interval) {
    registrar_.internet().after(interval, [this, id, interval] {
        auto* fork = fork_of(id);
        if (fork == nullptr) return;
        const auto& branch = fork->branches.at(id);
        const bool invite = fork->request.method() == sip::Method::invite;
        if (branch.final_status != 0 || is_reliable(branch.hop.transport) ||
            (invite && branch.provisional))
            return;
        registrar_.send(branch.hop, branch.text);
        again(id, invite ? 2 * interval : std::min(2 * interval, t2));
    });
}

void Proxy::time_out(const std::string& id) {
    auto* fork = fork_of(id);
    if (fork == nullptr) return;
    auto& branch = fork->branches.at(id);
    if (branch.final_status != 0) return;
    if (branch.provisional) cancel(id, branch);
    branch.final_status = 408;
    finish_if_all_final(*fork);
}

void Proxy::on_response(const sip::Message& response) {
    const std::string id(response.top_via().branch);
    auto* fork = fork_of(id);
    if (fork == nullptr || response.method() == sip::Method::cancel) return;
    auto& branch = fork->branches.at(id);
    if (response.status() < 200) {
        branch.provisional = true;
        if (branch.cancelled) send_cancel(id, 3);
        if (response.status() > 100 && !fork->answered)
            upstream(*fork, forwarded_response(response));
        return;
    }
    if (response.status() >= 300 && fork->request.method() == sip::Method::invite)
        acknowledge(*fork, id, response);
    if (branch.final_status != 0) {
        // RFC 3261 §16.7, step 5: every 2xx of an INVITE, copies too, goes upstream.
        if (response.status() < 300 && fork->request.method() == sip::Method::invite)
            registrar_.send(fork->upstream, forwarded_response(response));
        return;
    }
    on_final(*fork, id, response.status(), forwarded_response(response));
}

void Proxy::on_final(Fork& fork, const std::string& id, int status, const std::string& text) {
    auto& branch = fork.branches.at(id);
    branch.final_status = status;
    branch.response = text;
    if (status < 300 && fork.answered && fork.request.method() == sip::Method::invite)
        return registrar_.send(fork.upstream, text);
    if (status < 300 && !fork.answered) {
        fork.answered = true;
        upstream(fork, text);
        for (auto& [other, rest] : fork.branches)
            if (rest.final_status == 0 && fork.request.method() == sip::Method::invite)
                cancel(other, rest);
        return;
    }
    finish_if_all_final(fork);
}

// RFC 3261 §16.7, step 6: the lowest class wins.
void Proxy::finish_if_all_final(Fork& fork) {
    if (fork.answered) return;
    const Branch* best = nullptr;
    for (const auto& [id, branch] : fork.branches) {
        if (branch.final_status == 0) return;
        if (best == nullptr || branch.final_status < best->final_status) best = &branch;
    }
    fork.answered = true;
    if (best == nullptr || best->response.empty()) {
        respond(fork, best == nullptr ? 480 : best->final_status);
    } else {
        upstream(fork, best->response);
    }
}

void Proxy::on_cancel(const sip::Message& request, const Hop& from) {
    const auto known = forks_.find(transaction_key(request));
    std::string text;
    sip::write_response(text, request,
                        {.status = known == forks_.end() ? 481 : 200, .source = from.remote});
    registrar_.send(from, text);
    if (known == forks_.end()) return;
    for (auto& [id, branch] : known->second.branches)
        if (branch.final_status == 0) cancel(id, branch);
}

// RFC 3261 §9.1: not before a provisional answer.
void Proxy::cancel(const std::string& id, Branch& branch) {
    if (branch.cancelled) return;
    branch.cancelled = true;
    if (branch.provisional) send_cancel(id, 3);
}

void Proxy::send_cancel(const std::string& id, int times) {
    const auto* fork = fork_of(id);
    if (fork == nullptr || times == 0) return;
    const auto& branch = fork->branches.at(id);
    if (branch.final_status != 0 && branch.final_status != 408) return;
    std::string to(fork->request.to().text);
    registrar_.send(branch.hop, in_branch(*fork, id, branch, "CANCEL", to));
    registrar_.internet().after(t1, [this, id, times] { send_cancel(id, times - 1); });
}

void Proxy::acknowledge(const Fork& fork, const std::string& id, const sip::Message& response) {
    const auto& branch = fork.branches.at(id);
    registrar_.send(branch.hop, in_branch(fork, id, branch, "ACK", response.to().text));
}

// CANCEL and the ACK of a failure: the INVITE's own Via, Request-URI and Route.
std::string Proxy::in_branch(const Fork& fork, const std::string& id, const Branch& branch,
                             std::string_view method, std::string_view to) const {
    std::string text;
    sip::Writer writer(text);
    writer.request_line(method, branch.target);
    writer.via({.transport = via_name_of(branch.hop.transport),
                .sent_by = branch.hop.local.to_string(),
                .branch = id,
                .rport = true});
    if (!branch.route.empty()) writer.header(sip::HeaderName::route, branch.route);
    writer.max_forwards(70);
    writer.header(sip::HeaderName::from, fork.request.from().text);
    writer.header(sip::HeaderName::to, to);
    writer.call_id(fork.request.call_id());
    writer.cseq(fork.request.cseq().number, method);
    writer.finish();
    return text;
}

void Proxy::upstream(Fork& fork, std::string response) {
    registrar_.send(fork.upstream, response);
    fork.last_response = std::move(response);
}

void Proxy::respond(Fork& fork, int status) {
    std::string text;
    sip::write_response(text, fork.request,
                        {.status = status, .to_tag = "proxy", .source = fork.upstream.remote});
    if (status >= 200) fork.answered = true;
    upstream(fork, std::move(text));
}

}  // namespace holdfast::lab
