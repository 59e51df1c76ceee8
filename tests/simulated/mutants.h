// Mutants: kernels with one fault each, written into the rendered text, and how the fault must show.
#pragma once

#include <vector>

namespace attentune {

// The kernel a fault is written into: its class, a shape, and a Config.
struct Specimen {
  const char* problem;
  const char* config;
};

struct Mutant {
  const char* fault;
  const Specimen* specimen;
  const char* what;  // stands in the rendered text exactly once
  const char* with;
  // Both stand in the message that stops the run or fails the verification: the class of the fault ("race: ",
  // "LSE error", or several with '|' between them, where the order of events decides) and what is said of it.
  // shows = "": the mutant computes the same, and a comment says why.
  const char* shows;
  const char* says;
  // The class where asynchronous work completes at once, if it is another.
  const char* shows_eager = nullptr;
  // A second place, of a fault that moves something.
  const char* and_what = nullptr;
  const char* and_with = nullptr;
};

[[nodiscard]] std::vector<Mutant> mutants_of_forward_mma();
[[nodiscard]] std::vector<Mutant> mutants_of_forward_wgmma();

}  // namespace attentune
