// A story of the lab lived again with the n-th send, connect or DNS answer of its phones failing
// (tools/run-with-faults, base/test_host_fault.h): when the story has been told, the world heals,
// and the phones must have overcome the fault. In an ordinary run it does nothing.
//
// What is demanded then of every phone that is switched on: its calls end when both sides hang up;
// it is registered within I1's 35 s and reachable when its next keep-alive has had its answer, with
// no binding of its that leads nowhere, or has said why not; and I4, I5, B1 and B2 hold over the
// whole story. A story's last member: the world must still be there.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <ranges>
#include <set>
#include <string>

#include "base/test_host_fault.h"
#include "lab/invariants.h"
#include "lab/location_service.h"
#include "lab/world.h"

namespace holdfast::lab {

class FaultLife {
public:
    explicit FaultLife(World& world) : world_(world), plan_(wanted_host_fault()) {
        if (!plan_ || plan_->kind() == HostFault::none || world_.phones().empty()) return;
        // The phones take turns: the 1st is the first one's 1st, the 2nd the second one's 1st, …
        const auto& phones = world_.phones();
        const auto turn = plan_->left() - 1;
        failing_ = phones[turn % phones.size()].get();
        failing_->fail_nth(plan_->kind(), turn / phones.size() + 1);
    }
    FaultLife(const FaultLife&) = delete;
    FaultLife& operator=(const FaultLife&) = delete;
    ~FaultLife() {
        if (!plan_ || (failing_ != nullptr && !failing_->has_failed())) return;
        note_host_fault_has_come();
        world_.heal();
        hang_up_everything();
        for (const auto& phone : world_.phones())
            if (is_ours(*phone)) check_registration(*phone);
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
        for (const auto& [at, event] : phone.events() | std::views::reverse) {
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
        // S1, F5: whoever waits says so, and tries again within half an hour.
        if (world_.run_until([&] { return phone.is_registered(); }, 31min) != Stop::goal &&
            !is_hopeless(phone))
            return complain_of(phone, "it is not registered half an hour after the world healed");
        // K1, K2: a mapping or a connection that is gone is found out by the next keep-alive.
        if (phone.is_registered() && world_.run_until(is_well, 142s) != Stop::goal)
            complain_of(phone, world_.is_reachable(phone) ? "it has left a binding behind"
                                                          : "it is registered and not reachable");
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
    // F5: another password is needed, or another account.
    static bool is_hopeless(const Phone& phone) {
        const auto state = phone.status().state;
        return state == "wrong password" || state.starts_with("given up");
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
    std::optional<HostFaultPlan> plan_;
    Phone* failing_ = nullptr;
};

}  // namespace holdfast::lab
