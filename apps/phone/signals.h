// What the person hears beside the calls' own sound: the bell, and in the other side's place the
// tones that a network would play. One at a time, the most important.
//
//   Signals signals{loop, media, settings, facts};
//   signals.update(calls.all());               after everything that may have changed a call
//   signals.came_to_nothing(calls.all(), 486); a call of ours that was not answered
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>

#include "apps/phone/calls.h"
#include "media/engine.h"
#include "media/signals.h"
#include "runtime/loop.h"

namespace holdfast::phone {

struct SignalSettings {
    media::AudioEnd bell{};   // where it rings; null: nowhere
    std::string bell_file{};  // a sound file in the place of the bell's tone; "": the tone
    media::AudioEnd ear{};    // where the tones are heard; null: nowhere
    media::Tones tones = media::Tones::europe;
    Duration end_tone = std::chrono::seconds{3};  // so long a call that came to nothing is heard of
};

// What the phone knows of a call beside Calls.
struct CallFacts {
    bool is_left = false;   // refused or hung up: it only has to end yet
    bool is_taken = false;  // answered, or about to be by itself: nobody has to be called for it
    bool is_held = false;   // by us: it is not heard
};
using FactsOf = std::function<CallFacts(CallRef)>;

// By all calls there are. Somebody who calls comes first, then what we wait for.
media::Signal signal_for(const std::map<CallRef, Call>& calls, const FactsOf& facts_of);

// Of a call of ours that was not answered and that we did not end, by the final status; 0: it came
// to nothing here. none: there is nothing to say.
media::Signal signal_of_end(int status);

class Signals {
public:
    // The first two must outlive it. `facts` is asked in the calls below only.
    Signals(runtime::Loop& loop, media::Engine& media, SignalSettings settings, FactsOf facts);

    void update(const std::map<CallRef, Call>& calls);
    // Until end_tone is over or another call is to be heard. `calls` may have it still, as ending.
    void came_to_nothing(const std::map<CallRef, Call>& calls, int status);
    void silence();  // the phone ends: nothing is heard from now on

private:
    void play(media::Signal signal);

    media::Engine& media_;
    SignalSettings settings_;
    FactsOf facts_;
    media::Signal playing_ = media::Signal::none;
    media::Signal end_ = media::Signal::none;  // of the call that came to nothing last
    bool is_over_ = false;
    runtime::Timer end_is_over_;
};

}  // namespace holdfast::phone
