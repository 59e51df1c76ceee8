"""What stands here: GPU, driver, NVRTC, PyTorch, attentune; as values, asked once and carried in every record."""

import ctypes
import glob
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import pathlib
import platform
import shutil
import subprocess
import sys

PROPERTIES = ("memory.total", "power.limit", "clocks.max.sm", "clocks.max.mem", "mig.mode.current", "vbios_version")


def _output(command, timeout=20):
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=timeout).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""


def _nvidia_smi(fields):
    """The values of GPU 0 as text; [] where there is no driver."""
    if not shutil.which("nvidia-smi"):
        return []
    text = _output(["nvidia-smi", "--id=0", f"--query-gpu={','.join(fields)}", "--format=csv,noheader,nounits"])
    values = [value.strip() for value in text.strip().split(",")]
    return values if len(values) == len(fields) else []


def clocks(found):
    """{"sm_mhz", "memory_mhz"} as they are now; None on a host, whose clocks say nothing."""
    if not found["gpu"]:
        return None
    values = _nvidia_smi(("clocks.sm", "clocks.mem"))
    return dict(zip(("sm_mhz", "memory_mhz"), (int(value) if value.isdigit() else value for value in values))) or None


def _gpu():
    """(name, driver version) of GPU 0; ("", "") where there is none. The driver itself is asked where nvidia-smi is
    not carried along, and then its version is that of the CUDA it serves."""
    values = _nvidia_smi(("name", "driver_version"))
    if values:
        return tuple(values)
    try:
        cuda = ctypes.CDLL("libcuda.so.1")
        name, version = ctypes.create_string_buffer(256), ctypes.c_int()
        if cuda.cuInit(0) or cuda.cuDeviceGetName(name, 256, 0) or cuda.cuDriverGetVersion(ctypes.byref(version)):
            return "", ""
    except (OSError, AttributeError):
        return "", ""
    return name.value.decode(), f"CUDA {version.value // 1000}.{version.value % 1000 // 10}"


def _candidates(name, folder_globs):
    roots = [os.environ.get("CUDA_HOME"), "/usr/local/cuda"]
    nvcc = shutil.which("nvcc")
    roots.append(os.path.dirname(os.path.dirname(os.path.realpath(nvcc))) if nvcc else None)
    folders = [f"{root}/{folder}" for root in roots if root for folder in ("lib64", "lib")]
    folders += [folder for path in sys.path for pattern in folder_globs for folder in glob.glob(f"{path}/{pattern}")]
    return [name] + [f"{folder}/{name}" for folder in folders]


def find_nvrtc():
    """(path, "13.0") of the first libnvrtc that loads, or None. The loader's own path comes first, then the toolkit,
    then the wheels beside PyTorch."""
    for name in ("libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so"):
        for path in [os.environ.get("ATTENTUNE_NVRTC")] + _candidates(name, ("nvidia/*/lib",)):
            try:
                library = ctypes.CDLL(path) if path else None
                major, minor = ctypes.c_int(), ctypes.c_int()
                if library and library.nvrtcVersion(ctypes.byref(major), ctypes.byref(minor)) == 0:
                    return path, f"{major.value}.{minor.value}"
            except (OSError, AttributeError):
                continue
    return None


def _package(name):
    """A package's version without importing it; "" when it is not there."""
    if not importlib.util.find_spec(name):
        return ""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "of unknown version"


def _cpu_name():
    with open("/proc/cpuinfo") as file:
        names = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    return names[0] if names else platform.machine()


def find():
    gpu, driver = _gpu()
    nvrtc = find_nvrtc()
    return {"name": gpu or _cpu_name(), "gpu": gpu, "driver": driver,
            "gpu_properties": dict(zip(PROPERTIES, _nvidia_smi(PROPERTIES))), "cpu": _cpu_name(), "cores": os.cpu_count(),
            "system": f"{platform.system()} {platform.release()}", "python": platform.python_version(),
            "nvrtc": nvrtc[1] if nvrtc else "", "nvrtc_path": nvrtc[0] if nvrtc else "", "torch": _package("torch"),
            "numpy": _package("numpy"), "nvcc": shutil.which("nvcc") or ""}


def find_attentune(root, wanted, dry):
    """{"cli", "library", "build", "version", "watchdog", "host_codegen"}. `wanted`: a path of the command, or None to
    look in a carried package (bin/) and in the build trees, in a dry run for one that runs kernels on the host."""
    trees = ("release", "nocodegen") if dry else ("nocodegen", "release")
    places = [root / "bin/attentune", *(root / f"build/{tree}/bin/attentune" for tree in trees)]
    if wanted:
        places = [pathlib.Path(wanted)]
    cli = next((place.resolve() for place in places if place.exists()), None)
    if not cli:
        return {"cli": "", "library": "", "build": "", "version": "", "watchdog": False, "host_codegen": False}
    library = cli.parent.parent / "lib/libattentune.so"
    digest = hashlib.sha256(cli.read_bytes() + (library.read_bytes() if library.exists() else b""))
    checks = [json.loads(line) for line in _output([str(cli), "doctor", "--device", "host", "--json"]).splitlines()]
    return {"cli": str(cli), "library": str(library) if library.exists() else "", "build": digest.hexdigest()[:12],
            "version": _output([str(cli), "--version"]).strip(),
            "watchdog": "--watchdog" in _output([str(cli), "verify", "--help"]),
            "host_codegen": any(check.get("check") == "kernel" and check["status"] == "ok" for check in checks)}


def first_line(found, attentune):
    """What is here and what is missing, in one line."""
    parts = {"GPU": found["gpu"], "driver": found["driver"], "NVRTC": found["nvrtc"], "torch": found["torch"],
             "numpy": found["numpy"], "attentune": attentune["version"].removeprefix("attentune "),
             "libattentune.so": attentune["library"] and "yes"}
    here = ", ".join(f"{name} {value}" for name, value in parts.items() if value)
    missing = ", ".join(name for name, value in parts.items() if not value)
    return f"found: {here}; missing: {missing or 'nothing'}"
