// What is demanded, when a story with a fault has been told and the world has healed
// (tests/fault_life.h), of phones without a registration: who calls addresses can call again, and
// who takes calls from anybody can be called. Whom nobody could reach says why not.
//
// Each returns what is wrong, "": nothing. To be asked when no call is left, one after the other.
#pragma once

#include <chrono>
#include <cstddef>
#include <ranges>
#include <string>

#include "lab/world.h"
#include "registration/policy.h"

namespace holdfast::lab {

// No story uses it.
constexpr CallRef call_after_the_fault{900};

inline bool waits_for_calls(const Phone& phone) { return phone.options().direct_to == "*"; }
inline bool calls_directly(const Phone& phone) {
    return !phone.options().direct_to.empty() && !waits_for_calls(phone);
}
// Over UDP, from wherever they come.
inline bool takes_direct_calls(const Phone& phone) {
    auto policy = registration::preset(phone.options().preset);
    if (!policy || !phone.is_running() || phone.is_stopped() || phone.behind() != nullptr ||
        !phone.options().takes_calls || !phone.udp_endpoint(Family::ipv4))
        return false;
    if (phone.options().tune) phone.options().tune(*policy);
    return policy->accept_direct_calls;
}
inline std::string address_uri_of(const Phone& phone) {
    const auto& aor = phone.aor();
    return aor.substr(0, aor.find('@') + 1) + phone.udp_endpoint(Family::ipv4)->to_string();
}

// Who must ring when the URI is called: nobody where the story has no such phone, or one that does
// not hear strangers.
inline Phone* who_rings_at(const World& world, const std::string& uri) {
    for (const auto& phone : world.phones()) {
        const bool by_address =
            takes_direct_calls(*phone) &&
            (uri == address_uri_of(*phone) ||
             uri == "sip:" + phone->udp_endpoint(Family::ipv4)->to_string());  // RFC 3261 §8.2.2.1
        const bool by_name = uri == phone->aor() && phone->options().takes_calls &&
                             phone->is_registered() && world.is_reachable(*phone);
        if (by_address || by_name) return phone.get();
    }
    return nullptr;
}

// The last thing it said of its way, connected or not_connected, after so many other events.
inline const Event* last_word_of_its_way(const Phone& phone, std::size_t after = 0) {
    for (const auto& [at, event] : phone.events() | std::views::drop(after) | std::views::reverse)
        if (event.account == Phone::account &&
            (event.kind == EventKind::connected || event.kind == EventKind::not_connected))
            return &event;
    return nullptr;
}
inline bool has_a_way(const Phone& phone) { return !phone.status().bindings.empty(); }

inline const Event* end_of(const Phone& phone, CallRef call) {
    for (const auto& [at, event] : phone.events())
        if (event.kind == EventKind::call_ended && event.call == call) return &event;
    return nullptr;
}

// The call rings, is answered, and ends at both ends when the caller hangs up: its own at once, for
// who hangs up has done with it. Or it ends by itself, with a reason, if nobody is there.
inline std::string complaint_of_a_call(World& world, Phone& from, const std::string& uri) {
    using namespace std::chrono_literals;
    auto* const callee = who_rings_at(world, uri);
    const auto is_told = [&](Phone& phone, EventKind kind, std::size_t before, Duration limit) {
        return world.run_until([&] { return phone.count(kind) > before; }, limit) == Stop::goal;
    };
    const auto rings = callee == nullptr ? 0 : callee->count(EventKind::ring);
    const auto ends = callee == nullptr ? 0 : callee->count(EventKind::call_ended);
    const auto answers = from.count(EventKind::answered);
    from.give(in::Dial{.account = Phone::account,
                       .call = call_after_the_fault,
                       .uri = uri,
                       .streams = from.audio(),
                       .options = {}});
    if (callee == nullptr) {  // 32 s (64·T1), after 1 s for each of at most 33 others (F3)
        world.run_until([&] { return end_of(from, call_after_the_fault) != nullptr; }, 66s);
        const auto* const end = end_of(from, call_after_the_fault);
        if (end == nullptr) return "its call to " + uri + " does not end, and nobody is there";
        return end->reason.empty() ? "its call to " + uri + " ends without a reason" : "";
    }
    if (!is_told(*callee, EventKind::ring, rings, 35s))
        return "its call to " + uri + " does not ring although the world has healed";
    CallRef rung;
    for (const auto& [at, event] : callee->events())
        if (event.kind == EventKind::ring) rung = event.call;
    callee->give(in::Answer{rung, callee->audio(50'000)});
    if (!is_told(from, EventKind::answered, answers, 5s))
        return "its call to " + uri + " is answered, and it does not hear of it";
    world.run_for(1s);  // the ACK
    from.give(in::HangUp{.account = Phone::account, .call = call_after_the_fault});
    if (!is_told(*callee, EventKind::call_ended, ends, 5s))
        return "it hangs up, and " + callee->name() + " does not hear of it";
    const auto has_ended = [&] { return end_of(from, call_after_the_fault) != nullptr; };
    if (world.run_until(has_ended, 0s) != Stop::goal)
        return "it hangs up, and its own call does not end";
    return "";
}

// Of one with an AccountDetails::direct_to that it calls.
inline std::string complaint_of_calling(World& world, Phone& phone) {
    using namespace std::chrono_literals;
    // What it is about is over by then: 10 s for DNS, or 1 + 2 + 4 + 8 + 16 s for a connection.
    const auto is_over = [&] {
        const auto* const word = last_word_of_its_way(phone);
        return has_a_way(phone) || (word != nullptr && word->kind == EventKind::not_connected);
    };
    if (world.run_until(is_over, 45s) != Stop::goal)
        return "it can call nobody, and does not say why: " + phone.status().state;
    const auto& to = phone.options().direct_to;
    if (!has_a_way(phone)) {
        const auto asked = phone.events().size();
        phone.give(in::RegisterNow{Phone::account});
        const auto says = [&] { return last_word_of_its_way(phone, asked) != nullptr; };
        if (world.run_until(says, 45s) != Stop::goal)
            return "it was asked to look again, and says nothing: " + phone.status().state;
        if (!has_a_way(phone))
            return who_rings_at(world, to) == nullptr
                       ? ""
                       : "it finds no way although the world has healed: " + phone.status().state;
    }
    return complaint_of_a_call(world, phone, to);
}

// Of one that takes_direct_calls: a stranger calls it.
inline std::string complaint_of_being_called(World& world, Phone& phone) {
    using namespace std::chrono_literals;
    const auto uri = address_uri_of(phone);
    if (waits_for_calls(phone)) {
        const auto* const word = last_word_of_its_way(phone);
        if (word == nullptr || word->contact != uri)
            return "it has not said that it can be called at " + uri;
    }
    auto& stranger = world.add_phone({.aor = "sip:stranger@0.0.0.0",
                                      .direct_to = uri,
                                      .takes_calls = true,
                                      .name = "stranger of " + phone.name()});
    if (world.run_until([&] { return has_a_way(stranger); }, 1s) != Stop::goal)
        return "nobody can call it: " + stranger.status().state;
    return complaint_of_a_call(world, stranger, uri);
}

}  // namespace holdfast::lab
