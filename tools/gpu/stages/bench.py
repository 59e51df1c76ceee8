"""bench: attentune through its C interface beside PyTorch's attention kernels, interleaved in one process."""

from stages.cells import cells, tflops
from stages.context import Skip
from stages.journal import Journal
from stages.progress import Progress
from stages.workers import run_cells

SILENCE_SECONDS = 45  # importing torch and starting CUDA, or a cell: a kernel not yet stored is compiled
CELL_SECONDS = 0.6  # of timing, all calls of a cell together
DISTANCE_LIMIT = 4  # of two whole outputs, in bounds: each may be off by one, and the bound is of a sample


def run(context):
    """The stage. Returns False when a cell is wrong, crashes or hangs."""
    if not context.machine["torch"]:
        raise Skip("there is no PyTorch for this Python")
    if not context.attentune["library"]:
        raise Skip("there is no libattentune.so beside the command (../lib)")
    if context.device == "host" and not context.attentune["host_codegen"]:
        raise Skip("this attentune was built without host code generation, so nothing runs on the host")
    journal = Journal(context, "bench")
    by_name = {cell.name: cell for cell in cells(context)}
    progress = Progress("bench", len(by_name), context.deadline)
    before = [name for name in by_name if journal.finished(name)]
    progress.resumed(len(before))
    bad = sum(journal.finished(name)["outcome"] not in ("ok", "refused") for name in before)
    best = 0.0

    def on_result(name, values):
        nonlocal bad, best
        outcome = values.pop("outcome")
        record = journal.write(name, outcome, problem=by_name[name].problem, **values,
                               command=f"tools/gpu/campaign bench --out {context.out}")
        bad += outcome not in ("ok", "refused")
        if record.get("ratio", 0) > best:
            best = record["ratio"]
            progress.best = f"{best:.2f}x {record['best_peer']}"
        progress.cell(f"{name}: {outcome} {sentence(record)}")

    run_cells(context, "bench", [name for name in by_name if name not in before], silence=SILENCE_SECONDS,
              on_result=on_result)
    return bad == 0


def sentence(record):
    if "times" not in record:
        return record.get("reason", "")
    times = ", ".join(f"{name} {time['ms']:.4g} ms" for name, time in record["times"].items())
    return f"{times}; error {record.get('error', float('nan')):.2f} of the bound"


def open_worker(context):
    import atexit

    import torch

    import attentune_ctypes as attentune
    from stages import timing

    device = "cpu" if context.device == "host" else "cuda"
    clock = timing.HostClock() if device == "cpu" else timing.CudaClock()
    runtime = attentune.Interface(context.attentune["library"]).runtime(
        device=context.device, store=str(context.store_path))
    atexit.register(runtime.close)
    by_name = {cell.name: cell for cell in cells(context)}
    seconds = 0.05 if context.dry else CELL_SECONDS

    def measure(name):
        values = _measure(runtime, clock, by_name[name], device, seconds)
        if device == "cuda":
            torch.cuda.empty_cache()
        return {"torch": torch.__version__, **values}

    return measure


def _working(calls, refusals):
    """Those of `calls` that run, with what they return; the others' reasons go into `refusals`."""
    outputs = {}
    for name, call in calls.items():
        try:
            outputs[name] = call()
        except (RuntimeError, TypeError) as error:
            if "CUDA error" in str(error):
                raise
            refusals[name] = str(error).strip().split("\n")[0][:200]
    return outputs


def _measure(runtime, clock, cell, device, seconds):
    from attentune_ctypes import AttentuneError
    from stages import attention, timing

    tensors = attention.Tensors(cell, device)
    refusals = {}
    calls = attention.peers(tensors) or {"unfused": attention.unfused(tensors)}
    outputs = _working(calls, refusals)
    judge = attention.Judge(tensors)
    values = {"refused_peers": refusals, "peer_errors": {name: judge.error(out) for name, out in outputs.items()}}
    calls = {name: calls[name] for name in outputs}
    out = tensors.output()
    try:
        with runtime.abi.problem(cell.problem) as problem, runtime.kernel(problem) as kernel, \
                kernel.bind(problem, q=tensors.q.data_ptr(), k=tensors.k.data_ptr(), v=tensors.v.data_ptr(),
                            out=out.data_ptr()) as binding:
            def launch():
                binding.launch(clock.stream())

            launch()
            clock.synchronize()
            values |= {"kernel": kernel.describe(), "error": judge.error(out),
                       "distances": {name: judge.distance(out, theirs) for name, theirs in outputs.items()}}
            outputs.clear()
            right = values["error"] <= 1 and all(d <= DISTANCE_LIMIT for d in values["distances"].values())
            times = timing.interleaved(clock, {"attentune": launch, **calls}, seconds)
    except AttentuneError as error:
        # The peers' times are kept: they are what a refused problem is up against.
        if error.status not in ("REFUSED", "MISS", "COMPILE_FAILED"):
            raise
        times = timing.interleaved(clock, calls, seconds) if calls else {}
        outcome = "refused" if error.status == "REFUSED" else "failed"
        return {"outcome": outcome, "reason": str(error), "times": _with_rates(times, cell), **values}
    values["times"] = _with_rates(times, cell)
    if calls:
        best = min(calls, key=lambda name: times[name]["ms"])
        values |= {"best_peer": best, "ratio": round(times[best]["ms"] / times["attentune"]["ms"], 4)}
    reason = {} if right else {"reason": "our output differs: error or distance over its limit"}
    return {"outcome": "ok" if right else "wrong", **reason, **values}


def _with_rates(times, cell):
    return {name: {**time, "tflops": tflops(cell, time["ms"])} for name, time in times.items()}
