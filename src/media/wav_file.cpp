#include "media/wav_file.h"

#include <array>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <system_error>
#include <utility>

#include "media/limits.h"

namespace holdfast::media {

static_assert(std::endian::native == std::endian::little, "RIFF's numbers, and our samples");

std::expected<std::unique_ptr<WavFile>, std::string> WavFile::create(const std::string& path,
                                                                     std::uint32_t rate) {
    errno = 0;
    std::ofstream file{path, std::ios::binary | std::ios::trunc};
    if (!file)
        return std::unexpected(path +
                               " cannot be written: " + std::generic_category().message(errno));
    std::unique_ptr<WavFile> wav{new WavFile{std::move(file), rate}};
    if (!wav->write_header()) return std::unexpected(path + " cannot be written");
    return wav;
}

// The sizes are those of now: whoever reads the file meanwhile finds it whole.
bool WavFile::write_header() {
    struct Header {
        std::array<char, 4> riff{'R', 'I', 'F', 'F'};
        std::uint32_t riff_size = 0;
        std::array<char, 8> format{'W', 'A', 'V', 'E', 'f', 'm', 't', ' '};
        std::uint32_t format_size = 16;
        std::uint16_t pcm = 1;
        std::uint16_t channels = 1;
        std::uint32_t rate = 0;
        std::uint32_t bytes_per_second = 0;
        std::uint16_t bytes_per_sample = sizeof(std::int16_t);
        std::uint16_t bits = 16;
        std::array<char, 4> data{'d', 'a', 't', 'a'};
        std::uint32_t data_size = 0;
    };
    static_assert(sizeof(Header) == 44, "no gaps");
    const Header header{
        .riff_size = static_cast<std::uint32_t>(sizeof(Header) - offsetof(Header, format) + bytes_),
        .rate = rate_,
        .bytes_per_second = rate_ * static_cast<std::uint32_t>(sizeof(std::int16_t)),
        .data_size = bytes_};
    file_.seekp(0);
    file_.write(reinterpret_cast<const char*>(&header), sizeof header);
    file_.seekp(0, std::ios::end);
    return file_.flush().good();
}

bool WavFile::append(std::span<const std::int16_t> samples) {
    if (samples.size_bytes() > limits::wav_bytes - bytes_ || !file_.good()) return false;
    const auto bytes = std::as_bytes(samples);
    file_.write(reinterpret_cast<const char*>(bytes.data()),
                static_cast<std::streamsize>(bytes.size()));
    if (!file_.good()) return false;
    bytes_ += static_cast<std::uint32_t>(bytes.size());
    return write_header();
}

}  // namespace holdfast::media
