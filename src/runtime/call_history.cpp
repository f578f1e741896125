#include "runtime/call_history.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "runtime/descriptor.h"
#include "runtime/socket_address.h"
#include "runtime/sqlite.h"

namespace holdfast::runtime {

namespace {

constexpr int schema_version = 1;

constexpr const char* schema =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE IF NOT EXISTS calls (id INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL,"
    " incoming INTEGER NOT NULL, peer TEXT NOT NULL, started INTEGER NOT NULL, talked INTEGER NOT "
    "NULL, outcome TEXT NOT NULL, status INTEGER NOT NULL, reason TEXT NOT NULL);"
    "PRAGMA user_version=1;"
    "COMMIT;";
constexpr const char* insert =
    "INSERT INTO calls (account, incoming, peer, started, talked, outcome, status, reason)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
constexpr const char* update =
    "UPDATE calls SET account = ?1, incoming = ?2, peer = ?3, started = ?4, talked = ?5,"
    " outcome = ?6, status = ?7, reason = ?8 WHERE id = ?9";
constexpr const char* forget = "DELETE FROM calls WHERE id <= ?1";
constexpr const char* select =
    "SELECT id, account, incoming, peer, started, talked, outcome, status, reason FROM calls"
    " WHERE (?1 = 0 OR id < ?1) AND (?2 = '' OR account LIKE ?2 ESCAPE '\\' OR peer LIKE ?2 ESCAPE"
    " '\\' OR outcome LIKE ?2 ESCAPE '\\' OR reason LIKE ?2 ESCAPE '\\')"
    " ORDER BY id DESC LIMIT ?3";

std::unexpected<Failure> unusable(const std::filesystem::path& file, const std::string& why) {
    return std::unexpected(Failure{FailureKind::state_unusable,
                                   "The call history " + file.string() + " cannot be used: " + why +
                                       ". Put that right, or move the file away: a fresh one is "
                                       "begun then."});
}

Statement prepared(sqlite3* database, const char* sql) {
    sqlite3_stmt* raw = nullptr;
    sqlite3_prepare_v3(database, sql, -1, SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
    return Statement{raw};
}

// The first octets, cut between characters (of UTF-8).
std::string_view shortened(std::string_view text) {
    if (text.size() <= history_text_most) return text;
    auto end = history_text_most;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) --end;
    return text.substr(0, end);
}

void put_text(sqlite3_stmt* statement, int place, std::string_view text) {
    sqlite3_bind_text(statement, place, text.data(), static_cast<int>(text.size()),
                      SQLITE_TRANSIENT);
}

// Of `insert` and `update`.
void put_call(sqlite3_stmt* row, const PastCall& call) {
    put_text(row, 1, call.account);
    sqlite3_bind_int(row, 2, call.incoming ? 1 : 0);
    put_text(row, 3, shortened(call.peer));
    sqlite3_bind_int64(row, 4, call.started);
    sqlite3_bind_int64(row, 5, call.talked);
    put_text(row, 6, call.outcome);
    sqlite3_bind_int(row, 7, call.status);
    put_text(row, 8, shortened(call.reason));
}

// "%text%", in which LIKE's own signs mean themselves.
std::string pattern_of(std::string_view text) {
    if (text.empty()) return {};
    std::string pattern = "%";
    for (const char c : text) {
        if (c == '%' || c == '_' || c == '\\') pattern += '\\';
        pattern += c;
    }
    return pattern + "%";
}

int version_of(sqlite3* database) {
    const auto statement = prepared(database, "PRAGMA user_version");
    if (!statement || sqlite3_step(statement.get()) != SQLITE_ROW) return -1;
    return sqlite3_column_int(statement.get(), 0);
}

}  // namespace

struct CallHistory::Impl {
    std::filesystem::path file;
    Database database;
    Statement add;
    Statement complete;
    Statement forget_old;
    Statement find;

