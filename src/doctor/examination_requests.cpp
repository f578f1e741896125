// What the examination sends.
#include <algorithm>
#include <utility>

#include "base/text.h"
#include "doctor/examination.h"
#include "doctor/limits.h"
#include "flow/contact_address.h"
#include "flow/options_ping.h"
#include "registration/register_request.h"
#include "registration/targets.h"
#include "sip/via.h"

namespace holdfast::doctor {

namespace {

constexpr std::size_t small_size = 1400;
constexpr std::size_t large_size = 3000;
constexpr std::size_t pad_line = 200;  // octets: no server takes offence at the length of a line

// The text with lines of a header that nobody knows, so that it is that long.
std::string padded(std::string text, std::size_t size) {
    constexpr std::string_view name = "X-Padding: ";
    const auto place = text.find("\r\nContent-Length:");
    if (place == std::string::npos) return text;
    std::string lines;
    const auto least = name.size() + 3;  // one octet of value, and the line's end
    while (text.size() + lines.size() + least <= size) {
        const auto left = size - text.size() - lines.size();
        auto line = std::min(left, pad_line);
        if (left - line < least && left > line) line = left - least > least ? left - least : left;
        append(lines, {"\r\n", name, std::string(line - name.size() - 2, 'x')});
    }
    return text.insert(place, lines);
}

Duration patience_of(bool forks) { return forks ? limits::fork_patience : limits::answer_patience; }

}  // namespace

// The domain that a backup may have of its own (F8).
std::string Examination::domain_uri(std::size_t server) const {
    const auto place = seen_.servers[server].place;
    const auto& backups = options_.account.backups;
    if (place > 0 && place <= backups.size() && !backups[place - 1].domain.empty())
        return scheme_ + backups[place - 1].domain;
    return scheme_ + registration::domain_of_aor(options_.account.aor);
}

std::string Examination::aor_at(std::size_t server) const {
    const auto domain = domain_uri(server).substr(scheme_.size());
    return joined({scheme_, user_, user_.empty() ? "" : "@", domain});
}

// N4, B1: as the phone's own, with a token of this examination.
std::string Examination::contact_uri(std::size_t index) const {
    const auto& server = seen_.servers[index];
    const auto address = flow::contact_address({.by_hand = options_.account.contact_address,
                                                .mapping = lines_[index].mapping.usable(),
                                                .answered = true,
                                                .local = server.local.value_or(Endpoint{})});
    const auto transport = server.candidate.target.transport;
    const bool named =
        scheme_ == "sips:" ? transport == Transport::tcp : transport != Transport::udp;
    return joined({scheme_, user_, user_.empty() ? "" : "@", address.host_port,
                   named ? ";transport=" : "", named ? name_of(transport) : "", ";hf=", token_});
}

std::string Examination::ping_text(const Errand& errand, std::string_view branch) const {
    const auto& server = seen_.servers[errand.server];
    const auto domain = domain_uri(errand.server);
    return flow::options_request({.domain_uri = domain,
                                  .aor = aor_,
                                  .from_tag = from_tag_,
                                  .call_id = errand.call_id,
                                  .branch = branch,
                                  .cseq = errand.cseq,
                                  .transport = server.candidate.target.transport,
                                  .local = server.local.value_or(Endpoint{}),
                                  .user_agent = options_.user_agent});
}

std::string Examination::register_text(Errand& errand, std::string_view branch) {
    const auto& server = seen_.servers[errand.server];
    const auto& target = server.candidate.target;
    const auto request_uri = domain_uri(errand.server);
    const auto aor = aor_at(errand.server);
    std::vector<registration::ContactField> contacts;
    if (errand.expires) {
        std::string parameters;
        if (with_outbound_) parameters = joined({";+sip.instance=\"<", instance_, ">\";reg-id=1"});
        contacts.push_back({.uri = seen_.account.trial.contact_sent,
                            .expires = errand.expires,
                            .parameters = std::move(parameters)});
    }
    auto authorized = credentials_.authorize(target, "REGISTER", request_uri, random_);
    errand.sent = std::move(authorized.sent);
    errand.authorized = !authorized.lines.empty();
    return registration::register_request(
        {.request_uri = request_uri,
         .aor = aor,
         .display_name = {},
         .from_tag = from_tag_,
         .call_id = errand.call_id,
         .cseq = errand.cseq,
         .branch = branch,
         .transport = target.transport,
         .sent_by = server.via_sent,
         .contacts = std::move(contacts),
         .expires = errand.expires == 0U ? std::optional<std::uint32_t>{0} : std::nullopt,
         .supported = with_outbound_ ? "gruu, outbound, path" : "gruu, path",
         .require = {},
         .user_agent = options_.user_agent,
         .authorization = authorized.lines});
}

// R1: to the AOR, as a caller would.
std::string Examination::options_text(Errand& errand, std::string_view branch) {
    const auto& server = seen_.servers[errand.server];
    const auto& target = server.candidate.target;
    const auto aor = aor_at(errand.server);
    auto authorized = credentials_.authorize(target, "OPTIONS", aor, random_);
    errand.sent = std::move(authorized.sent);
    errand.authorized = !authorized.lines.empty();
    return registration::options_request({.request_uri = aor,
                                          .aor = aor,
                                          .to = aor,
                                          .from_tag = from_tag_,
                                          .call_id = errand.call_id,
                                          .cseq = errand.cseq,
                                          .branch = branch,
                                          .transport = target.transport,
                                          .sent_by = server.via_sent,
                                          .contact = contact_uri(errand.server),
                                          .routes = lines_[errand.server].routes,
                                          .user_agent = options_.user_agent,
                                          .authorization = authorized.lines});
}

std::string Examination::wire_of(Errand& errand, std::string_view branch) {
    switch (errand.kind) {
    case Kind::ping: return ping_text(errand, branch);
    case Kind::small_size: return padded(ping_text(errand, branch), small_size);
    case Kind::large_size: return padded(ping_text(errand, branch), large_size);
    case Kind::fetch:
    case Kind::look:
    case Kind::brief:
    case Kind::bind:
    case Kind::stretch:
    case Kind::remove: return register_text(errand, branch);
    case Kind::ask_others:
    case Kind::prove: return options_text(errand, branch);
    }
    return {};
}

void Examination::send(Errand errand) {
    const bool registers =
        errand.kind == Kind::fetch || errand.kind == Kind::look || errand.expires.has_value();
    if (errand.expires) {  // of the trial: one Call-ID, and numbers that rise (I4)
        auto& trial = seen_.account.trial;
        if (trial.contact_sent.empty()) trial.contact_sent = contact_uri(errand.server);
        errand.call_id = trial_call_id_;
        errand.cseq = ++trial_cseq_;
        may_be_bound_ = may_be_bound_ || *errand.expires > 0;
    } else {
        if (errand.call_id.empty()) errand.call_id = random_.token(128);
        ++errand.cseq;
    }
    if (errand.kind == Kind::prove && errand.rounds == 0)
        seen_.account.proofs.push_back({.server = errand.server});
    const auto branch = joined({sip::branch_cookie, random_.token(96)});
    auto wire = wire_of(errand, branch);
    const bool forks = errand.kind == Kind::ask_others;
    const auto ticket = post_.send({.flow = FlowId{static_cast<std::uint32_t>(errand.server + 1)},
                                    .target = seen_.servers[errand.server].candidate.target,
                                    .method = registers ? "REGISTER" : "OPTIONS",
                                    .branch = branch,
                                    .call_id = errand.call_id,
                                    .cseq = errand.cseq,
                                    .wire = std::move(wire),
                                    .patience = patience_of(forks)});
    errands_.emplace(ticket, std::move(errand));
}

}  // namespace holdfast::doctor
