// What a phone must not forget (B3, L5, F7): key → value in one SQLite file. A directory belongs to
// one process.
#pragma once

#include <expected>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/outbox.h"
#include "engine/engine.h"
#include "runtime/failure.h"

namespace holdfast::runtime {

// $XDG_STATE_HOME/holdfast, else ~/.local/state/holdfast.
std::expected<std::filesystem::path, Failure> default_state_directory();

constexpr const char* state_file_name = "state.db";  // in its directory

class StateFile {
public:
    // Makes the directory (0700) and the file (0600) if need be, and locks the directory. A damaged
    // file is set aside under a name that says so, a fresh one is begun, and take_notice() tells.
    static std::expected<StateFile, Failure> open(const std::filesystem::path& directory);
    // What is there now, without the lock: while a phone runs. Nothing there is an empty state.
    static std::expected<State, Failure> peek(const std::filesystem::path& directory);

    StateFile(StateFile&&) noexcept;
    StateFile& operator=(StateFile&&) noexcept;
    StateFile(const StateFile&) = delete;
    StateFile& operator=(const StateFile&) = delete;
    ~StateFile();

    [[nodiscard]] const State& contents() const;  // as read when it was opened, and committed since
    // What the user should know about opening it or about a commit, once, or "".
    [[nodiscard]] std::string take_notice();
    // All of them or none, on the disk when it returns. An empty value forgets the key. A file that
    // is found damaged is set aside, and all that was read or committed is written to a fresh one.
    std::expected<void, Failure> commit(const std::vector<out::Store>& stores);

private:
    struct Impl;
    explicit StateFile(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast::runtime
