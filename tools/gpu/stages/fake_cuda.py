"""A libcuda for dry runs: the calls of driver.py on host memory, with the kernels of tools/gpu/cases written in Python.
It proves the plumbing, never an instruction."""

import ctypes as C
import struct


def _add(read, write, a, b, out, n):
    for i in range(n):
        x, y = (struct.unpack("<f", read(base + 4 * i, 4))[0] for base in (a, b))
        write(out + 4 * i, struct.pack("<f", x + y))


def _exp2(read, write, x, out, n):
    for i in range(n):
        (value,) = struct.unpack("<f", read(x + 4 * i, 4))
        (bits,) = struct.unpack("<I", struct.pack("<f", 2.0**value))
        write(out + 4 * i, struct.pack("<I", bits ^ (i & 1)))  # a last bit off, as an approximation may be


# Entry -> what it does, and the types of its parameters.
KERNELS = {"conformance_add": (_add, (C.c_uint64, C.c_uint64, C.c_uint64, C.c_uint32)),
           "conformance_exp2": (_exp2, (C.c_uint64, C.c_uint64, C.c_uint32))}


class FakeCuda:
    def __init__(self):
        self._memory = {}  # address -> its ctypes buffer
        self._entries = []

    def cuInit(self, flags):
        return 0

    def cuDeviceGet(self, device, ordinal):
        return 0

    def cuDevicePrimaryCtxRetain(self, context, device):
        return 0

    def cuCtxSetCurrent(self, context):
        return 0

    def cuCtxSynchronize(self):
        return 0

    def cuGetErrorName(self, code, name):
        name._obj.value = b"CUDA_ERROR_OF_A_DRY_RUN"
        return 0

    def cuModuleLoadDataEx(self, module, ptx, count, options, values):
        module._obj.value = 1
        return 0 if ptx.value.lstrip().startswith((b".version", b"//")) else 218

    def cuModuleGetFunction(self, function, module, entry):
        if entry.decode() not in KERNELS:
            return 500
        self._entries.append(entry.decode())
        function._obj.value = len(self._entries)
        return 0

    def cuFuncSetAttribute(self, function, attribute, value):
        return 0

    def cuMemAlloc_v2(self, pointer, size):
        memory = C.create_string_buffer(size.value)
        pointer._obj.value = C.addressof(memory)
        self._memory[pointer._obj.value] = memory
        return 0

    def cuMemFree_v2(self, pointer):
        return 0 if self._memory.pop(pointer.value, None) is not None else 1

    def cuMemsetD8_v2(self, pointer, value, size):
        C.memset(pointer.value, value.value, size.value)
        return 0

    def cuMemcpyHtoD_v2(self, pointer, data, size):
        C.memmove(pointer.value, data, size.value)
        return 0

    def cuMemcpyDtoH_v2(self, data, pointer, size):
        C.memmove(data, pointer.value, size.value)
        return 0

    def cuTensorMapEncodeTiled(self, map_, kind, rank, address, dims, strides, box, *rest):
        C.memset(map_.value, rank.value, 128)
        return 0

    def cuLaunchKernelEx(self, config, function, parameters, extra):
        kernel, types = KERNELS[self._entries[function.value - 1]]
        values = [C.cast(parameters[i], C.POINTER(kind)).contents.value for i, kind in enumerate(types)]
        kernel(C.string_at, lambda address, data: C.memmove(address, data, len(data)), *values)
        return 0
