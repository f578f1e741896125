#include "runtime/state_file.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include "runtime/clock.h"
#include "runtime/descriptor.h"
#include "runtime/socket_address.h"
#include "runtime/sqlite.h"

namespace holdfast::runtime {

namespace {

constexpr int schema_version = 1;

std::unexpected<Failure> unusable(const std::filesystem::path& path, const std::string& why) {
    return std::unexpected(
        Failure{FailureKind::state_unusable,
                "The state in " + path.string() + " cannot be used: " + why +
                    ". Put that right, or give another directory with --state DIR."});
}

bool is_damage(int code) {
    const int primary = code & 0xff;
    return primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB;
}

int run(sqlite3* database, const char* sql) {
    return sqlite3_exec(database, sql, nullptr, nullptr, nullptr);
}

// One that returns no rows.
int run(sqlite3_stmt* statement) {
    const int code = sqlite3_step(statement);
    sqlite3_reset(statement);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

int prepare(sqlite3* database, const char* sql, Statement& statement) {
    sqlite3_stmt* raw = nullptr;
    const int code =
        sqlite3_prepare_v3(database, sql, -1, SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
    statement.reset(raw);
    return code;
}

int read_number(sqlite3* database, const char* sql, int& number) {
    Statement statement;
    if (const int code = prepare(database, sql, statement); code != SQLITE_OK) return code;
    if (const int code = sqlite3_step(statement.get()); code != SQLITE_ROW) return code;
    number = sqlite3_column_int(statement.get(), 0);
    return SQLITE_OK;
}

int read_state(sqlite3* database, State& state) {
    Statement statement;
    if (const int code = prepare(database, "SELECT key, value FROM state", statement);
        code != SQLITE_OK)
        return code;
    int code = SQLITE_OK;
    while ((code = sqlite3_step(statement.get())) == SQLITE_ROW)
        state.insert_or_assign(column_bytes(statement.get(), 0), column_bytes(statement.get(), 1));
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

int open_database(const std::filesystem::path& file, int flags, Database& database) {
    sqlite3* raw = nullptr;
    const int code = sqlite3_open_v2(file.c_str(), &raw, flags | SQLITE_OPEN_NOMUTEX, nullptr);
    database.reset(raw);
    if (raw != nullptr)
        sqlite3_busy_timeout(raw, 250);  // another program that looks at the state meanwhile
    return code;
}

// The write-ahead log costs one fsync a commit; FULL makes that commit durable.
constexpr const char* settings =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-256; PRAGMA "
    "wal_autocheckpoint=200;";
constexpr const char* schema =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE IF NOT EXISTS state (key TEXT PRIMARY KEY NOT NULL, value BLOB NOT NULL) WITHOUT "
    "ROWID;"
    "PRAGMA user_version=1;"
    "COMMIT;";

std::expected<Descriptor, Failure> lock_directory(const std::filesystem::path& directory) {
    const auto file = directory / "lock";
    Descriptor lock{::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
    if (!lock) return unusable(directory, words_of(errno));
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) return unusable(directory, words_of(errno));
        std::array<char, 32> text{};
        const auto size = ::pread(lock.get(), text.data(), text.size(), 0);
        std::string owner(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
        owner = owner.substr(0, owner.find('\n'));
        return std::unexpected(
            Failure{FailureKind::state_in_use,
                    "The state in " + directory.string() + " is in use by process " +
                        (owner.empty() ? std::string{"(unknown)"} : owner) +
                        ". Stop that one, or give another directory with --state DIR."});
    }
    const auto pid = std::to_string(::getpid()) + "\n";
    if (::ftruncate(lock.get(), 0) != 0 ||
        ::pwrite(lock.get(), pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size()))
        return unusable(directory, words_of(errno));
    return lock;
}

}  // namespace

std::expected<std::filesystem::path, Failure> default_state_directory() {
    // The specification says that a relative path is to be ignored.
    if (const char* state = std::getenv("XDG_STATE_HOME"); state != nullptr && state[0] == '/')
        return std::filesystem::path{state} / "holdfast";
    if (const char* home = std::getenv("HOME"); home != nullptr && home[0] == '/')
        return std::filesystem::path{home} / ".local" / "state" / "holdfast";
    return std::unexpected(
        Failure{FailureKind::state_unusable,
                "Neither XDG_STATE_HOME nor HOME names a directory for the state. "
                "Give one with --state DIR."});
}

struct StateFile::Impl {
    std::filesystem::path directory;
    Descriptor lock;
    Database database;
    Statement begin;
    Statement commit;
    Statement put;
    Statement remove;
    State contents;
    std::string notice;

    [[nodiscard]] std::filesystem::path file() const { return directory / state_file_name; }
    std::expected<int, Failure> make_file() const;
    std::expected<int, Failure> open_file();
    std::expected<void, Failure> set_aside(std::string_view consequence);
    [[nodiscard]] int prepare_all();
    void forget_statements();
    [[nodiscard]] int store(const out::Store& store) const;
    [[nodiscard]] int write(const std::vector<out::Store>& stores) const;
    std::expected<int, Failure> begin_again(bool damaged);
    [[nodiscard]] bool is_open() const { return put != nullptr && remove != nullptr; }
};

// An empty file of ours, with one fsync instead of five: there is nothing yet that a crash could
// take. The descriptor is closed before SQLite opens the file: closing one later would drop
// SQLite's POSIX locks on it.
std::expected<int, Failure> StateFile::Impl::make_file() const {
    {
        const Descriptor made{::open(file().c_str(), O_RDWR | O_CREAT | O_CLOEXEC,
                                     0600)};  // before SQLite's own mode
        if (!made) return unusable(directory, words_of(errno));
        struct stat status{};
        if (::fstat(made.get(), &status) != 0) return unusable(directory, words_of(errno));
        if (status.st_size > 0) return SQLITE_OK;
    }
    Database fresh;
    int code = open_database(file(), SQLITE_OPEN_READWRITE, fresh);
    if (code == SQLITE_OK)
        code = run(fresh.get(), "PRAGMA synchronous=OFF; PRAGMA journal_mode=WAL;");
    if (code == SQLITE_OK) code = run(fresh.get(), schema);
    if (code != SQLITE_OK && !is_damage(code))
        return unusable(directory, sqlite3_errmsg(fresh.get()));
    fresh.reset();  // folds the log into the file
    const Descriptor made{::open(file().c_str(), O_RDWR | O_CLOEXEC)};
    if (!made || ::fsync(made.get()) != 0) return unusable(directory, words_of(errno));
    return code;
}

// SQLite's code; a failure for what cannot be helped by a fresh file.
std::expected<int, Failure> StateFile::Impl::open_file() {
    forget_statements();
    contents.clear();
    if (auto made = make_file(); !made || *made != SQLITE_OK) return made;
    int code = open_database(file(), SQLITE_OPEN_READWRITE, database);
    if (code == SQLITE_OK) code = run(database.get(), settings);
    int version = 0;
    if (code == SQLITE_OK) code = read_number(database.get(), "PRAGMA user_version", version);
    if (code == SQLITE_OK && version > schema_version)
        return unusable(directory, "it was written by a newer version of Holdfast");
    if (code == SQLITE_OK && version < schema_version) code = run(database.get(), schema);
    // The log stays as it is at the end, and the next start goes on with it: three fsyncs less.
    if (code == SQLITE_OK)
        sqlite3_db_config(database.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    if (code == SQLITE_OK) code = read_state(database.get(), contents);
    if (code == SQLITE_OK) code = prepare_all();
    if (code != SQLITE_OK && !is_damage(code))
        return unusable(directory, sqlite3_errmsg(database.get()));
    return code;
}

// Once: parsing BEGIN and COMMIT anew costs a fifth of a small commit.
int StateFile::Impl::prepare_all() {
    int code = prepare(database.get(), "BEGIN IMMEDIATE", begin);
    if (code == SQLITE_OK) code = prepare(database.get(), "COMMIT", commit);
    if (code == SQLITE_OK)
        code = prepare(database.get(), "INSERT OR REPLACE INTO state (key, value) VALUES (?1, ?2)",
                       put);
    if (code == SQLITE_OK)
        code = prepare(database.get(), "DELETE FROM state WHERE key = ?1", remove);
    return code;
}

void StateFile::Impl::forget_statements() {
    for (auto* statement : {&begin, &commit, &put, &remove}) statement->reset();
}

// Nothing that was kept is ever overwritten: the clock may have been set back.
std::expected<void, Failure> StateFile::Impl::set_aside(std::string_view consequence) {
    forget_statements();
    database.reset();
    const auto name = file().string() + ".damaged-" + std::to_string(wall_clock());
    std::filesystem::path aside = name;
    std::error_code error;
    for (int i = 2; std::filesystem::exists(aside, error); ++i)
        aside = name + "-" + std::to_string(i);
    std::filesystem::rename(file(), aside, error);
    if (error)
        return unusable(directory,
                        "it is damaged, and cannot be set aside (" + error.message() + ")");
    for (const auto* suffix : {"-wal", "-shm"}) {
        auto companion = file();
        companion += suffix;
        auto companion_aside = aside;
        companion_aside += suffix;
        std::filesystem::rename(companion, companion_aside, error);  // it may not be there
    }
    notice = "The state file was damaged. It is kept as " + aside.string() +
             ", and a fresh one is begun: ";
    notice += consequence;
    return {};
}

std::expected<StateFile, Failure> StateFile::open(const std::filesystem::path& directory) {
    std::error_code error;
    const bool is_new = std::filesystem::create_directories(directory, error);
    if (error) return unusable(directory, error.message());
    if (is_new && ::chmod(directory.c_str(), 0700) != 0)
        return unusable(directory, words_of(errno));
    auto lock = lock_directory(directory);
    if (!lock) return std::unexpected(lock.error());
    auto impl = std::make_unique<Impl>();
    impl->directory = directory;
    impl->lock = *std::move(lock);
    auto code = impl->open_file();
    if (code && is_damage(*code)) {
        if (auto done = impl->set_aside("old registrations on servers are left to expire."); !done)
            return std::unexpected(done.error());
        code = impl->open_file();
    }
    if (code && *code == SQLITE_OK) return StateFile{std::move(impl)};
    auto failure = code ? unusable(directory, sqlite3_errstr(*code)).error() : code.error();
    // The next start finds no damaged file, and cannot tell what this one has set aside.
    return std::unexpected(with_notices({impl->notice}, std::move(failure)));
}

std::expected<State, Failure> StateFile::peek(const std::filesystem::path& directory) {
    const auto file = directory / state_file_name;
    std::error_code error;
    if (!std::filesystem::exists(file, error)) return State{};
    Database database;
    State state;
    int code = open_database(file, SQLITE_OPEN_READWRITE,
                             database);  // the log's index may have to be made
    if (code == SQLITE_OK) code = read_state(database.get(), state);
    if (code != SQLITE_OK) return unusable(directory, sqlite3_errmsg(database.get()));
    return state;
}

StateFile::StateFile(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
StateFile::StateFile(StateFile&&) noexcept = default;
StateFile& StateFile::operator=(StateFile&&) noexcept = default;
StateFile::~StateFile() = default;

const State& StateFile::contents() const { return impl_->contents; }
std::string StateFile::take_notice() { return std::exchange(impl_->notice, {}); }

int StateFile::Impl::store(const out::Store& store) const {
    auto* statement = store.value.empty() ? remove.get() : put.get();
    sqlite3_bind_text(statement, 1, store.key.data(), static_cast<int>(store.key.size()),
                      SQLITE_STATIC);
    if (!store.value.empty())
        sqlite3_bind_blob(statement, 2, store.value.data(), static_cast<int>(store.value.size()),
                          SQLITE_STATIC);
    const int code = run(statement);
    sqlite3_clear_bindings(statement);
    return code;
}

// SQLite's code; nothing is written unless it is SQLITE_OK.
int StateFile::Impl::write(const std::vector<out::Store>& stores) const {
    int code = SQLITE_OK;
    // One statement is a transaction of its own.
    if (stores.size() > 1) code = run(begin.get());
    for (const auto& each : stores)
        if (code == SQLITE_OK) code = store(each);
    if (code == SQLITE_OK && stores.size() > 1) code = run(commit.get());
    return code;
}

// A fresh file in place of one that was damaged while it was in use, with all that we know. Where
// that fails too, the next commit tries it once more.
std::expected<int, Failure> StateFile::Impl::begin_again(bool damaged) {
    auto known = std::exchange(contents, {});
    std::expected<int, Failure> code = SQLITE_OK;
    if (damaged)
        if (auto done = set_aside("nothing of it is lost."); !done)
            code = std::unexpected(done.error());
    if (code) code = open_file();
    contents = std::move(known);
    std::vector<out::Store> all;
    all.reserve(contents.size());
    for (const auto& [key, value] : contents) all.push_back({key, value});
    if (code && *code == SQLITE_OK && !all.empty()) code = write(all);
    if (!code || *code != SQLITE_OK) put.reset();
    return code;
}

std::expected<void, Failure> StateFile::commit(const std::vector<out::Store>& stores) {
    if (stores.empty()) return {};
    auto& impl = *impl_;
    std::expected<int, Failure> code = SQLITE_OK;
    if (impl.is_open()) code = impl.write(stores);
    if (!impl.is_open() || is_damage(*code)) {
        code = impl.begin_again(impl.is_open());
        if (code && *code == SQLITE_OK) code = impl.write(stores);
    }
    if (!code) return std::unexpected(code.error());
    auto* database = impl.database.get();
    if (*code != SQLITE_OK) {
        auto failure = unusable(
            impl.directory, database == nullptr ? sqlite3_errstr(*code) : sqlite3_errmsg(database));
        if (database != nullptr && sqlite3_get_autocommit(database) == 0) run(database, "ROLLBACK");
        return failure;
    }
    for (const auto& store : stores) {
        if (store.value.empty())
            impl.contents.erase(store.key);
        else
            impl.contents.insert_or_assign(store.key, store.value);
    }
    return {};
}

}  // namespace holdfast::runtime
