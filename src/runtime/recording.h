// --record FILE: what went into the engine and what came out, as JSON lines (engine/recording.h).
// The file is the user's alone (0600) and holds neither password nor Authorization header.
#pragma once

#include <expected>
#include <filesystem>
#include <memory>
#include <vector>

#include "engine/recording.h"
#include "runtime/driver.h"
#include "runtime/failure.h"

namespace holdfast::runtime {

class Recorder final : public Observer {
public:
    static std::expected<std::unique_ptr<Recorder>, Failure> create(
        const std::filesystem::path& file, const EngineOptions& options);
    ~Recorder() override;
    void on_step(Instant now, const Input& input, const std::vector<Output>& outputs) override;
    [[nodiscard]] bool broken() const;  // the disk was full: the recording ends there

private:
    struct File;
    explicit Recorder(std::unique_ptr<File> file);
    std::unique_ptr<File> file_;
};

std::expected<Recording, Failure> read_recording(const std::filesystem::path& file);

}  // namespace holdfast::runtime
