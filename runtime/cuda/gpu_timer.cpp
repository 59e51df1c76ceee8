#include "runtime/cuda/gpu_timer.h"

#include <algorithm>

namespace attentune::cuda {
namespace {

constexpr int most_calls_in_a_graph = 32;

class OwnStream {
 public:
  explicit OwnStream(const Driver& driver) : driver_(driver) {
    driver_.check(driver_.StreamCreate(&handle_, stream_non_blocking), "creating a stream");
  }
  ~OwnStream() { driver_.StreamDestroy(handle_); }
  OwnStream(const OwnStream&) = delete;
  OwnStream& operator=(const OwnStream&) = delete;
  [[nodiscard]] CuStream get() const noexcept { return handle_; }

 private:
  const Driver& driver_;
  CuStream handle_ = nullptr;
};

class Event {
 public:
  explicit Event(const Driver& driver) : driver_(driver) {
    driver_.check(driver_.EventCreate(&handle_, 0), "creating an event");
  }
  ~Event() { driver_.EventDestroy(handle_); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  [[nodiscard]] CuEvent get() const noexcept { return handle_; }
  void record(const OwnStream& stream) const {
    driver_.check(driver_.EventRecord(handle_, stream.get()), "recording an event");
  }

 private:
  const Driver& driver_;
  CuEvent handle_ = nullptr;
};

// `calls` calls in a row, captured once.
class Graph {
 public:
  Graph(const Driver& driver, const OwnStream& stream, const std::function<void(Stream)>& call, const int calls)
      : driver_(driver) {
    driver_.check(driver_.StreamBeginCapture(stream.get(), CuCaptureMode::thread_local_), "beginning a capture");
    CuGraph graph = nullptr;
    try {
      for (int n = 0; n < calls; ++n)
        call(stream.get());
    } catch (...) {
      if (driver_.StreamEndCapture(stream.get(), &graph) == CuResult::success && graph != nullptr)
        driver_.GraphDestroy(graph);
      throw;
    }
    driver_.check(driver_.StreamEndCapture(stream.get(), &graph), "ending a capture");
    const CuResult result = driver_.GraphInstantiate(&exec_, graph, 0);
    driver_.GraphDestroy(graph);
    driver_.check(result, "instantiating a graph");
  }
  ~Graph() { driver_.GraphExecDestroy(exec_); }
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;
  // Otherwise the first launch does it, and is timed doing it.
  void upload(const OwnStream& stream) const {
    driver_.check(driver_.GraphUpload(exec_, stream.get()), "bringing a graph to the GPU");
  }
  void launch(const OwnStream& stream) const {
    driver_.check(driver_.GraphLaunch(exec_, stream.get()), "launching a graph");
  }

 private:
  const Driver& driver_;
  CuGraphExec exec_ = nullptr;
};

}  // namespace

double time_calls(const GpuContext& context, const std::function<void(Stream)>& call, const int calls) {
  const GpuContext::Scope scope(context);
  const Driver& driver = context.driver();
  const OwnStream stream(driver);
  const Event begin(driver);
  const Event end(driver);
  // Whole graphs, and before them what is left over.
  const int in_a_graph = std::clamp(calls, 1, most_calls_in_a_graph);
  const Graph graph(driver, stream, call, in_a_graph);
  graph.upload(stream);
  begin.record(stream);
  for (int n = 0; n < calls % in_a_graph; ++n)
    call(stream.get());
  for (int n = 0; n < calls / in_a_graph; ++n)
    graph.launch(stream);
  end.record(stream);
  driver.check(driver.EventSynchronize(end.get()), "running a kernel");
  float elapsed = 0;
  driver.check(driver.EventElapsedTime(&elapsed, begin.get(), end.get()), "reading a time");
  return static_cast<double>(elapsed);
}

}  // namespace attentune::cuda