    std::expected<void, Failure> open();
    std::expected<void, Failure> done(sqlite3_stmt* statement) const;
};

std::expected<void, Failure> CallHistory::Impl::open() {
    // Before SQLite's own mode. Closed before SQLite opens it: closing one later would drop
    // SQLite's POSIX locks.
    if (const Descriptor made{::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)}; !made)
        return unusable(file, words_of(errno));
    sqlite3* raw = nullptr;
    const int code =
        sqlite3_open_v2(file.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
    database.reset(raw);
    if (code != SQLITE_OK) return unusable(file, sqlite3_errstr(code));
    sqlite3_busy_timeout(raw, 100);  // another program that looks at it meanwhile
    if (sqlite3_exec(raw, "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;", nullptr, nullptr,
                     nullptr) != SQLITE_OK)
        return unusable(file, sqlite3_errmsg(raw));
    const int version = version_of(raw);
    if (version > schema_version)
        return unusable(file, "it was written by a newer version of Holdfast");
    if (version < schema_version &&
        sqlite3_exec(raw, schema, nullptr, nullptr, nullptr) != SQLITE_OK)
        return unusable(file, sqlite3_errmsg(raw));
    add = prepared(raw, insert);
    complete = prepared(raw, update);
    forget_old = prepared(raw, forget);
    find = prepared(raw, select);
    if (!add || !complete || !forget_old || !find) return unusable(file, sqlite3_errmsg(raw));
    return {};
}

std::expected<void, Failure> CallHistory::Impl::done(sqlite3_stmt* statement) const {
    const int code = sqlite3_step(statement);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    if (code != SQLITE_DONE) return unusable(file, sqlite3_errmsg(database.get()));
    return {};
}

std::expected<CallHistory, Failure> CallHistory::open(const std::filesystem::path& directory) {
    auto impl = std::make_unique<Impl>();
    impl->file = directory / history_file_name;
    std::error_code error;
    const bool is_new = std::filesystem::create_directories(directory, error);
    if (error) return unusable(impl->file, error.message());
    if (is_new && ::chmod(directory.c_str(), 0700) != 0)
        return unusable(impl->file, words_of(errno));
    if (auto opened = impl->open(); !opened) return std::unexpected(opened.error());
    return CallHistory{std::move(impl)};
}

CallHistory::CallHistory(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
CallHistory::CallHistory(CallHistory&&) noexcept = default;
CallHistory& CallHistory::operator=(CallHistory&&) noexcept = default;
CallHistory::~CallHistory() = default;

std::expected<std::int64_t, Failure> CallHistory::add(const PastCall& call) {
    auto* row = impl_->add.get();
    put_call(row, call);
    if (auto added = impl_->done(row); !added) return std::unexpected(added.error());
    const auto id = sqlite3_last_insert_rowid(impl_->database.get());
    sqlite3_bind_int64(impl_->forget_old.get(), 1, id - static_cast<std::int64_t>(history_most));
    // The call is there: if the old ones are not forgotten now, they are with the next one.
    if (const auto forgotten = impl_->done(impl_->forget_old.get()); !forgotten) return id;
    return id;
}

std::expected<void, Failure> CallHistory::complete(std::int64_t id, const PastCall& call) {
    auto* row = impl_->complete.get();
    put_call(row, call);
    sqlite3_bind_int64(row, 9, id);
    return impl_->done(row);
}

std::expected<std::vector<PastCall>, Failure> CallHistory::find(const HistoryQuery& query) {
    auto* rows = impl_->find.get();
    sqlite3_bind_int64(rows, 1, query.before);
    put_text(rows, 2, pattern_of(query.search));
    sqlite3_bind_int64(rows, 3, static_cast<std::int64_t>(std::min(query.most, history_page_most)));
    std::vector<PastCall> calls;
    int code = SQLITE_OK;
    while ((code = sqlite3_step(rows)) == SQLITE_ROW)
        calls.push_back({.id = sqlite3_column_int64(rows, 0),
                         .account = column_bytes(rows, 1),
                         .incoming = sqlite3_column_int(rows, 2) != 0,
                         .peer = column_bytes(rows, 3),
                         .started = sqlite3_column_int64(rows, 4),
                         .talked = sqlite3_column_int64(rows, 5),
                         .outcome = column_bytes(rows, 6),
                         .status = sqlite3_column_int(rows, 7),
                         .reason = column_bytes(rows, 8)});
    sqlite3_reset(rows);
    sqlite3_clear_bindings(rows);
    if (code != SQLITE_DONE) return unusable(impl_->file, sqlite3_errmsg(impl_->database.get()));
    return calls;
}

}  // namespace holdfast::runtime
