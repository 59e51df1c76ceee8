#include <cstring>
#include <mutex>

#include <fmt/format.h>
#include <llvm/ExecutionEngine/JITLink/JITLinkMemoryManager.h>
#include <llvm/ExecutionEngine/Orc/Core.h>
#include <llvm/ExecutionEngine/Orc/ExecutorProcessControl.h>
#include <llvm/ExecutionEngine/Orc/ObjectLinkingLayer.h>
#include <llvm/Support/MemoryBuffer.h>

#include "generator/error.h"
#include "runtime/llvm/compiler.h"
#include "runtime/llvm/elf_object.h"
#include "runtime/llvm/target.h"

namespace attentune::llvm_backend {
namespace {

namespace orc = llvm::orc;

[[noreturn]] void fail(const std::string& message) {
  throw Error(Status::device_failed, "a kernel's object could not be loaded: " + message);
}

template <typename T>
T take(llvm::Expected<T> value) {
  if (!value)
    fail(llvm::toString(value.takeError()));
  return std::move(*value);
}

void take(llvm::Error error) {
  if (error)
    fail(llvm::toString(std::move(error)));
}

// One JITLink session an object: its memory goes with it, and nothing is shared between kernels.
class JitObject final : public LoadedObject {
 public:
  JitObject(const std::vector<std::uint8_t>& object, const std::vector<std::string>& entries)
      : session_(take(orc::SelfExecutorProcessControl::Create())),
        layer_(session_, take(llvm::jitlink::InProcessMemoryManager::Create())) {
    try {
      link(object, entries);
    } catch (...) {
      llvm::consumeError(session_.endSession());
      throw;
    }
  }

  JitObject(const JitObject&) = delete;
  JitObject& operator=(const JitObject&) = delete;
  ~JitObject() override { llvm::consumeError(session_.endSession()); }

  [[nodiscard]] void* entry(std::string_view symbol) const override {
    for (const auto& [name, address] : entries_) {
      if (name == symbol)
        return address;
    }
    fail(fmt::format("it defines no symbol {}", symbol));
  }

 private:
  void link(const std::vector<std::uint8_t>& object, const std::vector<std::string>& entries) {
    session_.setErrorReporter([this](llvm::Error error) {
      const std::lock_guard lock(reported_mutex_);
      reported_ += llvm::toString(std::move(error)) + ' ';
    });
    orc::JITDylib& dylib = session_.createBareJITDylib("kernel");
    const auto function = [](auto* pointer) {
      return orc::ExecutorSymbolDef(orc::ExecutorAddr::fromPtr(pointer),
                                    llvm::JITSymbolFlags::Exported | llvm::JITSymbolFlags::Callable);
    };
    take(dylib.define(orc::absoluteSymbols(
        {{session_.intern("memcpy"), function(&std::memcpy)}, {session_.intern("memset"), function(&std::memset)}})));
    take(
        layer_.add(dylib, llvm::MemoryBuffer::getMemBufferCopy(
                              llvm::StringRef(reinterpret_cast<const char*>(object.data()), object.size()), "kernel")));
    for (const std::string& name : entries) {
      llvm::Expected<orc::ExecutorSymbolDef> found = session_.lookup({&dylib}, session_.intern(name));
      if (!found) {
        const std::string error = llvm::toString(found.takeError());
        const std::lock_guard lock(reported_mutex_);
        fail(reported_.empty() ? error : reported_);
      }
      entries_.emplace_back(name, found->getAddress().toPtr<void*>());
    }
  }

  std::mutex reported_mutex_;
  std::string reported_;  // what linking said asynchronously
  orc::ExecutionSession session_;
  orc::ObjectLinkingLayer layer_;
  std::vector<std::pair<std::string, void*>> entries_;
};

}  // namespace

std::vector<std::string> undefined_symbols(const std::vector<std::uint8_t>& object) {
  return read_elf_object(object).undefined;
}

std::unique_ptr<LoadedObject> load(const std::vector<std::uint8_t>& object) {
  const LlvmCall call;
  initialize_target();
  const ElfObject elf = read_elf_object(object);
  for (const std::string& symbol : elf.undefined) {
    if (symbol != "memcpy" && symbol != "memset") {
      fail(fmt::format("it needs the symbol {}; only memcpy and memset are given to kernels", symbol));
    }
  }
  return std::make_unique<JitObject>(object, elf.defined);
}

}  // namespace attentune::llvm_backend
