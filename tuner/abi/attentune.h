/* attentune: attention kernels written, compiled, verified, tuned and remembered at run time. The C interface.
 *
 * Every function returns a status (attentune_status_text says what it means; attentune_last_error the details, per
 * thread) unless it says otherwise. Handles are opaque, may be used from any thread, and are released by their own
 * function (NULL is fine). Nothing is thrown across.
 *
 * Every struct begins with its size: zero it, then set `size = sizeof(struct)`. A library newer than its caller takes a
 * smaller struct and default values for the rest; an older one takes a larger struct if all it does not know is zero.
 *
 * Tensors: Q [batch, len_q, heads_q, head_dim_qk], K and V [batch, len_kv, heads_kv, d], out like Q with head_dim_v,
 * lse f32 [batch, heads_q, len_q]. The innermost dimension is contiguous; strides are in elements. */
#ifndef ATTENTUNE_H
#define ATTENTUNE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define ATTENTUNE_API __attribute__((visibility("default")))
#else
#define ATTENTUNE_API
#endif

#define ATTENTUNE_VERSION_MAJOR 0
#define ATTENTUNE_VERSION_MINOR 1
#define ATTENTUNE_VERSION_PATCH 0

/* In C++, too, every int is a value the enums can hold, so that a wrong one is refused and not undefined. */
#ifdef __cplusplus
#define ATTENTUNE_ENUM : int
#else
#define ATTENTUNE_ENUM
#endif

typedef enum attentune_status ATTENTUNE_ENUM {
  ATTENTUNE_OK = 0,
  ATTENTUNE_REFUSED = 1,
  ATTENTUNE_MISS = 2,
  ATTENTUNE_COMPILE_FAILED = 3,
  ATTENTUNE_WRONG = 4,
  ATTENTUNE_DEVICE_FAILED = 5,
  ATTENTUNE_STORE_FAILED = 6,
  ATTENTUNE_OUT_OF_MEMORY = 7,
  ATTENTUNE_CAPTURING = 8,
  ATTENTUNE_MISUSE = 9,
  ATTENTUNE_CANCELLED = 10,
  ATTENTUNE_INTERNAL = 11
} attentune_status;

/* "0.1.0". */
ATTENTUNE_API const char* attentune_version(void);
/* One sentence; never NULL. */
ATTENTUNE_API const char* attentune_status_text(attentune_status status);
/* The last failure on this thread, with reason and next step; "" if none. Valid until the next call on this thread. */
ATTENTUNE_API const char* attentune_last_error(void);

typedef struct attentune_runtime attentune_runtime;
typedef struct attentune_problem attentune_problem;
typedef struct attentune_kernel attentune_kernel;
typedef struct attentune_binding attentune_binding;

/* What happens when no stored kernel fits a problem. */
typedef enum attentune_policy ATTENTUNE_ENUM {
  ATTENTUNE_POLICY_DEFAULT = 0,   /* ATTENTUNE_POLICY of the environment, else heuristic */
  ATTENTUNE_POLICY_HEURISTIC = 1, /* a kernel of the same class serves; if there is none, one is compiled now */
  ATTENTUNE_POLICY_FAIL = 2,      /* ATTENTUNE_MISS */
  ATTENTUNE_POLICY_COMPILE = 3,   /* heuristic, and the problem's own default is compiled in the background */
  ATTENTUNE_POLICY_TUNE = 4       /* heuristic, and the problem is tuned in the background */
} attentune_policy;

/* Runs tasks [begin, end) as worker `worker`; see attentune_executor. */
typedef void (*attentune_task)(void* context, int worker, int64_t begin, int64_t end);

/* Where a host kernel's tasks run, for callers that have their own threads: run every task in [0, tasks) exactly once,
 * in runs of at most `grain`, on at most `workers` threads at a time with distinct worker numbers in [0, workers), and
 * return when all have ended. An executor that does otherwise is reported as ATTENTUNE_MISUSE. `user` must live until
 * the runtime and every kernel and binding of it is released. */
typedef struct attentune_executor {
  size_t size;
  int workers;
  void* user;
  void (*parallel_for)(void* user, int64_t tasks, int64_t grain, attentune_task task, void* context);
} attentune_executor;

typedef struct attentune_options {
  size_t size;
  const char* device; /* NULL: ATTENTUNE's default ("gpu:0" if present, else "host") */
  const char* store;  /* path; NULL: the default store; "": none; ":memory:": one that dies with the runtime */
  attentune_policy policy;
  int strict;                                    /* nonzero: verify a kernel on the probe set before its first use */
  int threads;                                   /* host: 0 = all CPUs, at most 4096; ignored with an executor */
  const attentune_executor* executor;            /* NULL: an own pool, started lazily; copied */
  void (*log)(void* user, const char* sentence); /* any thread, one at a time; not after the runtime's release */
  void* log_user;
} attentune_options;

