"""The CUDA driver through ctypes: PTX in, bytes out. No toolkit, no numpy."""

import ctypes as C

JIT_ERROR_LOG_BUFFER, JIT_ERROR_LOG_BUFFER_SIZE_BYTES = 5, 6
FUNC_MAX_DYNAMIC_SHARED_SIZE_BYTES = 8
LAUNCH_CLUSTER_DIMENSION = 4
LOG_BYTES = 8192
POISON = 0xCB

# CUtensorMapDataType, CUtensorMapSwizzle.
TENSOR_MAP_TYPES = {"u8": 0, "u16": 1, "u32": 2, "s32": 3, "u64": 4, "s64": 5, "f16": 6, "f32": 7, "f64": 8, "bf16": 9}
TENSOR_MAP_SWIZZLES = {0: 0, 32: 1, 64: 2, 128: 3}


class LaunchAttribute(C.Structure):
    """CUlaunchAttribute: the value is a union of 64 bytes, of which a cluster's dimensions take the first 12."""
    _fields_ = [("id", C.c_int), ("pad", C.c_char * 4), ("cluster", C.c_uint * 3), ("rest", C.c_char * 52)]


class LaunchConfig(C.Structure):
    """CUlaunchConfig"""
    _fields_ = [("grid", C.c_uint * 3), ("block", C.c_uint * 3), ("shared_bytes", C.c_uint), ("stream", C.c_void_p),
                ("attributes", C.POINTER(LaunchAttribute)), ("attribute_count", C.c_uint)]


class DriverError(RuntimeError):
    pass


def open_driver():
    return Driver(C.CDLL("libcuda.so.1"))


class Driver:
    """`cuda` is the loaded library, or anything with the same functions."""

    def __init__(self, cuda):
        self.cuda = cuda
        device, context = C.c_int(), C.c_void_p()
        self._check(cuda.cuInit(0), "cuInit")
        self._check(cuda.cuDeviceGet(C.byref(device), 0), "cuDeviceGet")
        self._check(cuda.cuDevicePrimaryCtxRetain(C.byref(context), device), "cuDevicePrimaryCtxRetain")
        self._check(cuda.cuCtxSetCurrent(context), "cuCtxSetCurrent")

    def _check(self, code, what):
        if code:
            name = C.c_char_p()
            self.cuda.cuGetErrorName(code, C.byref(name))
            raise DriverError(f"{what}: {(name.value or b'unknown error').decode()}")

    def load(self, ptx, entry, shared_bytes):
        """Compiles PTX for this GPU and returns its entry."""
        log = C.create_string_buffer(LOG_BYTES)
        options = (C.c_int * 2)(JIT_ERROR_LOG_BUFFER, JIT_ERROR_LOG_BUFFER_SIZE_BYTES)
        values = (C.c_void_p * 2)(C.addressof(log), LOG_BYTES)
        module, function = C.c_void_p(), C.c_void_p()
        code = self.cuda.cuModuleLoadDataEx(C.byref(module), C.c_char_p(ptx), C.c_uint(2), options, values)
        if code:
            self._check(code, f"cuModuleLoadDataEx: {log.value.decode(errors='replace').strip()}")
        self._check(self.cuda.cuModuleGetFunction(C.byref(function), module, entry.encode()),
                    f"cuModuleGetFunction {entry}")
        if shared_bytes > 48 * 1024:
            self._check(self.cuda.cuFuncSetAttribute(function, FUNC_MAX_DYNAMIC_SHARED_SIZE_BYTES,
                                                     C.c_int(shared_bytes)), "cuFuncSetAttribute shared memory")
        return function

    def buffer(self, size, data=b""):
        """A device pointer to `size` bytes that hold `data` and then poison."""
        pointer = C.c_uint64()
        self._check(self.cuda.cuMemAlloc_v2(C.byref(pointer), C.c_size_t(max(size, 16))), "cuMemAlloc")
        self._check(self.cuda.cuMemsetD8_v2(pointer, C.c_ubyte(POISON), C.c_size_t(max(size, 16))), "cuMemsetD8")
        if data:
            self._check(self.cuda.cuMemcpyHtoD_v2(pointer, C.c_char_p(data), C.c_size_t(len(data))), "cuMemcpyHtoD")
        return pointer

    def read(self, pointer, size):
        data = C.create_string_buffer(max(size, 1))
        self._check(self.cuda.cuMemcpyDtoH_v2(data, pointer, C.c_size_t(size)), "cuMemcpyDtoH")
        return data.raw[:size]

    def free(self, pointers):
        for pointer in pointers:
            self._check(self.cuda.cuMemFree_v2(pointer), "cuMemFree")

    def tensor_map(self, pointer, kind, dims, strides, box, swizzle, steps=None, nan_fill=False):
        """The 128 bytes of a tiled map, 64-byte aligned. dims, box and steps: elements, innermost first; strides: bytes
        of every dimension but the innermost."""
        storage = C.create_string_buffer(256)
        address = (C.addressof(storage) + 127) & ~127
        rank = len(dims)
        code = self.cuda.cuTensorMapEncodeTiled(
            C.c_void_p(address), C.c_int(TENSOR_MAP_TYPES[kind]), C.c_uint32(rank), C.c_void_p(pointer.value),
            (C.c_uint64 * rank)(*dims), (C.c_uint64 * max(rank - 1, 1))(*strides), (C.c_uint32 * rank)(*box),
            (C.c_uint32 * rank)(*(steps or [1] * rank)), C.c_int(0), C.c_int(TENSOR_MAP_SWIZZLES[swizzle]), C.c_int(0),
            C.c_int(nan_fill))
        self._check(code, f"cuTensorMapEncodeTiled dims {dims} strides {strides} box {box} swizzle {swizzle}")
        return (C.c_ubyte * 128).from_buffer_copy(C.string_at(address, 128))

    def launch(self, function, *, grid, block, cluster, shared_bytes, arguments):
        """Waits for the end. `arguments`: ctypes values, one a kernel parameter."""
        config = LaunchConfig(grid=(C.c_uint * 3)(*grid), block=(C.c_uint * 3)(*block), shared_bytes=shared_bytes)
        attribute = LaunchAttribute(id=LAUNCH_CLUSTER_DIMENSION, cluster=(C.c_uint * 3)(*cluster))
        if tuple(cluster) != (1, 1, 1):
            config.attributes, config.attribute_count = C.pointer(attribute), 1
        pointers = (C.c_void_p * max(len(arguments), 1))(*[C.addressof(value) for value in arguments])
        self._check(self.cuda.cuLaunchKernelEx(C.byref(config), function, pointers, None), "cuLaunchKernelEx")
        self._check(self.cuda.cuCtxSynchronize(), "the kernel")
