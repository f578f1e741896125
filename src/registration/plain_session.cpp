#include "registration/plain_session.h"

#include <algorithm>
#include <chrono>

#include "flow/contact_address.h"

namespace holdfast::registration {

namespace {

constexpr int most_rounds =
    3;  // of challenges in one request: pjsip's limit for nonces that are called stale

// Nonces are not kept per target here (against L9): one for a realm, sent to whatever server comes
// next. That server challenges again, which is how MicroSIP 3.22 learns its mapping before the 200.
const Target any_target{};

Credentials::Settings credential_settings(const AccountConfig& config, const std::string& user) {
    const auto minimum = config.policy.min_digest == "SHA-256" ? sip::DigestAlgorithm::sha256
                                                               : sip::DigestAlgorithm::md5;
    return {.user = config.auth_user.empty() ? user : config.auth_user,
            .password = config.password,
            .realms = config.realms,
            .minimum = minimum};
}

std::string loose_route(const std::string& proxy) {
    if (proxy.starts_with('<')) return proxy;
    return "<" + proxy + (proxy.find(";lr") == std::string::npos ? ";lr>" : ">");
}

}  // namespace

PlainIdentity::PlainIdentity(const AccountConfig& config)
    : aor(config.aor), display_name(config.display_name) {
    if (const auto uri = sip::OwnedUri::parse(config.aor); uri && uri->get().is_sip()) {
        valid = true;
        scheme = uri->get().scheme == sip::Scheme::sips ? "sips" : "sip";
        user = uri->get().user;
        domain = uri->get().host;
        next_hop = request_uri();
        if (uri->get().port != 0) next_hop += ":" + std::to_string(uri->get().port);
    }
    if (!config.registrar.empty()) next_hop = config.registrar;
    if (config.outbound_proxy.empty()) return;
    next_hop = config.outbound_proxy;
    routes.push_back(loose_route(config.outbound_proxy));
}

std::string PlainIdentity::contact_uri(const Endpoint& endpoint, Transport transport) const {
    auto uri = scheme + ":" + user + (user.empty() ? "" : "@") + endpoint.to_string();
    if (is_reliable(transport)) uri += ";transport=" + std::string(name_of(transport));
    return uri;
}

PlainSession::PlainSession(const AccountConfig& config, Random& random)
    : call_id_(random.token(128)),
      from_tag_(random.token(64)),
      credentials_(credential_settings(config, PlainIdentity(config).user)) {}

PlainSession::Written PlainSession::write(const PlainIdentity& identity, const Request& request,
                                          std::string_view user_agent, Random& random) {
    const auto request_uri = identity.request_uri();
    auto authorized = credentials_.authorize(any_target, "REGISTER", request_uri, random);
    sent_ = std::move(authorized.sent);
    Written written{.branch = std::string(sip::branch_cookie) + random.token(96),
                    .wire = {},
                    .call_id = call_id_,
                    .cseq = ++cseq_};
    const auto sent_by = flow::via_sent_by(request.local);
    written.wire = register_request({.request_uri = request_uri,
                                     .aor = identity.aor,
                                     .display_name = identity.display_name,
                                     .from_tag = from_tag_,
                                     .call_id = call_id_,
                                     .cseq = written.cseq,
                                     .branch = written.branch,
                                     .transport = request.transport,
                                     .sent_by = sent_by,
                                     .contacts = request.contacts,
                                     .expires = request.expires,
                                     .supported = {},
                                     .require = {},
                                     .user_agent = user_agent,
                                     .authorization = authorized.lines,
                                     .ask_keep = false,
                                     .routes = identity.routes});
    return written;
}

PlainSession::Answered PlainSession::on_challenge(const sip::Message& response) {
    const auto judgement = credentials_.on_challenge(any_target, response, sent_, true);
    switch (judgement.outcome) {
    case Credentials::Outcome::answer:
    case Credentials::Outcome::refused_cached:
        if (++rounds_ <= most_rounds) return {true, {}};
        return {false, "the server asks for credentials again and again"};
    case Credentials::Outcome::refused_fresh:
    case Credentials::Outcome::refused_repetition:  // what is repeated is not told to it
    case Credentials::Outcome::no_password:
    case Credentials::Outcome::unusable: return {false, judgement.words};
    }
    return {};
}

std::optional<Endpoint> seen_by_server(const sip::Message& response) {
    const auto& via = response.top_via();
    auto host = via.received.value_or(via.host);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    const auto address = IpAddress::parse(host);
    if (!address) return std::nullopt;
    constexpr std::uint16_t sip_port = 5060;
    return Endpoint{*address, via.rport.value_or(via.port != 0 ? via.port : sip_port)};
}

Duration granted(const sip::Message& response, std::string_view contact_uri, Duration asked) {
    if (const auto ours = sip::OwnedUri::parse(contact_uri)) {
        const auto contacts = response.contacts();
        const auto found = std::ranges::find_if(contacts, [&](const sip::Contact& contact) {
            return sip::equal(contact.uri, ours->get());
        });
        if (found != contacts.end() && found->expires) return std::chrono::seconds(*found->expires);
    }
    if (const auto header = response.expires()) return std::chrono::seconds(*header);
    return asked;
}

}  // namespace holdfast::registration
