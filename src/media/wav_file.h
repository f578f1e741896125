// A sound file that is written bit by bit and is whole after each: 16-bit mono, WAV.
#pragma once

#include <cstdint>
#include <expected>
#include <fstream>
#include <memory>
#include <span>
#include <string>
#include <utility>

namespace holdfast::media {

class WavFile {
public:
    // Begins the file anew, whatever was there. `rate`: samples per second. Or why not, in words.
    static std::expected<std::unique_ptr<WavFile>, std::string> create(const std::string& path,
                                                                       std::uint32_t rate);
    // False: the disk is full, or the file has limits::wav_bytes of sound; what was there before
    // stays.
    bool append(std::span<const std::int16_t> samples);

private:
    WavFile(std::ofstream file, std::uint32_t rate) : file_(std::move(file)), rate_(rate) {}
    bool write_header();

    std::ofstream file_;
    std::uint32_t rate_;
    std::uint32_t bytes_ = 0;  // of sound
};

}  // namespace holdfast::media
