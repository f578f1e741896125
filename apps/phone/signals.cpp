#include "apps/phone/signals.h"

#include <algorithm>
#include <utility>

#include "runtime/clock.h"

namespace holdfast::phone {

namespace {

using media::Signal;
using AllCalls = std::map<CallRef, Call>;

bool any_call(const AllCalls& calls, const auto& fits) {
    return std::ranges::any_of(calls, [&](const auto& one) { return fits(one.first, one.second); });
}

bool calls_here(const Call& call) {
    return call.incoming && call.stage == Stage::ringing && !call.no_sound;
}
bool rings_there(const Call& call) { return !call.incoming && call.stage == Stage::ringing; }

// Answered, or being so, or ours and on its way: who calls meanwhile only knocks.
bool is_a_call_already(const Call& call, const CallFacts& facts) {
    if (call.stage == Stage::ending || facts.is_left) return false;
    return call.stage == Stage::talking || !call.incoming || facts.is_taken;
}

}  // namespace

// RFC 3960 §3.2: no ring-back before a provisional answer says that it rings, and none while sound
// comes from there: that is the network's own tone, or its announcement. What only was agreed on
// (a 183 with SDP) is no sound yet.
Signal signal_for(const AllCalls& calls, const FactsOf& facts_of) {
    const bool somebody_calls = any_call(calls, [&](CallRef ref, const Call& call) {
        const auto facts = facts_of(ref);
        return calls_here(call) && !facts.is_left && !facts.is_taken;
    });
    if (somebody_calls) {
        const bool in_a_call = any_call(calls, [&](CallRef ref, const Call& call) {
            return is_a_call_already(call, facts_of(ref));
        });
        return in_a_call ? Signal::waiting : Signal::ring;
    }
    const bool somebody_is_heard = any_call(calls, [&](CallRef ref, const Call& call) {
        const auto facts = facts_of(ref);
        return !facts.is_left && ((call.stage == Stage::talking && !facts.is_held) ||
                                  (rings_there(call) && call.is_heard));
    });
    const bool we_wait = any_call(calls, [&](CallRef ref, const Call& call) {
        return rings_there(call) && !facts_of(ref).is_left;
    });
    return we_wait && !somebody_is_heard ? Signal::ring_back : Signal::none;
}

// RFC 3261 §21.4.24, §21.6.1, §21.6.2: 486, 600 and 603 are a line's or a person's no. A 2xx is the
// end of a call that was handed on, a 487 of one that was taken back (§21.4.25).
Signal signal_of_end(int status) {
    if (status == 486 || status == 600 || status == 603) return Signal::busy;
    if (status == 487 || (status >= 200 && status < 300)) return Signal::none;
    return Signal::congestion;
}

Signals::Signals(runtime::Loop& loop, media::Engine& media, SignalSettings settings, FactsOf facts)
    : media_(media),
      settings_(std::move(settings)),
      facts_(std::move(facts)),
      end_is_over_(loop, [this] {
          if (playing_ == std::exchange(end_, Signal::none)) play(Signal::none);
      }) {}

void Signals::update(const AllCalls& calls) {
    if (is_over_) return;
    const auto wanted = signal_for(calls, facts_);
    // Who has dialled again, or talks, hears no more of the call before.
    const bool goes_on = any_call(calls, [&](CallRef ref, const Call& call) {
        const auto facts = facts_(ref);
        return is_a_call_already(call, facts) && !facts.is_held;
    });
    if (wanted != Signal::none || goes_on) {
        end_ = Signal::none;
        end_is_over_.stop();
    }
    play(wanted != Signal::none ? wanted : end_);
}

void Signals::came_to_nothing(const AllCalls& calls, int status) {
    end_ = signal_of_end(status);
    if (end_ != Signal::none) end_is_over_.arm(runtime::boot_time() + settings_.end_tone);
    update(calls);
}

void Signals::silence() {
    is_over_ = true;
    end_is_over_.stop();
    play(Signal::none);
}

// Where nobody would hear it the media are not asked: they might have to be loaded for that.
void Signals::play(Signal signal) {
    const bool is_bell = signal == Signal::ring;
    const auto& sink = is_bell ? settings_.bell : settings_.ear;
    if (sink.kind == media::EndKind::null) signal = Signal::none;
    if (std::exchange(playing_, signal) == signal) return;
    media_.submit(signal == Signal::none
                      ? media::in::Play{}
                      : media::in::Play{.signal = signal,
                                        .tones = settings_.tones,
                                        .sink = sink,
                                        .file = is_bell ? settings_.bell_file : ""});
}

}  // namespace holdfast::phone
