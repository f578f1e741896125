// One case with one preset on loopback: a world of its own, a phone with the real runtime, a
// caller.
#pragma once

#include <expected>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "apps/cli/demo_case.h"
#include "live/phone.h"
#include "live/world.h"
#include "runtime/loop.h"

namespace holdfast::cli {

class DemoStage {
public:
    using Say = std::function<void(const DemoStage& stage, std::string words)>;

    // The error is a sentence.
    static std::expected<std::unique_ptr<DemoStage>, std::string> open(
        runtime::Loop& loop, const DemoCase& demo_case, std::string_view preset,
        const std::filesystem::path& record_file, Say say);

    [[nodiscard]] const DemoCase& demo_case() const { return case_; }
    [[nodiscard]] std::string_view preset() const { return preset_; }
    [[nodiscard]] DemoOutcome outcome();
    [[nodiscard]] std::string log() const { return phone_->log(); }

private:
    DemoStage(runtime::Loop& loop, const DemoCase& demo_case, std::string_view preset, Say say);
    void on_event(const Event& event);
    void break_something();
    void sample();
    [[nodiscard]] std::string server_name(std::size_t server) const;

    const DemoCase& case_;
    std::string_view preset_;
    Say say_;
    std::unique_ptr<live::World> world_;
    std::unique_ptr<live::Phone> phone_;
    lab::Caller* caller_ = nullptr;
    bool broken_ = false;
    DemoOutcome seen_;
    runtime::Timer fault_;
    runtime::Timer sample_;
};

}  // namespace holdfast::cli
