#include "lab/invariants.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <utility>

namespace holdfast::lab {

using namespace std::chrono_literals;

namespace {

std::string at_text(Instant at) { return std::to_string(seconds_of(at - Internet::start)) + " s"; }

// n: how many targets the phone knew at most in that time, by what it told about its answers.
std::size_t targets_known(const Phone& phone, Instant from, Instant to) {
    std::size_t most = 1;
    std::size_t before = 1;
    for (const auto& [at, event] : phone.events()) {
        if (at > to) break;
        if (event.kind != EventKind::resolved || event.targets.empty()) continue;
        if (at < from)
            before = event.targets.size();
        else
            most = std::max(most, event.targets.size());
    }
    return std::max(most, before);
}

// The first window of that length with too many requests in it, and where it ends. A process that
// was killed does not know what it sent before: each run counts for itself.
void check_window(Complaints& complaints, const Phone& phone, std::string_view what,
                  Duration window, const std::function<std::size_t(std::size_t)>& limit_of,
                  const std::function<bool(const SentRequest&)>& counts) {
    std::vector<const SentRequest*> counted;
    for (const auto& request : phone.sent())
        if (counts(request)) counted.push_back(&request);
    for (std::size_t i = limit_of(1); i < counted.size(); ++i) {
        const auto& last = *counted[i];
        const auto limit = limit_of(targets_known(phone, last.at - window, last.at));
        if (i < limit) continue;
        const auto& first = *counted[i - limit];
        if (last.at - first.at >= window || last.run != first.run) continue;
        complaints.push_back("I5: " + phone.name() + " sent more than " + std::to_string(limit) +
                             " " + std::string(what) + " in " + std::to_string(seconds_of(window)) +
                             " s, at " + at_text(last.at));
        return;
    }
}

bool is_register(const SentRequest& request) { return request.method == "REGISTER"; }

// B4: the refreshes that were due, by what the phone said of them, with the answers to their
// challenges: however short the registrar's grants are, they are no storm.
std::set<const SentRequest*> due_refreshes(const Phone& phone) {
    std::set<std::pair<Instant, Target>> due;
    std::set<std::pair<Instant, Target>> others;
    for (const auto& [at, event] : phone.events())
        if (event.kind == EventKind::attempt && event.target)
            (event.reason == "refresh" ? due : others).emplace(at, *event.target);
    std::set<const SentRequest*> found;
    const SentRequest* last = nullptr;  // of a refresh, or of the answers to its challenges
    for (const auto& request : phone.sent()) {
        if (!is_register(request)) continue;
        const std::pair place{request.at, request.target};
        const bool begins = due.contains(place) && !others.contains(place);
        const bool goes_on = last != nullptr && !others.contains(place) &&
                             request.target == last->target && request.call_id == last->call_id &&
                             request.cseq == last->cseq + 1 && request.at < last->at + 4s;
        last = begins || goes_on ? &request : nullptr;
        if (last != nullptr) found.insert(last);
    }
    return found;
}

}  // namespace

Complaints check_cseq_rises(const Phone& phone) {
    Complaints complaints;
    std::map<std::string, std::uint32_t> last;
    for (const auto& request : phone.sent()) {
        if (!is_register(request)) continue;
        auto& highest = last[request.call_id];
        if (request.cseq <= highest)
            complaints.push_back("I4: " + phone.name() + " sent CSeq " +
                                 std::to_string(request.cseq) + " after " +
                                 std::to_string(highest) + " at " + at_text(request.at));
        highest = std::max(highest, request.cseq);
    }
    return complaints;
}

Complaints check_rates(const Phone& phone) {
    Complaints complaints;
    check_window(
        complaints, phone, "REGISTERs", 10s, [](std::size_t n) { return 2 * n + 8; }, is_register);
    check_window(
        complaints, phone, "REGISTERs that were not due", 10min,
        [](std::size_t n) { return 6 * n + 60; },
        [due = due_refreshes(phone)](const SentRequest& request) {
            return is_register(request) && !due.contains(&request);
        });
    check_window(
        complaints, phone, "requests", 10min, [](std::size_t n) { return 6 * n + 400; },
        [](const SentRequest&) { return true; });
    std::map<Target, bool> all;
    for (const auto& request : phone.sent()) all[request.target] = true;
    for (const auto& [target, seen] : all)
        check_window(
            complaints, phone, "REGISTERs to " + target.to_string(), 10s,
            [](std::size_t) { return 10; },
            [&](const SentRequest& request) {
                return is_register(request) && request.target == target;
            });
    return complaints;
}

void OutstandingWatch::complain(Instant now, const std::string& what) {
    constexpr std::size_t enough = 3;
    if (complaints_.size() < enough)
        complaints_.push_back("I4: " + name_ + " has " + what + " at " + at_text(now));
}

void OutstandingWatch::look(Instant now, const AccountStatus& status) {
    constexpr Duration least_patience = 200ms;  // K2: of a suspicion, whose 2 s were spent before
    const auto& all = status.outstanding;
    for (std::size_t i = 0; i < all.size(); ++i) {
        std::size_t of_reg_id = all[i].settles ? 0 : 1;
        for (std::size_t k = 0; k < i; ++k) {
            if (all[k].flow == all[i].flow)
                complain(now,
                         "two REGISTERs outstanding on one flow to " + all[i].target.to_string());
            if (all[i].settles || all[k].settles || all[k].reg_id != all[i].reg_id) continue;
            ++of_reg_id;
            const auto older = std::min(all[k].sent, all[i].sent);
            const auto younger = std::max(all[k].sent, all[i].sent);
            if (younger - older < least_patience)
                complain(now, "two REGISTERs of reg-id " + std::to_string(all[i].reg_id) +
                                  " outstanding, sent within the patience");
        }
        if (of_reg_id > 2)
            complain(now, std::to_string(of_reg_id) + " REGISTERs of reg-id " +
                              std::to_string(all[i].reg_id) + " outstanding");
    }
}

Complaints check_flows_differ(const Phone& phone) {
    std::map<IpAddress, int> flows;
    for (const auto& binding : phone.status().bindings)
        if (binding.registered && binding.target) ++flows[binding.target->endpoint.address];
    for (const auto& [address, count] : flows)
        if (count > 1)
            return {"B1: " + phone.name() + " has several flows to " + address.to_string()};
    return {};
}

Complaints check_no_star(const Cluster& cluster) {
    Complaints complaints;
    for (const auto& node : cluster.nodes())
        if (node->counters().star_contacts > 0)
            complaints.push_back("B2: Contact: * was sent to " + node->name());
    return complaints;
}

OtherDevice::OtherDevice(Cluster& cluster, const std::string& aor, Instant expires)
    : cluster_(cluster), aor_(aor) {
    const auto key = aor_key(aor);
    binding_.contact = "sip:" + key.substr(0, key.find('@')) + "@192.0.2.250:5060";
    binding_.call_id = "somebody-else";
    binding_.cseq = 1;
    binding_.expires = expires;
    const auto owner = cluster.node(0).addresses().front();
    binding_.flow = {Transport::udp, {owner, 5060}, {IpAddress::v4(192, 0, 2, 250), 5060}};
    for (const auto& node : cluster.nodes()) {
        auto all = node->location_service().bindings(aor);
        if (std::ranges::find(all, binding_) != all.end()) continue;
        all.push_back(binding_);
        node->location_service().put(key, std::move(all));
    }
}

Complaints OtherDevice::check() const {
    Complaints complaints;
    for (const auto& node : cluster_.nodes()) {
        const auto all = node->location_service().bindings(aor_);
        if (std::ranges::find(all, binding_) == all.end())
            complaints.push_back("I6: the other device's binding at " + node->name() +
                                 " is gone or changed");
    }
    return complaints;
}

}  // namespace holdfast::lab
