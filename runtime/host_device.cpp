#include "runtime/host_device.h"

#include <cstring>
#include <utility>
#include <vector>

#include "generator/error.h"
#include "runtime/host_identity.h"
#include "runtime/llvm/compiler.h"

namespace attentune {
namespace {

// Entries are resolved when a Binary is loaded: a launch must not look symbols up.
class HostModule final : public Module {
 public:
  explicit HostModule(const Binary& binary) : object_(llvm_backend::load(binary.object)) {
    for (const LaunchRule& rule : binary.launches) {
      // The object file gives an address; what stands there follows AttentuneHostEntry by the family's contract.
      entries_.push_back({rule.entry, reinterpret_cast<AttentuneHostEntry>(object_->entry(rule.entry))});
    }
  }

  [[nodiscard]] AttentuneHostEntry entry(const char* const name) const {
    for (const Entry& entry : entries_) {
      if (entry.name == name) {
        return entry.run;
      }
    }
    throw Error(Status::internal, std::string("the loaded object has no entry ") + name);
  }

 private:
  struct Entry {
    std::string name;
    AttentuneHostEntry run;
  };
  std::unique_ptr<llvm_backend::LoadedObject> object_;
  std::vector<Entry> entries_;
};

struct Launch {
  const AttentunePreparedCall* call;
  int index;
  AttentuneHostEntry run;
};

void run_tasks(void* const context, const int worker, const std::int64_t begin, const std::int64_t end) {
  const Launch& launch = *static_cast<const Launch*>(context);
  AttentionArgs args;
  attentune_launch_args(launch.call, launch.index, worker, &args);
  launch.run(&args, begin, end);
}

}  // namespace

HostDevice::HostDevice(std::unique_ptr<Executor> pool, Executor& executor)
    : pool_(std::move(pool)),
      executor_(pool_ ? pool_.get() : &executor),
      arch_(llvm_backend::host_arch()),
      identity_(host_identity(arch_, executor_->workers())),
      compiler_(compiler_for(arch_)) {}

HostDevice::HostDevice(const int threads) : HostDevice(make_pool(threads), inline_executor()) {}
HostDevice::HostDevice(Executor& executor) : HostDevice(nullptr, executor) {}

std::shared_ptr<const Module> HostDevice::load(const Binary& binary) const {
  return std::make_shared<HostModule>(binary);
}

void HostDevice::launch(const Module& module, const BoundCall& call, Stream) const {
  const auto& host = static_cast<const HostModule&>(module);
  for (int index = 0; index < call.prepared.launch_count; ++index) {
    const AttentunePreparedLaunch& prepared = call.prepared.launches[index];
    Launch launch{.call = &call.prepared, .index = index, .run = host.entry(prepared.entry)};
    // parallel_for returns when all tasks have ended, so a dependency on the launch before is always kept.
    if (prepared.grid[0] > 0) {
      executor_->parallel_for(prepared.grid[0], prepared.block[0], run_tasks, &launch);
    }
  }
}

}  // namespace attentune
