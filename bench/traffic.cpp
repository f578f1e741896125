#include "bench/traffic.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <utility>

namespace holdfast::bench {

namespace {

std::string read_data(const std::string& path) {
    std::ifstream file(std::string(HOLDFAST_TEST_DATA "/").append(path), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

}  // namespace

std::string read_message(std::string_view name) {
    return read_data(std::string("messages/").append(name));
}

std::string read_torture(std::string_view name) {
    return read_data(std::string("rfc4475/").append(name).append(".dat"));
}

Traffic::Traffic() {
    std::vector<std::string> patterns;
    patterns.reserve(message_names.size());
    for (const auto name : message_names) patterns.push_back(read_message(name));
    for (int i = 0; i < 2'000; ++i) messages_.push_back(vary(patterns[below(patterns.size())]));
}

double Traffic::mean_bytes() const {
    std::size_t bytes = 0;
    for (const auto& message : messages_) bytes += message.size();
    return static_cast<double>(bytes) / static_cast<double>(messages_.size());
}

std::size_t Traffic::below(std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random_);
}

// Digits become other digits; the letters of identifiers that mix both become other letters.
std::string Traffic::redraw(std::string line) {
    const auto colon = line.find(':');
    const bool identifier =
        line.starts_with("Call-ID") || line.starts_with("Via") || line.starts_with("WWW");
    for (std::size_t i = colon == std::string::npos ? line.size() : colon + 1; i < line.size();
         ++i) {
        const bool keep = line.compare(i, 3, "2.0") == 0;
        if (keep) i += 3;
        if (i >= line.size()) break;
        if (line[i] >= '1' && line[i] <= '4') line[i] = static_cast<char>('1' + below(4));
    }
    if (const auto branch = line.find("z9hG4bK"); branch != std::string::npos)
        for (std::size_t i = branch + 7; i < line.size() && line[i] != ';'; ++i)
            if (is_letter(line[i])) line[i] = static_cast<char>('a' + below(26));
    if (identifier && line.starts_with("Call-ID"))
        line.append(std::string(below(24), static_cast<char>('a' + below(26))));
    return line;
}

std::string Traffic::vary(const std::string& pattern) {
    const auto head_end = pattern.find("\r\n\r\n");
    const auto first_end = pattern.find("\r\n");
    std::vector<std::string> vias;
    std::vector<std::string> others;
    std::string length;
    for (auto at = first_end + 2; at < head_end + 2;) {
        const auto end = pattern.find("\r\n", at);
        auto line = pattern.substr(at, end - at);
        at = end + 2;
        if (line.starts_with("Content-Length"))
            length = line;
        else
            (line.starts_with("Via") ? vias : others).push_back(redraw(std::move(line)));
    }
    if (below(2) == 0)
        others.push_back("P-Charging-Vector: icid-value=" + std::to_string(random_()));
    if (below(2) == 0) others.push_back("X-Serial: " + std::to_string(below(1'000'000)));
    others.push_back(length);
    std::shuffle(others.begin(), others.end(), random_);
    std::string text = pattern.substr(0, first_end + 2);
    auto next_via = vias.begin();
    for (const auto& line : others) {
        while (next_via != vias.end() && below(3) == 0) text.append(*next_via++).append("\r\n");
        text.append(line).append("\r\n");
    }
    while (next_via != vias.end()) text.append(*next_via++).append("\r\n");
    return text.append(pattern.substr(head_end + 2));
}

}  // namespace holdfast::bench