/* options may be NULL. Environment: ATTENTUNE_STORE, ATTENTUNE_POLICY, ATTENTUNE_LOG, ATTENTUNE_THREADS fill what the
 * options leave open; ATTENTUNE_NVRTC is the path of the libnvrtc.so that compiles for GPUs.
 * A log function is called in the middle of things that others wait for. So inside one attentune_runtime_create,
 * attentune_runtime_drain, attentune_kernel_get and attentune_run are ATTENTUNE_MISUSE, and no runtime, kernel or
 * binding may be released.
 * After fork() the child of a host runtime's process may go on with its handles: it compiles what it misses, but looks
 * nothing up in the store and keeps nothing there, and does not tune. A GPU does not survive fork(). */
ATTENTUNE_API attentune_status attentune_runtime_create(const attentune_options* options, attentune_runtime** runtime);
/* Kernels and bindings stay usable; what they need of the runtime lives as long as they do. */
ATTENTUNE_API void attentune_runtime_release(attentune_runtime* runtime);
/* Waits for background compiles and store writes. ATTENTUNE_STORE_FAILED when the store could not be written (a full
 * disk, another process that locks it for longer than 30 s): attentune_last_error() says why, what was learned stays in
 * memory, and another drain tries again. attentune_runtime_release tries once more, for 2 s at most, and cannot say. */
ATTENTUNE_API attentune_status attentune_runtime_drain(attentune_runtime* runtime);

/* "dtype=bf16 batch=2 heads=32/8 head_dim=128 seq=4096 mask=causal()": see `attentune problems --help`. */
ATTENTUNE_API attentune_status attentune_problem_parse(const char* text, attentune_problem** problem);
ATTENTUNE_API void attentune_problem_release(attentune_problem* problem);
/* Changes sizes of a problem without parsing; they never change which code is needed. Not while another thread uses it.
 */
ATTENTUNE_API attentune_status attentune_problem_set_sizes(attentune_problem* problem, int64_t batch, int64_t len_q,
                                                           int64_t len_kv);
/* Canonical text into `text` (cut to capacity, always terminated); *needed counts the terminator. */
ATTENTUNE_API attentune_status attentune_problem_text(const attentune_problem* problem, char* text, size_t capacity,
                                                      size_t* needed);

/* Addresses and rows (strides in bytes) are multiples of the problem's align=, 16 by default; a refusal names the one
 * that would do. Results need places of their own: out and lse may not lie over one another or over an input. */
typedef struct attentune_tensor {
  void* data;
  int64_t stride_batch, stride_row, stride_head; /* elements; all 0: C order */
} attentune_tensor;

typedef struct attentune_tensors {
  size_t size;
  attentune_tensor q, k, v, out;
  float* lse;                                                /* NULL unless outputs=out,lse */
  int64_t lse_stride_batch, lse_stride_head, lse_stride_row; /* all 0: C order */
  const float* sink_logit;                                   /* [heads_q], iff sink_logit=yes */
} attentune_tensors;

/* The best kernel at hand for the problem: <= 200 ns when it is known, otherwise as the policy says. The handle keeps
 * the kernel alive. */
ATTENTUNE_API attentune_status attentune_kernel_get(attentune_runtime* runtime, const attentune_problem* problem,
                                                    attentune_kernel** kernel);
ATTENTUNE_API void attentune_kernel_release(attentune_kernel* kernel);

typedef struct attentune_kernel_info {
  size_t size;
  const char* family; /* valid as long as the kernel */
  const char* config;
  const char* trust;      /* "compiled_only", "verified_elsewhere", "verified_here" */
  const char* provenance; /* "exact_bucket", "nearest_bucket", "stale", "default_config" */
  double tuned_ms;        /* the winner's time at its bucket; 0 if none */
} attentune_kernel_info;
ATTENTUNE_API attentune_status attentune_kernel_describe(const attentune_kernel* kernel, attentune_kernel_info* info);

/* Bytes of workspace a call at the problem's sizes needs: 64-byte aligned on hosts, 256-byte on GPUs. */
ATTENTUNE_API attentune_status attentune_workspace_bytes(const attentune_kernel* kernel,
                                                         const attentune_problem* problem, size_t* bytes);

/* Prepares a call once; launch it as often as you like. Pointers must stay valid; one workspace, one launch in flight.
 * workspace NULL: the binding allocates its own. The binding keeps the kernel alive. */
ATTENTUNE_API attentune_status attentune_bind(const attentune_kernel* kernel, const attentune_problem* problem,
                                              const attentune_tensors* tensors, void* workspace, size_t workspace_bytes,
                                              attentune_binding** binding);
/* stream: a CUstream on GPUs, where the call is queued and may be captured (NULL: the default stream). A host has no
 * streams and returns when the call has ended. Allocates nothing. */
ATTENTUNE_API attentune_status attentune_launch(const attentune_binding* binding, void* stream);
ATTENTUNE_API void attentune_binding_release(attentune_binding* binding);

/* Everything above in one call, for trying things out: looks up, allocates workspace, runs, waits for the end. */
ATTENTUNE_API attentune_status attentune_run(attentune_runtime* runtime, const attentune_problem* problem,
                                             const attentune_tensors* tensors);

#ifdef __cplusplus
}
#endif
#endif
