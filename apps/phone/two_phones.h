// Two commands that call each other, as scripts use them: one waits, the other calls.
#pragma once

#include <string>
#include <utility>

#include "apps/phone/world_of_three.h"
#include "media/test_sound.h"

namespace holdfast::phone::testing_phones {

constexpr std::uint32_t rate = 8000;

inline media::Samples alices_prompt() { return media::sweep(rate, 1.0, 300, 1500); }
inline media::Samples bobs_prompt() { return media::sweep(rate, 1.0, 2900, 1800); }

class TwoPhones : public WorldOfThree {
protected:
    TwoPhones() {
        write_prompt("alice-plays.wav", alices_prompt());
        write_prompt("bob-plays.wav", bobs_prompt());
    }
    CommandRun& start(Words words, const std::string& who) {
        for (const auto& word : usual(who)) words.push_back(word);
        return runs.emplace_back(words, environment());
    }
    CommandRun& bob_waits(Words more = {}) { return waits("bob", std::move(more)); }
    CommandRun& waits(const std::string& who, Words more = {}) {
        more.insert(more.begin(), {"answer", "sip:" + who + "@example.test"});
        auto& run = start(std::move(more), who);
        EXPECT_TRUE(run_until([&] { return run.said("\"registered\"") || run.ended(); }))
            << story(run);
        return run;
    }
    CommandRun& alice_calls(Words more = {}, const std::string& who = "alice") {
        more.insert(more.begin(), {"call", "bob", "--account", "sip:alice@example.test"});
        return start(std::move(more), who);
    }
    // After a moment of silence: what is said before the other side's sound is open is lost.
    void write_prompt(const std::string& name, const media::Samples& prompt) const {
        media::Samples samples(rate / 2);
        samples.insert(samples.end(), prompt.begin(), prompt.end());
        media::write_wav(file(name), rate, samples);
    }
    bool run_until_both_end(CommandRun& a, CommandRun& b) {
        return run_until([&] { return a.ended() && b.ended(); }, 60s);
    }
};

}  // namespace holdfast::phone::testing_phones
