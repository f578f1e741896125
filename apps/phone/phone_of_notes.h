// A phone for tests: the machine here only notes what it is told, the media only their commands,
// and events are told by hand.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "apps/phone/phone.h"
#include "engine/input.h"
#include "runtime/loop.h"

namespace holdfast::phone {

using namespace std::chrono_literals;

class NotedMedia final : public media::Engine {
public:
    void submit(media::Command command) override { commands.push_back(std::move(command)); }
    [[nodiscard]] int descriptor() const override { return -1; }
    std::vector<media::Event> take() override { return std::exchange(events, {}); }
    std::vector<media::Command> commands;
    std::vector<media::Event> events;
};

class PhoneOfNotes : public testing::Test {
protected:
    PhoneOfNotes() {
        runtime::DriverOptions options;
        options.keep_state = false;
        auto opened = runtime::Driver::open(loop, options);
        EXPECT_TRUE(opened.has_value());
        driver = *std::move(opened);
        engine.emplace(driver->engine_options());
        registration::AccountConfig account;
        account.aor = "sip:alice@example.test";
        settings.accounts.push_back(account);
        begin();
        driver->attach(
            {.handle = [this](Instant, const Input& input, Outbox&) { inputs.push_back(input); },
             .next_deadline = [] { return Deadline{}; }});
    }
    void begin() {
        phone.emplace(
            loop, *driver, media, *engine, settings,
            PhoneHandlers{
                .tell = [this](Instant, const Event& event,
                               const std::string&) { told.push_back(event); },
                .began = [this](CallRef call, const runtime::PastCall&) { begun.push_back(call); },
                .over = [this](CallRef, const runtime::PastCall& past) { pasts.push_back(past); }});
    }
    void happens(std::uint32_t number, EventKind kind, std::string reason = "", int status = 0) {
        Event event{.kind = kind, .account = AccountId{1}, .call = CallRef{number}};
        event.reason = std::move(reason);
        event.status = status;
        phone->on_event(now, event);
    }
    void rings(std::uint32_t number, const std::string& who = "sip:bob@example.test") {
        happens(number, EventKind::ring, who);
    }
    // From whom the caller was sent here, newest first.
    void rings_diverted(std::uint32_t number, std::vector<std::string> by) {
        Event event{.kind = EventKind::ring, .account = AccountId{1}, .call = CallRef{number}};
        event.reason = "sip:bob@example.test";
        event.diverted_by = std::move(by);
        phone->on_event(now, event);
    }
    void sound_says(media::Event event) {
        media.events.push_back(std::move(event));
        phone->on_media(now);
    }
    void sound_is_ready(std::uint32_t number) {
        sound_says(media::out::Ready{media::SessionId{number}, {}});
    }
    void sound_fails(std::uint32_t number, const std::string& sentence, bool ends) {
        media::out::Failed failed;
        failed.session = media::SessionId{number};
        failed.sentence = sentence;
        failed.ends = ends;
        sound_says(failed);
    }
    // What the engine was told so far of this kind, in order.
    template <class What>
    std::vector<What> submitted() {
        for (int round = 0; round < 5; ++round) {  // behind what the driver posts itself
            bool worked_off = false;
            loop.post([&] { worked_off = true; });
            EXPECT_TRUE(loop.run_until([&] { return worked_off; }, 5s));
        }
        std::vector<What> found;
        for (const auto& input : inputs)
            if (const auto* what = std::get_if<What>(&input)) found.push_back(*what);
        return found;
    }
    std::vector<Event> told_of(EventKind kind) const {
        std::vector<Event> found;
        for (const auto& event : told)
            if (event.kind == kind) found.push_back(event);
        return found;
    }

    const Instant now{1h};
    runtime::Loop loop;
    NotedMedia media;
    PhoneSettings settings;
    std::vector<Input> inputs;
    std::vector<Event> told;
    std::vector<CallRef> begun;
    std::vector<runtime::PastCall> pasts;
    std::optional<Engine> engine;
    std::optional<Phone> phone;
    std::unique_ptr<runtime::Driver> driver;
};

}  // namespace holdfast::phone
