#include "runtime/shard_state.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "runtime/state_file.h"

namespace holdfast::runtime {

namespace {

constexpr std::string_view directory_prefix = "shard-";
constexpr std::string_view account_prefix = "account/";  // engine/persistence.cpp

// "account/sip:alice@example.test/binding-1": the AOR; "" : no account's.
std::string_view aor_of_key(std::string_view key) {
    const auto last = key.rfind('/');
    if (!key.starts_with(account_prefix) || last < account_prefix.size()) return {};
    return key.substr(account_prefix.size(), last - account_prefix.size());
}

std::vector<std::size_t> shards_on_disk(const std::filesystem::path& directory) {
    std::vector<std::size_t> found;
    std::error_code error;
    for (std::filesystem::directory_iterator entry(directory, error), end; !error && entry != end;
         entry.increment(error)) {
        const auto name = entry->path().filename().string();
        if (!name.starts_with(directory_prefix)) continue;
        const auto number =
            parse_number<std::uint32_t>(std::string_view(name).substr(directory_prefix.size()));
        if (number && std::filesystem::exists(entry->path() / state_file_name, error))
            found.push_back(*number);
    }
    std::ranges::sort(found);  // a folder is read in the file system's order
    return found;
}

using Files = std::map<std::size_t, StateFile>;

std::expected<Files, Failure> open_all(const std::filesystem::path& state_directory,
                                       std::size_t shards, std::vector<std::string>& notices) {
    Files files;
    auto wanted = shards_on_disk(state_directory);
    for (std::size_t shard = 0; shard < shards; ++shard) wanted.push_back(shard);
    for (const auto shard : wanted) {
        if (files.contains(shard)) continue;
        auto file = StateFile::open(shard_directory(state_directory, shard));
        if (!file) return std::unexpected(file.error());
        if (auto sentence = file->take_notice(); !sentence.empty())
            notices.push_back(std::move(sentence));
        files.emplace(shard, *std::move(file));
    }
    return files;
}

std::expected<void, Failure> commit_all(Files& files,
                                        const std::map<std::size_t, std::vector<out::Store>>& all,
                                        std::vector<std::string>& notices) {
    for (const auto& [shard, stores] : all) {
        auto committed = files.at(shard).commit(stores);
        if (auto sentence = files.at(shard).take_notice(); !sentence.empty())
            notices.push_back(std::move(sentence));
        if (!committed) return committed;
    }
    return {};
}

}  // namespace

// FNV-1a, 64 bits: what std::hash gives is not the same everywhere.
std::size_t shard_of(std::string_view aor, std::size_t shards) {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char c : aor) hash = (hash ^ static_cast<std::uint8_t>(c)) * 0x100000001b3;
    return static_cast<std::size_t>(hash % shards);
}

std::filesystem::path shard_directory(const std::filesystem::path& state_directory,
                                      std::size_t shard) {
    return state_directory / (std::string(directory_prefix) + std::to_string(shard));
}

std::expected<std::vector<std::string>, Failure> arrange_shards(
    const std::filesystem::path& state_directory, std::size_t shards) {
    std::vector<std::string> notices;
    auto files = open_all(state_directory, shards, notices);
    if (!files) return std::unexpected(with_notices(notices, files.error()));
    std::map<std::size_t, std::vector<out::Store>> arriving;
    std::map<std::size_t, std::vector<out::Store>> leaving;
    for (const auto& [shard, file] : *files)
        for (const auto& [key, value] : file.contents()) {
            const auto aor = aor_of_key(key);
            if (aor.empty()) continue;
            const auto home = shard_of(aor, shards);
            if (home == shard) continue;
            leaving[shard].push_back({key, ""});
            // There already: from a move that was cut short.
            if (!files->at(home).contents().contains(key)) arriving[home].push_back({key, value});
        }
    for (const auto* moved : {&arriving, &leaving})
        if (auto written = commit_all(*files, *moved, notices); !written)
            return std::unexpected(with_notices(notices, written.error()));
    return notices;
}

}  // namespace holdfast::runtime
