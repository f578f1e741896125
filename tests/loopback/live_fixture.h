// What the tests on loopback share: one loop, a world, phones with the real runtime.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "live/authority.h"
#include "live/phone.h"
#include "live/scratch.h"
#include "live/world.h"
#include "runtime/loop.h"
#include "runtime/recording.h"

namespace holdfast::live {

using namespace std::chrono_literals;

class LiveTest : public testing::Test {
protected:
    World& add_world(const WorldOptions& options = {}) {
        auto world = World::open(loop, options);
        if (!world) throw std::runtime_error(world.error());
        return *worlds.emplace_back(*std::move(world));
    }

    Phone& add_phone(World& world, PhoneOptions options = {}) {
        auto phone = Phone::open(loop, world, std::move(options));
        if (!phone) throw std::runtime_error(phone.error());
        return *phones.emplace_back(*std::move(phone));
    }

    // A process that dies at once: nothing more is sent or stored.
    void kill(Phone& phone) {
        std::erase_if(phones, [&](const auto& owned) { return owned.get() == &phone; });
    }

    // The servers that this phone ranks first get a fault before anything was sent to them.
    static void on_first_choices(World& world, Phone& phone, std::size_t servers,
                                 std::function<void(std::size_t)> fault) {
        phone.on([&world, servers, fault = std::move(fault), done = false](const Event& e) mutable {
            if (done || e.kind != EventKind::resolved || e.targets.size() < servers) return;
            done = true;
            for (std::size_t i = 0; i < servers; ++i)
                if (const auto server = world.server_at(e.targets[i].target)) fault(*server);
        });
    }

    bool run_until_registered(Phone& phone, Duration limit) {
        return loop.run_until([&] { return phone.is_registered(); }, limit);
    }

    static Duration registered_after(const Phone& phone) {
        return phone.first(EventKind::registered).value_or(Duration::max());
    }

    // What was recorded gives the same outputs when it is replayed in an engine alone (I7).
    static void expect_same_outputs(const std::filesystem::path& file) {
        const auto recording = runtime::read_recording(file);
        ASSERT_TRUE(recording) << recording.error().sentence;
        ASSERT_GT(recording->steps.size(), 5U);
        Engine engine(recording->options);
        Outbox outbox;
        for (const auto& step : recording->steps) {
            engine.handle(step.at, step.input, outbox);
            std::vector<std::string> lines;
            for (const auto& output : outbox.take()) lines.push_back(recorded(step.at, output));
            ASSERT_EQ(lines, step.outputs) << recorded(step.at, step.input);
        }
    }

    // From the world's phones first: they speak to the worlds' sockets until the end.
    void TearDown() override {
        phones.clear();
        worlds.clear();
        loop.run_until([] { return false; }, 1ms);  // what they have left for later
    }

    runtime::Loop loop;
    ScratchDirectory scratch;
    std::vector<std::unique_ptr<World>> worlds;
    std::vector<std::unique_ptr<Phone>> phones;
};

}  // namespace holdfast::live
