#include "dialog/dialog.h"

#include <ranges>

#include "base/check.h"

namespace holdfast::dialog {

namespace {

std::string tag_in(std::string_view value) {
    const auto parsed = sip::OwnedNameAddr::parse(value);
    return parsed ? std::string((*parsed)->tag()) : std::string{};
}

// RFC 3261 §12.1.2: the caller has them in reverse.
std::vector<std::string> reversed_routes(const sip::Message& response) {
    std::vector<std::string> routes;
    for (const auto& route : std::views::reverse(response.record_routes()))
        routes.emplace_back(route.text);
    return routes;
}

}  // namespace

Dialog Dialog::of_caller(const Request& invite, const sip::Message& response) {
    CHECK(!response.is_request() && response.status() > 100 && response.status() < 300);
    Dialog dialog;
    dialog.state_ = response.status() < 200 ? State::early : State::confirmed;
    dialog.call_id_ = invite.call_id;
    dialog.local_tag_ = tag_in(invite.from);
    dialog.remote_tag_ = response.to().tag();
    dialog.local_ = invite.from;
    dialog.remote_ = response.to().text;
    dialog.remote_target_ = invite.request_uri;
    dialog.route_set_ = reversed_routes(response);
    dialog.local_cseq_ = invite.cseq;
    dialog.secure_ = invite.request_uri.starts_with("sips:");
    dialog.refresh_target(response);
    return dialog;
}

std::optional<Dialog> Dialog::of_callee(const sip::Message& invite, std::string_view local_tag) {
    if (invite.contacts().size() != 1 || !invite.contacts().front().uri.is_sip())
        return std::nullopt;  // RFC 3261 §8.1.1.8: exactly one, sip or sips
    Dialog dialog;
    dialog.call_id_ = invite.call_id();
    dialog.local_tag_ = local_tag;
    dialog.remote_tag_ = invite.from().tag();
    dialog.local_ = std::string(invite.to().text).append(";tag=").append(local_tag);
    dialog.remote_ = invite.from().text;
    for (const auto& route : invite.record_routes()) dialog.route_set_.emplace_back(route.text);
    dialog.remote_cseq_ = invite.cseq().number;
    dialog.secure_ = invite.request_uri().scheme == sip::Scheme::sips;
    dialog.refresh_target(invite);
    return dialog;
}

void Dialog::confirm(const sip::Message& response) {
    if (state_ == State::early) {
        route_set_ = reversed_routes(response);
        remote_ = response.to().text;
        state_ = State::confirmed;
    }
    refresh_target(response);
}

void Dialog::address(Request& request) const {
    request.from = local_;
    request.to = remote_;
    request.call_id = call_id_;
    request.request_uri = remote_target_;
    request.next_hop = remote_target_;
    if (route_set_.empty()) return;
    const auto first = sip::OwnedNameAddr::parse(route_set_.front());
    if (!first) return;  // it was parsed before; a message never brings one that is not
    request.routes = route_set_;
    request.next_hop = (*first)->uri.text;
    if ((*first)->uri.lr()) return;
    // A strict router (RFC 2543): it stands in the request line, and the target at the end.
    request.request_uri = as_request_uri((*first)->uri);
    request.routes.erase(request.routes.begin());
    request.routes.push_back("<" + remote_target_ + ">");
}

Request Dialog::request(sip::Method method) {
    CHECK(method != sip::Method::ack && method != sip::Method::cancel);
    Request request{.method = method, .request_uri = {}, .from = {}, .to = {}, .call_id = {}};
    address(request);
    request.cseq = ++local_cseq_;
    return request;
}

Request Dialog::ack(std::uint32_t invite_cseq) const {
    Request request{
        .method = sip::Method::ack, .request_uri = {}, .from = {}, .to = {}, .call_id = {}};
    address(request);
    request.cseq = invite_cseq;
    return request;
}

Order Dialog::admit(const sip::Message& request) {
    const auto number = request.cseq().number;
    // The transaction layer has taken out copies: an equal number is another request's.
    if (remote_cseq_ && number <= *remote_cseq_) return Order::out_of_order;
    remote_cseq_ = number;
    return Order::fine;
}

void Dialog::refresh_target(const sip::Message& message) {
    if (message.contacts().size() != 1 || !message.contacts().front().uri.is_sip()) return;
    remote_target_ = as_request_uri(message.contacts().front().uri);
}

bool Dialog::has(std::string_view local_tag, std::string_view remote_tag) const {
    // RFC 3261 §19.3: tags are tokens, and tokens are compared without case (§7.3.1); servers that
    // change the case of one are not known, those that compare exactly are.
    return local_tag_ == local_tag && remote_tag_ == remote_tag;
}

}  // namespace holdfast::dialog
