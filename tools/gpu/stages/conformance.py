"""conformance: micro-kernels on the GPU against the bytes the simulator computed, a case an instruction form or
forms of one kind."""

import pathlib
import shutil
import subprocess

from stages import case as cases
from stages import driver
from stages import fake_cuda
from stages.context import Skip
from stages.fake_cuda import FakeCuda
from stages.journal import Journal
from stages.progress import Progress
from stages.workers import run_cells

CASE_SECONDS = 20
NO_DIFFERENCE = ("ok", "refused", "skipped")  # outcomes that do not speak against the simulator


def _cell(case):
    # A case whose bytes changed is another cell.
    return f"{case.name}@{case.digest}"


def run(context):
    """The stage: every case not finished before. Returns False when a case differs."""
    journal = Journal(context, "conformance")
    paths = sorted(pathlib.Path(context.cases).glob("*.json"))
    if not paths:
        raise Skip(f"there are no cases in {context.cases}")
    todo, broken = {}, 0
    for path in paths:
        try:
            case = cases.load(path)
        except cases.CaseError as error:
            broken += 1
            journal.write(path.stem, "failed", reason=str(error), form="unreadable")
            continue
        todo[_cell(case)] = case
    progress = Progress("conformance", len(todo), context.deadline)
    before = [cell for cell in todo if journal.finished(cell)]
    progress.resumed(len(before))
    bad = broken + sum(journal.finished(cell)["outcome"] not in NO_DIFFERENCE for cell in before)

    def on_result(cell, values):
        nonlocal bad
        case = todo[cell]
        outcome = values.pop("outcome")
        bad += outcome not in NO_DIFFERENCE
        journal.write(cell, outcome, form=case.form, **values,
                      command=f"tools/gpu/campaign conformance --cases {context.cases} --out {context.out}")
        progress.cell(f"{case.name}: {outcome} {_sentence(values)}")

    run_cells(context, "conformance", [cell for cell in todo if cell not in before], silence=CASE_SECONDS,
              on_result=on_result)
    return bad == 0


def _sentence(values):
    parts = [values["reason"]] if values.get("reason") else []
    for name, found in values.get("buffers", {}).items():
        if found["wrong"]:
            first = found["first"]
            parts.append(f"{name}: {found['wrong']} of {found['of']} differ, first [{first['index']}] "
                         f"want {first['want']} got {first['got']}")
    return "; ".join(parts)


def open_worker(context):
    """Loads a case, launches it, compares. In a dry run on host memory, and through ptxas where there is one."""
    gpu = driver.Driver(FakeCuda()) if context.dry else driver.open_driver()

    def measure(cell):
        case = cases.load(pathlib.Path(context.cases, cell.rsplit("@", 1)[0]).with_suffix(".json"))
        if context.dry and case.entry not in fake_cuda.KERNELS:
            return {"outcome": "skipped", "reason": "a dry run does not compute this kernel"}
        if context.dry:
            _assemble(pathlib.Path(context.cases, case.name).with_suffix(".ptx"), case.arch)
        return compare(gpu, case)

    return measure


def compare(gpu, case):
    pointers, arguments = {}, []
    for each in case.arguments:
        if isinstance(each, cases.Buffer):
            pointers[each.name] = gpu.buffer(each.size, each.data)
    for each in case.arguments:
        if isinstance(each, cases.Buffer):
            if each.parameter:
                arguments.append(pointers[each.name])
        elif isinstance(each, cases.Scalar):
            arguments.append(each.value)
        else:
            arguments.append(gpu.tensor_map(pointers[each.of], each.kind, each.dims, each.strides, each.box,
                                            each.swizzle, each.steps, each.nan_fill))
    try:
        function = gpu.load(case.ptx, case.entry, case.shared_bytes)
    except driver.DriverError as error:
        # This GPU or driver does not take the PTX; nothing ran, and the context is sound.
        gpu.free(pointers.values())
        return {"outcome": "refused", "reason": str(error)}
    gpu.launch(function, grid=case.grid, block=case.block, cluster=case.cluster, shared_bytes=case.shared_bytes,
               arguments=arguments)
    found = {each.name: cases.differences(each, gpu.read(pointers[each.name], each.size))
             for each in case.arguments if isinstance(each, cases.Buffer) and each.expected is not None}
    gpu.free(pointers.values())
    wrong = any(each["wrong"] for each in found.values())
    if wrong and case.informative:
        return {"outcome": "ok", "reason": f"differs: {case.informative}", "buffers": found}
    return {"outcome": "wrong" if wrong else "ok", "buffers": found}


def _assemble(path, arch):
    """Without a GPU the PTX can at least be assembled."""
    ptxas = shutil.which("ptxas")
    if not ptxas:
        return
    done = subprocess.run([ptxas, f"-arch={arch}", "-o", "/dev/null", str(path)], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{path.name} does not assemble: {done.stderr.strip() or done.stdout.strip()}")
