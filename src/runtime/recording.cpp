#include "runtime/recording.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <string>

#include "runtime/descriptor.h"
#include "runtime/socket_address.h"

namespace holdfast::runtime {

namespace {

std::unexpected<Failure> failure(const std::filesystem::path& file, const std::string& why) {
    return std::unexpected(
        Failure{FailureKind::recording, "The recording " + file.string() + ": " + why + "."});
}

bool write_all(int descriptor, std::string_view text) {
    while (!text.empty()) {
        const auto written = ::write(descriptor, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

}  // namespace

struct Recorder::File {
    Descriptor descriptor;
    StepRecorder steps;
    bool broken = false;

    // A step's lines at once: what was killed in between lacks whole steps only.
    void write(const std::string& lines) {
        if (!broken && !write_all(descriptor.get(), lines)) broken = true;
    }
};

std::expected<std::unique_ptr<Recorder>, Failure> Recorder::create(
    const std::filesystem::path& file, const EngineOptions& options) {
    auto opened = std::make_unique<File>();
    opened->descriptor =
        Descriptor{::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
    if (!opened->descriptor) return failure(file, "cannot be written: " + words_of(errno));
    // It may have been there with another mode. What is no file (/dev/stdout) keeps its own.
    struct stat status{};
    if (::fstat(opened->descriptor.get(), &status) == 0 && S_ISREG(status.st_mode) &&
        ::fchmod(opened->descriptor.get(), 0600) != 0)
        return failure(file, "cannot be made private: " + words_of(errno));
    if (!write_all(opened->descriptor.get(), recorded(options) + "\n"))
        return failure(file, "cannot be written: " + words_of(errno));
    return std::unique_ptr<Recorder>(new Recorder(std::move(opened)));
}

Recorder::Recorder(std::unique_ptr<File> file) : file_(std::move(file)) {}
Recorder::~Recorder() = default;

void Recorder::on_step(Instant now, const Input& input, const std::vector<Output>& outputs) {
    file_->write(file_->steps.step(now, input, outputs));
}

bool Recorder::broken() const { return file_->broken; }

std::expected<Recording, Failure> read_recording(const std::filesystem::path& file) {
    std::ifstream stream{file, std::ios::binary};
    if (!stream) return failure(file, "cannot be read");
    const std::string text{std::istreambuf_iterator<char>{stream}, {}};
    auto recording = parse_recording(text);
    if (!recording) return failure(file, recording.error());
    return *std::move(recording);
}

}  // namespace holdfast::runtime
