#include "runtime/reference/row_groups.h"

#include <algorithm>
#include <map>
#include <utility>

#include "generator/expression.h"

namespace attentune {

std::vector<RowGroup> group_rows(const Problem& problem, std::span<const Row> rows) {
  constexpr std::int64_t scores_at_once = 1 << 20;
  const std::int64_t limit =
      std::clamp<std::int64_t>(scores_at_once / std::max<std::int64_t>(problem.len_kv, 1), 1, 32);
  std::map<std::pair<std::int64_t, std::int64_t>, std::size_t> open;
  std::vector<RowGroup> groups;
  for (std::size_t index = 0; index < rows.size(); ++index) {
    const std::pair at{rows[index].batch, rows[index].head / problem.group()};
    const auto found = open.find(at);
    if (found == open.end() || static_cast<std::int64_t>(groups[found->second].members.size()) == limit) {
      open[at] = groups.size();
      groups.push_back({.batch = at.first, .head_kv = at.second, .members = {index}});
    } else {
      groups[found->second].members.push_back(index);
    }
  }
  return groups;
}

GroupVisibility visibility_of(const Problem& problem, std::span<const Row> rows, const RowGroup& group) {
  const auto len_kv = static_cast<std::size_t>(problem.len_kv);
  GroupVisibility result;
  result.visible.resize(group.members.size() * len_kv);
  result.blocks.resize((len_kv + key_block - 1) / key_block);
  for (std::size_t member = 0; member < group.members.size(); ++member) {
    const std::int64_t i = rows[group.members[member]].query;
    std::int64_t count = 0;
    for (std::size_t j = 0; j < len_kv; ++j) {
      const bool shown = visible(problem.mask, i, static_cast<std::int64_t>(j), problem.shift());
      result.visible[member * len_kv + j] = shown ? 1 : 0;
      if (!shown)
        continue;
      ++count;
      result.blocks[j / key_block] = 1;
    }
    result.count.push_back(count);
  }
  return result;
}

}  // namespace attentune
