"""libattentune's C interface (tuner/abi/attentune.h) for Python, through ctypes alone.

    import attentune_ctypes as attentune
    abi = attentune.Interface("build/release/lib/libattentune.so")
    with abi.runtime(device="host") as runtime, abi.problem("dtype=f32 heads=2 head_dim=64 seq=128") as problem:
        with runtime.kernel(problem) as kernel, kernel.bind(problem, q=Q, k=K, v=V, out=O) as binding:
            binding.launch()

Tensors are addresses (a torch tensor's data_ptr(), a numpy array's ctypes.data) in C order, or (address, (stride_batch,
stride_row, stride_head)) with strides in elements; whoever passes one keeps its memory alive as long as the binding.
A status other than ATTENTUNE_OK raises AttentuneError with the library's own sentence.
"""

import ctypes as C

STATUS = ("OK", "REFUSED", "MISS", "COMPILE_FAILED", "WRONG", "DEVICE_FAILED", "STORE_FAILED", "OUT_OF_MEMORY",
          "CAPTURING", "MISUSE", "CANCELLED", "INTERNAL")
POLICY = {"default": 0, "heuristic": 1, "fail": 2, "compile": 3, "tune": 4}

TASK = C.CFUNCTYPE(None, C.c_void_p, C.c_int, C.c_int64, C.c_int64)
PARALLEL_FOR = C.CFUNCTYPE(None, C.c_void_p, C.c_int64, C.c_int64, TASK, C.c_void_p)
LOG = C.CFUNCTYPE(None, C.c_void_p, C.c_char_p)


class Executor(C.Structure):
    _fields_ = [("size", C.c_size_t), ("workers", C.c_int), ("user", C.c_void_p), ("parallel_for", PARALLEL_FOR)]


class Options(C.Structure):
    _fields_ = [("size", C.c_size_t), ("device", C.c_char_p), ("store", C.c_char_p), ("policy", C.c_int),
                ("strict", C.c_int), ("threads", C.c_int), ("executor", C.POINTER(Executor)), ("log", LOG),
                ("log_user", C.c_void_p)]


class Tensor(C.Structure):
    _fields_ = [("data", C.c_void_p), ("stride_batch", C.c_int64), ("stride_row", C.c_int64),
                ("stride_head", C.c_int64)]


class Tensors(C.Structure):
    _fields_ = [("size", C.c_size_t), ("q", Tensor), ("k", Tensor), ("v", Tensor), ("out", Tensor),
                ("lse", C.c_void_p), ("lse_stride_batch", C.c_int64), ("lse_stride_head", C.c_int64),
                ("lse_stride_row", C.c_int64), ("sink_logit", C.c_void_p)]


class KernelInfo(C.Structure):
    _fields_ = [("size", C.c_size_t), ("family", C.c_char_p), ("config", C.c_char_p), ("trust", C.c_char_p),
                ("provenance", C.c_char_p), ("tuned_ms", C.c_double)]


# The C name of every struct, and every function as (what it returns, what it takes).
STRUCTS = {"attentune_executor": Executor, "attentune_options": Options, "attentune_tensor": Tensor,
           "attentune_tensors": Tensors, "attentune_kernel_info": KernelInfo}
HANDLE, STATUS_CODE = C.c_void_p, C.c_int
FUNCTIONS = {
    "attentune_version": (C.c_char_p, []),
    "attentune_status_text": (C.c_char_p, [STATUS_CODE]),
    "attentune_last_error": (C.c_char_p, []),
    "attentune_runtime_create": (STATUS_CODE, [C.POINTER(Options), C.POINTER(HANDLE)]),
    "attentune_runtime_release": (None, [HANDLE]),
    "attentune_runtime_drain": (STATUS_CODE, [HANDLE]),
    "attentune_problem_parse": (STATUS_CODE, [C.c_char_p, C.POINTER(HANDLE)]),
    "attentune_problem_release": (None, [HANDLE]),
    "attentune_problem_set_sizes": (STATUS_CODE, [HANDLE, C.c_int64, C.c_int64, C.c_int64]),
    "attentune_problem_text": (STATUS_CODE, [HANDLE, C.c_char_p, C.c_size_t, C.POINTER(C.c_size_t)]),
    "attentune_kernel_get": (STATUS_CODE, [HANDLE, HANDLE, C.POINTER(HANDLE)]),
    "attentune_kernel_release": (None, [HANDLE]),
    "attentune_kernel_describe": (STATUS_CODE, [HANDLE, C.POINTER(KernelInfo)]),
    "attentune_workspace_bytes": (STATUS_CODE, [HANDLE, HANDLE, C.POINTER(C.c_size_t)]),
    "attentune_bind": (STATUS_CODE, [HANDLE, HANDLE, C.POINTER(Tensors), C.c_void_p, C.c_size_t, C.POINTER(HANDLE)]),
    "attentune_launch": (STATUS_CODE, [HANDLE, C.c_void_p]),
    "attentune_binding_release": (None, [HANDLE]),
    "attentune_run": (STATUS_CODE, [HANDLE, HANDLE, C.POINTER(Tensors)]),
}


class AttentuneError(RuntimeError):
    def __init__(self, status, sentence):
        super().__init__(sentence)
        self.status = status  # a word of STATUS


