// The Store's schema, as a table of migrations. Private to cache/.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace attentune {

class Connection;

// In the header of every Store: `file` and we ourselves know ours by it.
inline constexpr std::int64_t store_application_id = 0x6174746e;  // "attn"

struct Migration {
  int version = 0;  // the schema after it
  std::string_view sql;
};

// Ascending; the first makes an empty file a Store.
[[nodiscard]] std::span<const Migration> store_migrations() noexcept;
[[nodiscard]] int store_schema_version() noexcept;

// Brings the database to the last migration's version, all steps in one transaction. Does nothing when it is there.
void migrate(const Connection& connection, std::span<const Migration> migrations);

}  // namespace attentune
