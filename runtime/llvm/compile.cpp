#include <chrono>

#include <fmt/format.h>
#include <llvm/Analysis/TargetLibraryInfo.h>
#include <llvm/AsmParser/Parser.h>
#include <llvm/IR/DiagnosticInfo.h>
#include <llvm/IR/DiagnosticPrinter.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Module.h>
#include <llvm/IR/Verifier.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Support/SourceMgr.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/Transforms/IPO/Internalize.h>

#include "generator/error.h"
#include "runtime/llvm/compiler.h"
#include "runtime/llvm/target.h"

namespace attentune::llvm_backend {
namespace {

// Diagnostics of one compilation; LLVM's default would print them.
class Diagnostics final : public llvm::DiagnosticHandler {
 public:
  explicit Diagnostics(std::vector<std::string>& errors, std::vector<std::string>& warnings)
      : errors_(errors), warnings_(warnings) {}

  bool handleDiagnostics(const llvm::DiagnosticInfo& info) override {
    std::string text;
    llvm::raw_string_ostream stream(text);
    llvm::DiagnosticPrinterRawOStream printer(stream);
    info.print(printer);
    if (info.getSeverity() == llvm::DS_Error)
      errors_.push_back(text);
    if (info.getSeverity() == llvm::DS_Warning)
      warnings_.push_back(text);
    return true;
  }

 private:
  std::vector<std::string>& errors_;
  std::vector<std::string>& warnings_;
};

[[noreturn]] void fail(const std::string& stage, const std::string& message) {
  throw Error(Status::compile_failed, fmt::format("LLVM could not {}: {}", stage, message));
}

std::unique_ptr<llvm::Module> parse(const Source& source, const llvm::TargetMachine& machine,
                                    llvm::LLVMContext& context) {
  if (source.language != Language::llvm_ir)
    fail("read the source", "it is not LLVM IR");
  llvm::SMDiagnostic diagnostic;
  std::unique_ptr<llvm::Module> module = llvm::parseAssemblyString(source.text, diagnostic, context);
  if (!module) {
    fail("read the source", fmt::format("line {}, column {}: {}", diagnostic.getLineNo(), diagnostic.getColumnNo() + 1,
                                        diagnostic.getMessage().str()));
  }
  std::string text;
  llvm::raw_string_ostream stream(text);
  if (llvm::verifyModule(*module, &stream))
    fail("accept the source", text);
  if (module->getTargetTriple() != machine.getTargetTriple().str()) {
    fail("accept the source", "its target triple is " + module->getTargetTriple());
  }
  if (module->getDataLayout() != machine.createDataLayout()) {
    fail("accept the source", "its data layout is " + module->getDataLayoutStr());
  }
  return module;
}

// What a template needs and no more, at half of O3's time for the same code. All work is in one function an entry:
// first every function alone, so that constants have decided what there is to inline; then everything inlined; then
// loops over constants unrolled, which turns arrays into registers; then what loops are left.
constexpr const char* pipeline =
    "function(sroa,early-cse,simplifycfg),always-inline,globaldce,"
    "function(sroa<modify-cfg>,early-cse<memssa>,simplifycfg,instcombine<no-verify-fixpoint>,"
    "loop-simplify,lcssa,loop-mssa(loop-rotate,licm),loop(loop-deletion,loop-unroll-full),"
    "sroa<modify-cfg>,early-cse<memssa>,instcombine<no-verify-fixpoint>,simplifycfg,"
    "loop-mssa(licm),loop-vectorize,early-cse,adce,simplifycfg)";

// Everything but the entries is internal. No library call may be recognized or made. Kernels never unwind, so they need
// no tables for it; no pass here would find that out.
void optimize(llvm::Module& module, llvm::TargetMachine& machine, const std::vector<LaunchRule>& launches) {
  for (llvm::Function& function : module)
    function.setDoesNotThrow();
  llvm::PassBuilder builder(&machine);
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager components;
  llvm::ModuleAnalysisManager modules;
  llvm::TargetLibraryInfoImpl library(machine.getTargetTriple());
  library.disableAllFunctions();
  functions.registerPass([&] { return llvm::TargetLibraryAnalysis(library); });
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);

  llvm::ModulePassManager passes;
  passes.addPass(llvm::InternalizePass([&](const llvm::GlobalValue& value) {
    return std::any_of(launches.begin(), launches.end(),
                       [&](const LaunchRule& rule) { return value.getName() == rule.entry; });
  }));
  if (llvm::Error error = builder.parsePassPipeline(passes, pipeline))
    fail("read its own pipeline", llvm::toString(std::move(error)));
  passes.run(module, modules);
}

struct Output {
  llvm::SmallVector<char, 0> bytes;
  std::vector<std::string> warnings;
};

Output generate(const Source& source, const Arch& arch, llvm::CodeGenFileType type) {
  const LlvmCall call;
  const std::unique_ptr<llvm::TargetMachine> machine = make_target_machine(arch);
  Output output;
  std::vector<std::string> errors;
  llvm::LLVMContext context;
  context.setDiagnosticHandler(std::make_unique<Diagnostics>(errors, output.warnings));
  const std::unique_ptr<llvm::Module> module = parse(source, *machine, context);
  optimize(*module, *machine, source.launches);
  llvm::raw_svector_ostream stream(output.bytes);
  llvm::legacy::PassManager passes;
  if (machine->addPassesToEmitFile(passes, stream, nullptr, type)) {
    fail("write the object", "the target writes no such file");
  }
  passes.run(*module);
  if (!errors.empty())
    fail("compile the source", fmt::format("{}", fmt::join(errors, "; ")));
  return output;
}

}  // namespace

std::string compiler_options() { return "template-pipeline-1 pic internalize no-builtins"; }

Binary compile(const Source& source, const Arch& arch) {
  const auto begin = std::chrono::steady_clock::now();
  Output output = generate(source, arch, llvm::CodeGenFileType::ObjectFile);
  Binary binary;
  binary.arch = to_text(arch);
  binary.compiler = compiler_name();
  binary.options = compiler_options();
  binary.launches = source.launches;
  binary.object.assign(output.bytes.begin(), output.bytes.end());
  binary.warnings = std::move(output.warnings);
  binary.compile_ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
  return binary;
}

std::string assembly(const Source& source, const Arch& arch) {
  const Output output = generate(source, arch, llvm::CodeGenFileType::AssemblyFile);
  return {output.bytes.begin(), output.bytes.end()};
}

}  // namespace attentune::llvm_backend
