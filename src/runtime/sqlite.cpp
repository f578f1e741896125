#include "runtime/sqlite.h"

#include <sqlite3.h>

#include <cstddef>

namespace holdfast::runtime {

void CloseDatabase::operator()(sqlite3* database) const { sqlite3_close(database); }
void FinishStatement::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

std::string column_bytes(sqlite3_stmt* statement, int column) {
    const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement, column));
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, column));
    return bytes == nullptr ? std::string{} : std::string(bytes, size);
}

}  // namespace holdfast::runtime
