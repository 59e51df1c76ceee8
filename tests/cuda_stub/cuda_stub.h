// How tests steer the stub driver: a libcuda.so.1 that keeps books instead of running anything. Its memory is the
// process's own. A child process is steered by the environment: CUDA_STUB="cc=90 driver=12080
// fail:cuCtxSynchronize=700".
#pragma once

extern "C" {

// Forgets calls, failures and settings; live objects stay.
void cuda_stub_reset();
// "cc" (90), "driver" (13000), "count" (1), "shared" (opt-in bytes of a block).
void cuda_stub_set(const char* what, int value);
// From now on `function` ("cuMemAlloc_v2") returns `result`; 0 heals it.
void cuda_stub_fail(const char* function, int result);
// The calls since the reset, a line each, with their telling arguments; valid until the next call.
const char* cuda_stub_calls();
// While off, calls are counted but not written down, so that nothing is allocated.
void cuda_stub_record(int on);
long cuda_stub_call_count();
// Contexts, modules, allocations, streams, events and graphs that somebody still has to release.
long cuda_stub_alive();
// Makes a context of the caller's own on device 0 and returns it; release it with cuda_stub_destroy_context.
void* cuda_stub_create_context();
void cuda_stub_destroy_context(void* context);
// Called for each launch outside of a capture, in place of the kernel.
using CudaStubKernel = void (*)(void* user, const char* entry, const unsigned* grid, void** parameters);
void cuda_stub_on_launch(CudaStubKernel kernel, void* user);
}
