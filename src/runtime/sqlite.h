// SQLite's handles, closed by whoever owns them; for the files that keep something in a database.
#pragma once

#include <memory>
#include <string>

struct sqlite3;
struct sqlite3_stmt;

namespace holdfast::runtime {

struct CloseDatabase {
    void operator()(sqlite3* database) const;
};
struct FinishStatement {
    void operator()(sqlite3_stmt* statement) const;
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;
using Statement = std::unique_ptr<sqlite3_stmt, FinishStatement>;

// Of the row that the statement stands on; "" for NULL.
std::string column_bytes(sqlite3_stmt* statement, int column);

}  // namespace holdfast::runtime
