// The .npy files of `attentune run`: what they say about the problem, into its buffers, and out of them.
#pragma once

#include <optional>

#include "runtime/npy.h"
#include "runtime/reference/random_tensors.h"
#include "tools/attentune/arguments.h"
#include "tools/attentune/problem_list.h"

namespace attentune {

struct InputArrays {
  NpyArray q, k, v;
  std::optional<NpyArray> sink_logit;
};

// Reads q, k and v (all or none) and the sink logits. Nothing when no input is named. Throws RefusalError.
[[nodiscard]] std::optional<InputArrays> read_inputs(const ArrayArguments& arguments);

// Fills fields of the draft that the user left out from the shapes and element types. What he gave is checked later,
// against the whole problem. Throws RefusalError for arrays that are not [batch, length, heads, d].
void derive_fields(ProblemDraft& draft, const InputArrays& arrays, const ArrayArguments& arguments);

// Copies the arrays into the buffers; throws RefusalError when one has another shape or type than the problem says.
void load_inputs(const Problem& problem, const InputArrays& arrays, const ArrayArguments& arguments,
                 CallBuffers& buffers);
// Before work starts: the files named for out and LSE can be written and are two. Throws Error(misuse).
void require_outputs(const ArrayArguments& arguments);
// Writes out and LSE to the files that were named.
void write_outputs(const Problem& problem, const CallBuffers& buffers, const ArrayArguments& arguments);

}  // namespace attentune