class Interface:
    """libattentune.so, loaded. Two of one path share what the loader shares."""

    def __init__(self, path):
        self.c = C.CDLL(str(path))
        for name, (result, arguments) in FUNCTIONS.items():
            function = getattr(self.c, name)
            function.restype, function.argtypes = result, arguments

    @property
    def version(self):
        return self.c.attentune_version().decode()

    def check(self, status):
        if status:
            word = STATUS[status] if status < len(STATUS) else str(status)
            sentence = self.c.attentune_last_error() or self.c.attentune_status_text(status)
            raise AttentuneError(word, sentence.decode(errors="replace"))

    def runtime(self, **options):
        return Runtime(self, **options)

    def problem(self, text):
        return Problem(self, text)


class Handle:
    """An opaque handle and the function that releases it; `with` releases it at the end."""

    def __init__(self, abi, release):
        self.abi = abi
        self.handle = HANDLE()
        self._release = release

    def close(self):
        self._release(self.handle)
        self.handle = HANDLE()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Runtime(Handle):
    """store: a path, None for the default one, "" for none, ":memory:" for one that dies with the runtime."""

    def __init__(self, abi, device=None, store=None, policy="default", strict=False, threads=0, log=None):
        super().__init__(abi, abi.c.attentune_runtime_release)
        # Kept here because the library calls it until the runtime is released.
        self._log = LOG(lambda _, sentence: log(sentence.decode(errors="replace"))) if log else LOG()
        options = Options(size=C.sizeof(Options), device=_bytes(device), store=_bytes(store), policy=POLICY[policy],
                          strict=int(strict), threads=threads, log=self._log)
        abi.check(abi.c.attentune_runtime_create(C.byref(options), C.byref(self.handle)))

    def drain(self):
        self.abi.check(self.abi.c.attentune_runtime_drain(self.handle))

    def kernel(self, problem):
        return Kernel(self, problem)

    def run(self, problem, **arrays):
        """Looks up, allocates workspace, runs once; arrays as in Kernel.bind."""
        tensors = _tensors(**arrays)
        self.abi.check(self.abi.c.attentune_run(self.handle, problem.handle, C.byref(tensors)))


class Problem(Handle):
    def __init__(self, abi, text):
        super().__init__(abi, abi.c.attentune_problem_release)
        abi.check(abi.c.attentune_problem_parse(text.encode(), C.byref(self.handle)))

    def set_sizes(self, batch, len_q, len_kv):
        self.abi.check(self.abi.c.attentune_problem_set_sizes(self.handle, batch, len_q, len_kv))

    def __str__(self):
        needed = C.c_size_t()
        self.abi.check(self.abi.c.attentune_problem_text(self.handle, None, 0, C.byref(needed)))
        text = C.create_string_buffer(needed.value)
        self.abi.check(self.abi.c.attentune_problem_text(self.handle, text, needed, C.byref(needed)))
        return text.value.decode()


class Kernel(Handle):
    def __init__(self, runtime, problem):
        abi = runtime.abi
        super().__init__(abi, abi.c.attentune_kernel_release)
        abi.check(abi.c.attentune_kernel_get(runtime.handle, problem.handle, C.byref(self.handle)))

    def describe(self):
        """{"family", "config", "trust", "provenance", "tuned_ms"}; tuned_ms is 0 where there is no winner."""
        info = KernelInfo(size=C.sizeof(KernelInfo))
        self.abi.check(self.abi.c.attentune_kernel_describe(self.handle, C.byref(info)))
        values = {name: getattr(info, name) for name, *_ in KernelInfo._fields_ if name != "size"}
        return {name: value.decode() if isinstance(value, bytes) else value for name, value in values.items()}

    def workspace_bytes(self, problem):
        size = C.c_size_t()
        self.abi.check(self.abi.c.attentune_workspace_bytes(self.handle, problem.handle, C.byref(size)))
        return size.value

    def bind(self, problem, workspace=None, workspace_bytes=0, **arrays):
        """q, k, v, out and, where the problem has them, lse and sink_logit. No workspace: the binding allocates one."""
        return Binding(self, problem, _tensors(**arrays), workspace, workspace_bytes)


class Binding(Handle):
    def __init__(self, kernel, problem, tensors, workspace, workspace_bytes):
        abi = kernel.abi
        super().__init__(abi, abi.c.attentune_binding_release)
        abi.check(abi.c.attentune_bind(kernel.handle, problem.handle, C.byref(tensors), workspace,
                                   workspace_bytes, C.byref(self.handle)))

    def launch(self, stream=None):
        """stream: a CUstream as a number, of a GPU (torch.cuda.current_stream().cuda_stream); the host has none."""
        self.abi.check(self.abi.c.attentune_launch(self.handle, stream))


def _bytes(text):
    return None if text is None else str(text).encode()


def _tensors(q, k, v, out, lse=None, sink_logit=None):
    def tensor(value):
        address, strides = value if isinstance(value, tuple) else (value, (0, 0, 0))
        return Tensor(address, *strides)

    return Tensors(size=C.sizeof(Tensors), q=tensor(q), k=tensor(k), v=tensor(v), out=tensor(out), lse=lse,
                   sink_logit=sink_logit)
