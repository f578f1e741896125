// A story of the lab lived again with the n-th send, connect or DNS answer of its phones failing
// (tools/run-with-faults, base/test_host_fault.h): when the story has been told, the world heals,
// and the phones must have overcome the fault. In an ordinary run it does nothing.
//
// What is demanded then of every phone that is switched on: its calls end when both sides hang up;
// it is registered within I1's 35 s and reachable when its next keep-alive has had its answer, with
// no binding of its that leads nowhere, or has said why not; one that registers nowhere can call
// and be called (tests/direct_demands.h); and I4, I5, B1 and B2 hold over the whole story. A member
// behind the world, which must still be there: before any of its time has passed.
#pragma once

#include <algorithm>
#include <optional>
#include <ranges>
#include <set>
#include <string>
#include <vector>

#include "base/test_host_fault.h"
#include "lab/invariants.h"
#include "lab/location_service.h"
#include "lab/world.h"
#include "tests/direct_demands.h"

namespace holdfast::lab {

class FaultLife {
public:
    explicit FaultLife(World& world, const std::optional<HostFaultPlan>& plan = wanted_host_fault())
        : world_(world) {
        if (plan) world_.fail_nth(plan->kind(), plan->left());
    }
    FaultLife(const FaultLife&) = delete;
    FaultLife& operator=(const FaultLife&) = delete;
    ~FaultLife() {
        if (!world_.has_failed()) return;
        note_host_fault_has_come();
        world_.heal();
        hang_up_everything();
        for (const auto& phone : world_.phones())
            if (is_ours(*phone) && phone->options().direct_to.empty()) check_registration(*phone);
        check_direct_calls();
        for (const auto& phone : world_.phones())
            if (is_ours(*phone)) check_promises(*phone);
    }

private:
    // On, not shut down, with its account, and with our own policy: what other phones do is not our
    // promise.
    static bool is_ours(const Phone& phone) {
        return phone.is_running() && !phone.is_stopped() && !has_left(phone) &&
               phone.options().preset == "holdfast";
    }
    // Its account was removed (B4).
    static bool has_left(const Phone& phone) {
        if (!phone.options().direct_to.empty()) return phone.status().aor.empty();
        for (const auto& [at, event] : phone.events() | std::views::reverse) {
            if (event.account != Phone::account) continue;
            if (event.kind == EventKind::unregistered) return true;
            if (event.kind == EventKind::registered) return false;
        }
        return false;
    }
    static std::set<CallRef> calls_of(const Phone& phone) {
        std::set<CallRef> calls;
        for (const auto& [at, event] : phone.events())
            if (event.call) calls.insert(event.call);
        for (const auto& [at, event] : phone.events())
            if (event.kind == EventKind::call_ended) calls.erase(event.call);
        return calls;
    }
    // One after the other, as people do: the second hears of it, or hangs up by itself.
    void hang_up_everything() {
        for (const auto& phone : world_.phones()) {
            if (!phone->is_running() || phone->is_stopped() || !phone->options().takes_calls)
                continue;
            for (const auto call : calls_of(*phone))
                phone->give(in::HangUp{.account = Phone::account, .call = call});
            world_.run_for(Duration(40'000'000));  // 64·T1, and a round trip
        }
        for (const auto& phone : world_.phones())
            if (phone->is_running() && !phone->is_stopped() && !calls_of(*phone).empty())
                complain_of(*phone, "a call does not end although both have hung up");
    }
    void check_registration(Phone& phone) {
        using namespace std::chrono_literals;
        const auto is_well = [&] {
            return phone.is_registered() && world_.is_reachable(phone) && !has_left_one(phone);
        };
        if (world_.run_until([&] { return phone.is_registered(); }, 35s) != Stop::goal &&
            !has_said_why_not(phone))
            return complain_of(phone, "it is not registered, and does not say why");
        if (!is_served(phone)) return;
        // S1, F5: whoever waits says so, and tries again within half an hour.
        if (world_.run_until([&] { return phone.is_registered(); }, 31min) != Stop::goal &&
            !is_hopeless(phone))
            return complain_of(phone, "it is not registered half an hour after the world healed");
        // N4: where a Contact by hand leads to is in no lab.
        if (!phone.is_registered() || !phone.options().contact_address.empty()) return;
        // K1, K2: a mapping or a connection that is gone is found out by the next keep-alive.
        if (world_.run_until(is_well, 142s) == Stop::goal) return;
        if (has_left_one(phone)) return complain_of(phone, "it has left a binding behind");
        // That a story has taken the binding away is found out by the proof (R1, R3); where there
        // is none, by the refresh.
        if (!is_provable(phone) && world_.run_until(is_well, until_refresh(phone)) == Stop::goal)
            return;
        complain_of(phone, "it is registered and not reachable");
    }
    // R2: not where the servers answer an OPTIONS to the AOR themselves. What the phone says of it
    // is no proof: a fault may have made it say so.
    [[nodiscard]] bool is_provable(const Phone& phone) const {
        for (const auto& cluster : world_.clusters())
            if (phone.aor().ends_with("@" + cluster->domain()))
                for (const auto& node : cluster->nodes())
                    if (node->options().options_to_aor == OptionsToAor::answer) return false;
        return true;
    }
    [[nodiscard]] Duration until_refresh(const Phone& phone) const {
        using namespace std::chrono_literals;
        Duration rest = 0s;
        for (const auto& binding : phone.status().bindings)
            if (binding.registered && binding.refresh_at < world_.now() + 1h)
                rest = std::max(rest, binding.refresh_at + 5s - world_.now());
        return rest;
    }
    // Somebody is there whom it could register with.
    bool is_served(const Phone& phone) const {
        return !phone.options().registrar.empty() || !phone.options().outbound_proxy.empty() ||
               std::ranges::any_of(world_.clusters(), [&](const auto& cluster) {
                   return phone.aor().ends_with("@" + cluster->domain());
               });
    }
    void check_direct_calls() {
        std::vector<Phone*> ours;  // without the strangers that come along
        for (const auto& phone : world_.phones())
            if (is_ours(*phone)) ours.push_back(phone.get());
        for (auto* const phone : ours) {
            if (calls_directly(*phone))
                if (const auto what = complaint_of_calling(world_, *phone); !what.empty())
                    complain_of(*phone, what);
            if (takes_direct_calls(*phone))
                if (const auto what = complaint_of_being_called(world_, *phone); !what.empty())
                    complain_of(*phone, what);
        }
    }
    // A stale binding with the token of ours (B2). What a story put beside it is another device's.
    bool has_left_one(const Phone& phone) const {
        return std::ranges::any_of(world_.stale_bindings(phone), [](const Binding& binding) {
            return binding.contact.contains(";hf=");
        });
    }
    static bool has_said_why_not(const Phone& phone) {
        for (const auto& [at, event] : phone.events() | std::views::reverse) switch (event.kind) {
            case EventKind::waiting:
            case EventKind::refused:
            case EventKind::auth_failed: return true;
            case EventKind::resolved:
                if (event.targets.empty()) return true;
                break;
            case EventKind::registered:
            case EventKind::moved: return false;
            default: break;
            }
        return false;
    }
    // F5: another password is needed. That a 403 means so is known of the answer to a nonce just
    // received alone; the steps of N3 may have used it up, and then the 403 is told as the refusal
    // that it is, and tried again ever more slowly.
    [[nodiscard]] bool is_hopeless(const Phone& phone) const {
        const auto user = phone.aor().substr(4, phone.aor().find('@') - 4);
        const auto& name = phone.options().auth_user.empty() ? user : phone.options().auth_user;
        bool is_wrong = false;
        bool is_forbidden = false;
        for (const auto& cluster : world_.clusters()) {
            if (!phone.aor().ends_with("@" + cluster->domain())) continue;
            is_wrong = is_wrong || !cluster->takes(name, phone.options().password);
            for (const auto& node : cluster->nodes())
                is_forbidden = is_forbidden || node->options().digest.wrong_is_forbidden;
        }
        if (!is_wrong) return false;
        if (phone.status().state == "wrong password") return true;
        for (const auto& [at, event] : phone.events() | std::views::reverse)
            if (event.kind == EventKind::refused || event.kind == EventKind::registered)
                return is_forbidden && event.kind == EventKind::refused && event.status == 403;
        return false;
    }
    void check_promises(const Phone& phone) {
        for (const auto& complaints :
             {check_cseq_rises(phone), check_rates(phone), check_flows_differ(phone)})
            for (const auto& complaint : complaints) complain_of(phone, complaint);
        for (const auto& cluster : world_.clusters())
            for (const auto& complaint : check_no_star(*cluster)) complain_of(phone, complaint);
    }
    void complain_of(const Phone& phone, const std::string& what) const {
        complain(phone.name() + ": " + what + "\n" + phone.event_log() + world_.ladder());
    }

    World& world_;
};

}  // namespace holdfast::lab
