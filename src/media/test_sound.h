// Sound files for tests, and how alike two sounds are.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <numbers>
#include <span>
#include <string>
#include <vector>

namespace holdfast::media {

using Samples = std::vector<std::int16_t>;

// A sweep from `from` to `to` hertz, loud and soft four times a second, as speech is: it is like
// itself at one place only.
inline Samples sweep(std::uint32_t rate, double seconds, double from, double to) {
    Samples samples(static_cast<std::size_t>(seconds * rate));
    double phase = 0;
    for (std::size_t n = 0; n < samples.size(); ++n) {
        const double t = static_cast<double>(n) / rate;
        phase += 2 * std::numbers::pi * (from + (to - from) * t / seconds) / rate;
        const double loudness = 0.35 + 0.25 * std::sin(2 * std::numbers::pi * 4 * t);
        samples[n] = static_cast<std::int16_t>(12000 * loudness * std::sin(phase));
    }
    return samples;
}
inline Samples thrice(const Samples& once) {
    Samples all;
    for (int n = 0; n < 3; ++n) all.insert(all.end(), once.begin(), once.end());
    return all;
}

struct Wav {
    std::uint32_t rate = 0;
    std::uint16_t channels = 0;
    Samples samples{};  // interleaved

    [[nodiscard]] Samples channel(std::size_t index) const {
        Samples one;
        for (std::size_t n = index; n < samples.size(); n += channels) one.push_back(samples[n]);
        return one;
    }
};

inline void write_wav(const std::filesystem::path& path, std::uint32_t rate,
                      const Samples& samples) {
    std::ofstream file{path, std::ios::binary};
    const auto put = [&]<class T>(T value) {
        file.write(std::bit_cast<const char*>(&value), sizeof value);
    };
    const auto bytes = static_cast<std::uint32_t>(samples.size() * 2);
    file << "RIFF";
    put(std::uint32_t{36} + bytes);
    file << "WAVEfmt ";
    put(std::uint32_t{16});
    put(std::uint16_t{1});
    put(std::uint16_t{1});
    put(rate);
    put(rate * 2);
    put(std::uint16_t{2});
    put(std::uint16_t{16});
    file << "data";
    put(bytes);
    file.write(std::bit_cast<const char*>(samples.data()), bytes);
}

// 16 bit PCM only; nothing where the file is not that.
inline Wav read_wav(const std::filesystem::path& path) {
    std::ifstream file{path, std::ios::binary};
    const std::string bytes{std::istreambuf_iterator<char>{file}, {}};
    const auto number = [&]<class T>(std::size_t at, T value) {
        if (at + sizeof value <= bytes.size()) std::memcpy(&value, bytes.data() + at, sizeof value);
        return value;
    };
    Wav wav;
    for (std::size_t at = 12; at + 8 <= bytes.size();) {
        const auto id = bytes.substr(at, 4);
        const auto size =
            std::min<std::size_t>(number(at + 4, std::uint32_t{}), bytes.size() - at - 8);
        if (id == "fmt ") {
            wav.channels = number(at + 10, std::uint16_t{});
            wav.rate = number(at + 12, std::uint32_t{});
        }
        if (id == "data") {
            wav.samples.resize(size / 2);
            if (size > 1)
                std::memcpy(wav.samples.data(), bytes.data() + at + 8, wav.samples.size() * 2);
        }
        at += 8 + size + size % 2;
    }
    return wav;
}

inline double loudness(std::span<const std::int16_t> samples, std::size_t stride = 1) {
    double sum = 0;
    std::size_t count = 0;
    for (std::size_t n = 0; n < samples.size(); n += stride, ++count)
        sum += static_cast<double>(samples[n]) * samples[n];
    return count == 0 ? 0 : std::sqrt(sum / static_cast<double>(count));
}

struct Likeness {
    double correlation = 0;  // 1: the same but for loudness; 0: nothing in common
    std::size_t at = 0;      // where in `heard` it begins
};

// The best normalised correlation of `played` with a part of `heard` of the same length and rate.
// At every place, but from one sample of 2000 in a second: that is enough to tell sounds apart.
inline Likeness likeness(std::span<const std::int16_t> played, std::span<const std::int16_t> heard,
                         std::uint32_t rate) {
    const std::size_t stride = rate / 2000;
    Likeness best;
    const double own = loudness(played, stride);
    for (std::size_t at = 0; at + played.size() <= heard.size(); ++at) {
        double sum = 0;
        std::size_t count = 0;
        for (std::size_t n = 0; n < played.size(); n += stride, ++count)
            sum += static_cast<double>(played[n]) * heard[at + n];
        const double other = loudness(heard.subspan(at, played.size()), stride);
        if (other == 0) continue;
        const double correlation = sum / static_cast<double>(count) / (own * other);
        if (correlation > best.correlation) best = {.correlation = correlation, .at = at};
    }
    return best;
}

}  // namespace holdfast::media
