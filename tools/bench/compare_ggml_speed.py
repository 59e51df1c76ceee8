#!/usr/bin/env python3
"""attentune against ggml's CPU flash attention (the one llama.cpp runs), in turns in one process, on the same tensors.

  tools/bench/compare_ggml_speed.py --library build/release/lib/libattentune.so --ggml FOLDER [--threads N] [--all]

FOLDER holds libggml-base.so and libggml-cpu.so, built for this machine; after these lines it is ggml/build/src:

  git clone https://github.com/ggml-org/ggml
  cmake -S ggml -B ggml/build -DBUILD_SHARED_LIBS=ON -DGGML_BUILD_TESTS=OFF -DGGML_BUILD_EXAMPLES=OFF
  cmake --build ggml/build

Q and O are f32; K and V f16, as llama.cpp caches them, or f32. Memory is [batch, row, head, d] on both sides. The causal
mask is an array of f16 to ggml, made beforehand. A ratio above 1: attentune is faster. A turn is some calls, once the
other's threads sleep; --no-rest takes single calls in turns. Needs numpy.
"""
import argparse
import ctypes as C
import os
import pathlib

import numpy as np

import side_by_side

F32, F16 = 0, 1  # enum ggml_type
KINDS = {"f32": np.float32, "f16": np.float16}


class InitParams(C.Structure):
    _fields_ = [("mem_size", C.c_size_t), ("mem_buffer", C.c_void_p), ("no_alloc", C.c_bool)]


class Ggml:
    def __init__(self, folder, threads):
        self.base = C.CDLL(str(folder / "libggml-base.so"), mode=C.RTLD_GLOBAL)
        self.cpu = C.CDLL(str(folder / "libggml-cpu.so"), mode=C.RTLD_GLOBAL)
        handle, size = C.c_void_p, C.c_int64
        for library, name, result, *arguments in (
                (self.base, "ggml_init", handle, InitParams),
                (self.base, "ggml_free", None, handle),
                (self.base, "ggml_new_tensor_4d", handle, handle, C.c_int, size, size, size, size),
                (self.base, "ggml_permute", handle, handle, handle, C.c_int, C.c_int, C.c_int, C.c_int),
                (self.base, "ggml_get_data", handle, handle),
                (self.base, "ggml_flash_attn_ext", handle, handle, handle, handle, handle, handle, C.c_float, C.c_float,
                 C.c_float),
                (self.base, "ggml_new_graph", handle, handle),
                (self.base, "ggml_build_forward_expand", None, handle, handle),
                (self.base, "ggml_backend_graph_compute", C.c_int, handle, handle),
                (self.cpu, "ggml_backend_cpu_init", handle),
                (self.cpu, "ggml_backend_cpu_set_n_threads", None, handle, C.c_int)):
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
            setattr(self, name[len("ggml_"):], function)
        self.backend = self.backend_cpu_init()
        self.backend_cpu_set_n_threads(self.backend, threads)


class Attention:
    """One flash_attn_ext node and its arrays; [batch, row, head, d] in memory."""

    def __init__(self, ggml, q, k, v, causal):
        self.ggml = ggml
        rows, keys = q.shape[1], k.shape[1]
        room = 2 * q.nbytes + k.nbytes + v.nbytes + rows * keys * 2 + (1 << 20)  # Q and O, K, V, the mask, the rest
        self.context = ggml.init(InitParams(room, None, False))
        mask = None
        if causal:
            mask, array = self.tensor(F16, (1, 1, rows, keys))
            array[...] = np.triu(np.full((rows, keys), -np.inf), keys - rows + 1)
        operands = [self.operand(x) for x in (q, k, v)]
        self.node = ggml.flash_attn_ext(self.context, *operands, mask, q.shape[3] ** -0.5, 0.0, 0.0)
        self.graph = ggml.new_graph(self.context)
        ggml.build_forward_expand(self.graph, self.node)
        self.shape = (q.shape[0], rows, q.shape[2], v.shape[3])

    def tensor(self, kind, shape):
        """Of that C-order shape, and numpy's view of it."""
        tensor = self.ggml.new_tensor_4d(self.context, kind, *reversed(shape))
        return tensor, self.view(tensor, np.float16 if kind == F16 else np.float32, shape)

    def view(self, tensor, dtype, shape):
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        return np.frombuffer((C.c_char * size).from_address(self.ggml.get_data(tensor)), dtype).reshape(shape)

    def operand(self, x):
        tensor, array = self.tensor(F16 if x.dtype == np.float16 else F32, x.shape)
        array[...] = x
        return self.ggml.permute(self.context, tensor, 0, 2, 1, 3)  # ggml counts rows before heads

    def run(self):
        if self.ggml.backend_graph_compute(self.ggml.backend, self.graph) != 0:
            raise RuntimeError("ggml_backend_graph_compute failed")

    def out(self):
        return self.view(self.node, np.float32, self.shape)

    def close(self):
        self.ggml.free(self.context)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", dest="path", required=True)
    parser.add_argument("--ggml", type=pathlib.Path, required=True)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--seconds", type=float, default=1.0, help="per cell")
    parser.add_argument("--all", action="store_true", help="sequences of 4096, too")
    parser.add_argument("--no-rest", action="store_true", help="single calls in turns")
    arguments = parser.parse_args()
    ggml = Ggml(arguments.ggml, arguments.threads)
    runtime = side_by_side.runtime(arguments.path, arguments.threads)
    print(f"ggml, {arguments.threads} threads\n")
    table = side_by_side.Table("ggml", rests=not arguments.no_rest)
    random = np.random.default_rng(1)
    for cache, batch, heads, heads_kv, dim, rows, keys, causal in side_by_side.cells(("f16", "f32"), arguments.all):
        q = random.standard_normal((batch, rows, heads, dim), np.float32)
        k, v = (random.standard_normal((batch, keys, heads_kv, dim), np.float32).astype(KINDS[cache])
                for _ in range(2))
        out = np.full_like(q, np.nan)
        text = (f"dtype=f32 k={cache} v={cache} batch={batch} heads={heads}/{heads_kv} head_dim={dim} "
                f"seq={rows}/{keys}" + (" mask=causal()" if causal else ""))
        ours = side_by_side.bind(runtime, text, q=q.ctypes.data, k=k.ctypes.data, v=v.ctypes.data, out=out.ctypes.data)
        theirs = Attention(ggml, q, k, v, causal)
        ours()
        theirs.run()
        side_by_side.check_same(text, out, theirs.out(), 2e-2)  # ggml keeps Q and its sums in f16 where K is f16
        table.measure(text, ours, theirs.run, arguments.seconds)
        theirs.close()
    table.end()


if __name__ == "__main__":
    main()
