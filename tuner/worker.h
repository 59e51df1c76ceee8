// The worker: the process in which Binaries nobody has verified yet are loaded and run. It may crash or hang.
#pragma once

namespace attentune {

// The descriptor on which a worker finds its tuner.
inline constexpr int worker_descriptor = 3;

// The whole of `attentune worker`: answers requests (protocol.h) on `descriptor` until the tuner closes it. It opens
// its own Device, never a Store, and dies with its parent. Returns the exit code: 0 at the end, 1 after a broken frame.
[[nodiscard]] int run_worker(int descriptor);

}  // namespace attentune
