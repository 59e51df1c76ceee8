/* Interprets LaunchRules: the one place where launch expressions become numbers. Plain C11 without dependencies,
 * compiled into the runtime and embedded, as text, in exports. */
#ifndef ATTENTUNE_LAUNCH_H
#define ATTENTUNE_LAUNCH_H

#include <stddef.h>
#include <stdint.h>

#include "templates/attention_args.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A launch scalar: "len_q" = 4096. */
typedef struct AttentuneScalar {
  const char* name;
  int64_t value;
} AttentuneScalar;

/* Longest text of one expression. */
enum { ATTENTUNE_MAX_EXPRESSION = 900 };

/* Evaluates `text`: integers, scalar names, + - * / (rounded down), parentheses, ceil_div(a,b), min(a,b), max(a,b),
 * align_up(a,b) with b > 0. Returns 0, or the 1-based position of the first thing it cannot read, an unknown name, a
 * division by zero or an overflow; then *value is as it was. No recursion deeper than 32. */
int attentune_evaluate(const char* text, const AttentuneScalar* scalars, int scalar_count, int64_t* value);

enum { ATTENTUNE_MAX_LAUNCHES = 4 };

/* One LaunchRule with every expression evaluated. */
typedef struct AttentunePreparedLaunch {
  const char* entry;
  int64_t grid[3];
  int64_t block[3];
  int64_t cluster[3];
  int64_t shared_bytes;
  int64_t slice_offset[ATTENTUNE_WORKSPACE_SLICES]; /* from the workspace's start, of worker 0 */
  int64_t slice_stride[ATTENTUNE_WORKSPACE_SLICES]; /* between workers; 0 = shared by all */
  int slice_count;
  int depends_on_previous;
} AttentunePreparedLaunch;

/* A whole call: arguments and its launches in order. */
typedef struct AttentunePreparedCall {
  AttentionArgs args; /* workspace[] is filled per launch and worker */
  char* workspace;
  int64_t workspace_bytes;
  int launch_count;
  AttentunePreparedLaunch launches[ATTENTUNE_MAX_LAUNCHES];
} AttentunePreparedCall;

/* The text of one LaunchRule, as the generator wrote it. */
typedef struct AttentuneSliceText {
  const char* name;
  const char* bytes;
  int per_worker;
} AttentuneSliceText;

typedef struct AttentuneLaunchText {
  const char* entry;
  const char* grid[3];
  const char* block[3];
  const char* cluster[3];
  const char* shared_bytes;
  const AttentuneSliceText* slices;
  int slice_count;
  int depends_on_previous;
} AttentuneLaunchText;

/* Evaluates all launches and lays out the workspace: slices follow one another in order of first mention, each at a
 * multiple of `alignment` (a power of two). Slices of the same name in different launches are the same memory, which is
 * how a launch hands what it wrote to the next; they must state the same bytes, as text, and the same per_worker. A
 * name stands at most once in a launch. Fills launches[], launch_count and workspace_bytes of `call`.
 * Grid, shared bytes and slice bytes may be 0; block and cluster are at least 1.
 * Returns 0, or launch index * 1000 + position of the error + 1; position 0: a value out of its range, or a slice that
 * differs from an earlier one of its name. Slices that are per worker need the scalar "workers". */
int attentune_prepare(const AttentuneLaunchText* rules, int rule_count, const AttentuneScalar* scalars,
                      int scalar_count, int64_t alignment, AttentunePreparedCall* call);

/* The arguments worker `worker` passes to launch `index`: args with workspace pointers filled in. */
void attentune_launch_args(const AttentunePreparedCall* call, int index, int worker, AttentionArgs* args);

/* A host entry: runs tasks [task_begin, task_end). */
typedef void (*AttentuneHostEntry)(const AttentionArgs* args, int64_t task_begin, int64_t task_end);

#ifdef __cplusplus
}
#endif
#endif
