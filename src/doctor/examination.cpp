#include "doctor/examination.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "doctor/account_findings.h"
#include "doctor/dns_findings.h"
#include "doctor/limits.h"
#include "doctor/nat_findings.h"
#include "doctor/path_findings.h"
#include "doctor/reach_findings.h"
#include "doctor/server_findings.h"
#include "engine/persistence.h"
#include "registration/targets.h"
#include "sip/digest.h"
#include "sip/uri.h"

namespace holdfast::doctor {

namespace {

constexpr FlowId first_stranger{1000};
constexpr std::uint32_t an_hour = 3600;  // should the removal fail, no longer

template <class... F>
struct Overloaded : F... {
    using F::operator()...;
};

// The AOR without port and parameters, as the registration has it.
std::string bare(std::string_view aor) {
    const auto uri = sip::OwnedUri::parse(aor);
    if (!uri) return std::string(aor);
    return joined({uri->get().scheme_text, ":", uri->get().user, uri->get().has_user ? "@" : "",
                   lower_case(uri->get().host)});
}

std::string user_of(std::string_view aor) {
    const auto uri = sip::OwnedUri::parse(aor);
    return uri ? std::string(uri->get().user) : std::string{};
}

registration::Credentials::Settings settings_of(const registration::AccountConfig& account) {
    return {.user = account.auth_user.empty() ? user_of(account.aor) : account.auth_user,
            .password = account.password,
            .realms = account.realms,
            .minimum = sip::digest_algorithm_of(account.policy.min_digest)
                           .value_or(sip::DigestAlgorithm::md5)};
}

// Whose order it is (L2): this host's phone's.
std::string ranking_instance(const ExaminationOptions& options) {
    engine::Persistence there(options.state, options.started, options.unixtime);
    Random random(options.seed);
    Outbox nowhere;
    return "urn:uuid:" + there.instance_id(random, nowhere);
}

// What this host's phone has or had in the location service.
std::vector<registration::BindingIdentity> identities(const ExaminationOptions& options) {
    const engine::Persistence there(options.state, options.started, options.unixtime);
    const auto state = there.account_state(options.account.aor);
    std::vector<registration::BindingIdentity> found;
    for (const int reg_id : {1, 2}) {
        const auto stored = state.find("binding-" + std::to_string(reg_id));
        if (stored == state.end()) continue;
        if (auto identity = registration::BindingIdentity::decode(stored->second, reg_id))
            found.push_back(*std::move(identity));
    }
    return found;
}

}  // namespace

Findings judge(const Seen& seen, std::int64_t unixtime) {
    Findings all;
    for (auto of_step : {dns_findings(seen), server_findings(seen, unixtime), nat_findings(seen),
                         registration_findings(seen), binding_findings(seen), reach_findings(seen),
                         path_findings(seen), clock_findings(seen)})
        all.insert(all.end(), std::make_move_iterator(of_step.begin()),
                   std::make_move_iterator(of_step.end()));
    return all;
}

Examination::Examination(ExaminationOptions options)
    : options_(std::move(options)),
      random_(options_.seed),
      credentials_(settings_of(options_.account)),
      aor_(bare(options_.account.aor)),
      scheme_(options_.account.aor.starts_with("sips:") ? "sips:" : "sip:"),
      user_(user_of(options_.account.aor)),
      from_tag_(random_.token(64)),
      instance_("urn:uuid:" + random_.uuid()),
      token_(random_.token(96)),
      known_(identities(options_)),
      inquiry_(options_.account, location::RankKey{ranking_instance(options_), aor_}),
      trial_call_id_(random_.token(128)),
      last_stranger_(first_stranger) {
    seen_.aor = aor_;
    seen_.phone = options_.phone;
}

std::int64_t Examination::unixtime(Instant now) const {
    return options_.unixtime +
           std::chrono::floor<std::chrono::seconds>(now - options_.started).count();
}

void Examination::handle(Instant now, const Input& input, Outbox& outbox) {
    if (stage_ == Stage::done) return;
    std::visit(
        Overloaded{[&](const in::NetworkChanged& network) {
                       if (stage_ == Stage::waiting) start(now, network, outbox);
                   },
                   [&](const in::DnsAnswer& answer) { inquiry_.on_answer(now, answer, outbox); },
                   [&](const in::FlowOpened& opened) { on(now, opened, outbox); },
                   [&](const in::FlowFailed& failed) {
                       on_trouble(failed.flow, failed.error, failed.detail);
                   },
                   [&](const in::FlowClosed& closed) {
                       on_trouble(closed.flow, closed.error, closed.detail);
                   },
                   [&](const in::Received& received) {
                       on_bytes(now, received.flow, received.bytes, outbox);
                   },
                   [&](const in::Stray& stray) { on_stray(now, stray, outbox); },
                   [&](const in::ShutDown&) {
                       interrupted_ = true;
                       cut_short(now, outbox);
                   },
                   [](const auto&) {}},
        input);
    if (stage_ == Stage::done) return;
    if (now >= options_.started + limits::whole && stage_ != Stage::removing) {
        timed_out_ = true;
        cut_short(now, outbox);
    }
    inquiry_.on_time(now, outbox);
    meet(now, outbox);
    advance(now, outbox);
    // A reply may lead to the next request; the number of these has a limit.
    while (stage_ != Stage::done) {
        post_.on_time(now, outbox);
        const auto replies = post_.take_replies();
        if (replies.empty()) return;
        for (const auto& reply : replies) on_reply(reply);
        advance(now, outbox);
    }
}

Deadline Examination::next_deadline() const {
    if (stage_ == Stage::done || stage_ == Stage::waiting) return {};
    auto deadline = sooner(post_.next_deadline(), inquiry_.next_deadline());
    deadline = sooner(deadline, {wake_at_, "look again"});
    deadline = sooner(deadline, {opened_next_, "the next flow"});
    if (stage_ == Stage::meeting)
        for (const auto& line : lines_)
            if (!line.open && !line.given_up && line.asked_at != Instant{})
                deadline =
                    sooner(deadline, {line.asked_at + limits::connect_patience, "no connection"});
    if (stage_ != Stage::removing)
        deadline = sooner(deadline, {options_.started + limits::whole, "the whole"});
    return deadline;
}

void Examination::start(Instant now, const in::NetworkChanged& network, Outbox& outbox) {
    const auto has = [&](Family family) {
        return network.addresses.empty() ||
               std::ranges::any_of(network.addresses,
                                   [&](const IpAddress& a) { return a.family() == family; });
    };
    seen_.has_ipv4 = has(Family::ipv4);
    seen_.has_ipv6 = has(Family::ipv6);
    stage_ = Stage::asking_dns;
    inquiry_.start(now, seen_.has_ipv4, seen_.has_ipv6, outbox);
}

bool Examination::is_idle() const { return errands_.empty() && wake_at_ == never; }

// From one stage to the next, as long as there is nothing to wait for.
void Examination::advance(Instant now, Outbox& outbox) {
    if (now >= wake_at_) wake_at_ = never;
    while (stage_ != Stage::done && is_idle()) {
        switch (stage_) {
        case Stage::waiting: return;
        case Stage::asking_dns:
            if (!inquiry_.done()) return;
            enter(Stage::meeting, now, outbox);
            break;
        case Stage::meeting:
            if (to_open_ < lines_.size() ||
                std::ranges::any_of(lines_, [](const Line& l) { return !l.open && !l.given_up; }))
                return;
            enter(Stage::sizing, now, outbox);
            break;
        case Stage::sizing: enter(Stage::knocking, now, outbox); break;
        case Stage::knocking:
            if (seen_.account.access == Access::not_tried && next_worker_ < workers_.size()) {
                knock();
                break;
            }
            enter(seen_.account.access == Access::accepted ? Stage::fetching : Stage::done, now,
                  outbox);
            break;
        case Stage::fetching: enter(Stage::pinging, now, outbox); break;
        case Stage::pinging: enter(Stage::trying, now, outbox); break;
        case Stage::trying:
            enter(seen_.account.trial.what == TrialSeen::What::made ? Stage::looking
                                                                    : Stage::removing,
                  now, outbox);
            break;
        case Stage::looking: enter(Stage::looking_again, now, outbox); break;
        case Stage::looking_again:
            if (std::exchange(looks_again_, false)) {
                look();
                break;
            }
            enter(Stage::proving, now, outbox);
            break;
        case Stage::proving: enter(Stage::stretching, now, outbox); break;
        case Stage::stretching: enter(Stage::removing, now, outbox); break;
        case Stage::removing:
            if (may_be_bound_ && removals_ < limits::removals) {
                ++removals_;
                send({.kind = Kind::remove, .server = seen_.account.trial.server, .expires = 0});
                break;
            }
            enter(Stage::done, now, outbox);
            break;
        case Stage::done: return;
        }
    }
}

void Examination::enter(Stage stage, Instant now, Outbox& outbox) {
    stage_ = stage;
    const auto& account = seen_.account;
    switch (stage) {
    case Stage::waiting:
    case Stage::asking_dns:
    case Stage::removing: return;
    case Stage::meeting:
        seen_.hops = inquiry_.hops();
        seen_.servers = inquiry_.servers();
        if (seen_.servers.size() > limits::servers) {
            seen_.servers_left_out = seen_.servers.size() - limits::servers;
            seen_.servers.resize(limits::servers);
        }
        lines_.resize(seen_.servers.size());
        opened_next_ = now;
        return meet(now, outbox);
    case Stage::sizing: return measure_sizes();
    case Stage::knocking: return choose_workers();
    case Stage::fetching:
        for (const auto worker : workers_)
            if (!account.lists_nothing &&
                std::ranges::find(account.fetches, worker, &FetchSeen::server) ==
                    account.fetches.end())
                send({.kind = Kind::fetch, .server = worker});
        return;
    case Stage::pinging:
        if (most_bindings(account) == 0) return;
        for (const auto& fetch : account.fetches)
            if (fetch.status / 100 == 2) send({.kind = Kind::ask_others, .server = fetch.server});
        return;
    case Stage::trying: return begin_trial();
    case Stage::looking:
        for (const auto& fetch : account.fetches)
            if (fetch.status / 100 == 2 && fetch.server != account.trial.server)
                send({.kind = Kind::look, .server = fetch.server});
        return;
    case Stage::looking_again:  // a location service may copy with a delay
        looks_again_ = !account.trial.not_listed_at.empty();
        if (looks_again_) wake_at_ = now + limits::second_look;
        return;
    case Stage::proving:
        for (const auto& fetch : account.fetches)
            if (fetch.status / 100 == 2) send({.kind = Kind::prove, .server = fetch.server});
        return;
    case Stage::stretching:
        return send({.kind = Kind::stretch, .server = account.trial.server, .expires = an_hour});
    case Stage::done: return finish(outbox);
    }
}

// One flow after the other; who does not connect in time is given up.
void Examination::meet(Instant now, Outbox& outbox) {
    if (stage_ != Stage::meeting) return;
    for (std::size_t i = 0; i < to_open_; ++i) {
        auto& line = lines_[i];
        if (line.open || line.given_up || now < line.asked_at + limits::connect_patience) continue;
        line.given_up = true;
        seen_.servers[i].reach = Reach::silent;
        outbox.push(out::CloseFlow{FlowId{static_cast<std::uint32_t>(i + 1)}});
    }
    if (now < opened_next_) return;
    opened_next_ = never;
    if (to_open_ == lines_.size()) return;
    const auto index = to_open_++;
    auto& server = seen_.servers[index];
    lines_[index].asked_at = now;
    outbox.push(out::OpenFlow{.flow = FlowId{static_cast<std::uint32_t>(index + 1)},
                              .target = server.candidate.target,
                              .tls_name = seen_.hops[server.place].hop.host});
    if (to_open_ < lines_.size()) opened_next_ = now + limits::between_requests;
}

void Examination::measure_sizes() {
    for (std::size_t i = 0; i < seen_.servers.size(); ++i) {
        const auto& server = seen_.servers[i];
        if (server.candidate.target.transport != Transport::udp || server.reach != Reach::answered)
            continue;
        send({.kind = Kind::small_size, .server = i});
        send({.kind = Kind::large_size, .server = i});
    }
}

// The best target of each address that takes bytes; one that answers before one that is silent, for
// a firewall may stop nothing but OPTIONS.
void Examination::choose_workers() {
    for (const bool answered : {true, false})
        for (std::size_t i = 0; i < seen_.servers.size(); ++i) {
            const auto& server = seen_.servers[i];
            const auto fits = answered ? server.reach == Reach::answered
                                       : server.reach == Reach::silent && lines_[i].open;
            const bool known = std::ranges::any_of(workers_, [&](std::size_t other) {
                return seen_.servers[other].candidate.target.endpoint.address ==
                       server.candidate.target.endpoint.address;
            });
            if (fits && !known && workers_.size() < limits::addresses) workers_.push_back(i);
        }
    if (workers_.empty() && !seen_.servers.empty()) seen_.account.access = Access::unanswered;
}

void Examination::knock() { send({.kind = Kind::fetch, .server = workers_[next_worker_++]}); }

// "" : a binding of ours evicts nobody's.
std::string Examination::why_no_trial() const {
    const auto& account = seen_.account;
    std::size_t all = 0;
    for (const auto& fetch : account.fetches) {
        const auto name = seen_.servers[fetch.server].candidate.target.to_string();
        if (fetch.status == 0) continue;
        if (fetch.status / 100 != 2)
            return name +
                   " does not list its bindings, so that nobody knows whom another one would "
                   "evict";
        all += fetch.bindings.size();
    }
    if (all == 0 && seen_.phone && seen_.phone->registered)
        return "the phone that runs here is registered, but not listed";
    if (all > 0 && most_bindings(account) < 2)
        return "a device is registered, and nothing shows that the registrar keeps more than one";
    return {};
}

void Examination::begin_trial() {
    auto& trial = seen_.account.trial;
    trial.words = why_no_trial();
    if (!trial.words.empty()) return;
    trial.server = *seen_.account.decided_by;
    send({.kind = Kind::brief, .server = trial.server, .expires = 1});
}

void Examination::look() {
    for (const auto index : std::exchange(seen_.account.trial.not_listed_at, {}))
        send({.kind = Kind::look, .server = index});
}

void Examination::finish(Outbox& outbox) {
    auto& account = seen_.account;
    if (may_be_bound_ && account.trial.not_removed.empty())
        account.trial.not_removed = "no answer to its removal";
    if (seen_.hops.empty()) seen_.hops = inquiry_.hops();
    outbox.push(Event{.kind = EventKind::stopped});
}

// What is out is nobody's any more; but our own binding goes.
void Examination::cut_short(Instant now, Outbox& outbox) {
    if (stage_ == Stage::removing) return;
    errands_.clear();
    post_.forget_all();
    wake_at_ = never;
    opened_next_ = never;
    if (stage_ == Stage::waiting || !may_be_bound_) return enter(Stage::done, now, outbox);
    stage_ = Stage::removing;
}

}  // namespace holdfast::doctor
