// The calls that were: one row each in an SQLite file of its own beside the state. Losing the last
// call in a power failure is no harm, so nothing here waits for the disk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/failure.h"

namespace holdfast::runtime {

constexpr const char* history_file_name = "history.db";  // in the state's directory
constexpr std::size_t history_most = 10'000;             // calls; older ones are forgotten
constexpr std::size_t history_page_most = 100;           // of one answer
constexpr std::size_t history_text_most = 500;           // octets of who called, and why it ended

struct PastCall {
    std::int64_t id = 0;  // ascending; add() chooses it
    std::string account{};
    bool incoming = false;
    std::string peer{};        // whom we dialled, or who called
    std::int64_t started = 0;  // seconds since 1970
    std::int64_t talked = 0;   // seconds from the answer to the end
    std::string outcome{};     // one word or two (docs/control.md)
    int status = 0;            // SIP's, 0: none
    std::string reason{};
    friend bool operator==(const PastCall&, const PastCall&) = default;
};

struct HistoryQuery {
    std::string search{};     // in account, peer, outcome or reason, ASCII case ignored; "": all
    std::int64_t before = 0;  // only ids below it; 0: from the newest
    std::size_t most = history_page_most;
};

class CallHistory {
public:
    // Makes the directory (0700) and the file (0600) if need be.
    static std::expected<CallHistory, Failure> open(const std::filesystem::path& directory);
    CallHistory(CallHistory&&) noexcept;
    CallHistory& operator=(CallHistory&&) noexcept;
    CallHistory(const CallHistory&) = delete;
    CallHistory& operator=(const CallHistory&) = delete;
    ~CallHistory();

    // Gives the id. Waits a moment for another program that has the file, then fails; nothing is
    // written then.
    std::expected<std::int64_t, Failure> add(const PastCall& call);
    // The call of an id has ended, and is this now. One that is forgotten already is no error.
    std::expected<void, Failure> complete(std::int64_t id, const PastCall& call);
    // Newest first.
    std::expected<std::vector<PastCall>, Failure> find(const HistoryQuery& query);

private:
    struct Impl;
    explicit CallHistory(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast::runtime
