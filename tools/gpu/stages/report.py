"""REPORT.md: what a campaign found, for people; made again from the JSON lines after every stage."""

import os
import shlex

from stages.journal import read

PEERS = ("flash", "cudnn", "efficient", "unfused")


def write(context, command):
    records = read(context.records_path)
    latest = {(r["stage"], r["cell"], r["device"]): r for r in records if r["stage"] != "campaign"}
    stages = {r["cell"]: r for r in records if r["stage"] == "campaign"}
    by_stage = {}
    for record in latest.values():
        by_stage.setdefault(record["stage"], []).append(record)
    text = [*_head(context, records, command), *_stages(stages, by_stage), *_bench(by_stage.get("bench", [])),
            *_losses(by_stage.get("bench", [])), *_failures(latest.values()),
            *_forms(by_stage.get("conformance", [])), *_questions(context)]
    scratch = context.folder / "REPORT.md.new"
    scratch.write_text("\n".join(text) + "\n")
    os.replace(scratch, context.folder / "REPORT.md")


def _head(context, records, command):
    found, built = context.machine, context.attentune
    dates = sorted(record["date"] for record in records)
    clocks = [r["clocks"]["sm_mhz"] for r in records if r.get("clocks") and isinstance(r["clocks"]["sm_mhz"], int)]
    lines = ["# Campaign" + (" (dry: tiny problems on the host; no figure here means anything)" if context.dry else ""),
             "", f"- machine: {found['name']}; {found['cpu']}, {found['cores']} cores; {found['system']}",
             f"- driver {found['driver'] or 'none'}, NVRTC {found['nvrtc'] or 'none'}, "
             f"PyTorch {found['torch'] or 'none'}",
             f"- attentune: {built['version'] or 'none'}, build {built['build'] or 'none'}, device {context.device}"]
    if clocks:
        lines.append(f"- SM clock seen between cells: {min(clocks)} to {max(clocks)} MHz")
    if dates:
        lines.append(f"- date: {dates[0]} to {dates[-1]}")
    return [*lines, f"- command: `{shlex.join(command)}`", ""]


def _stages(stages, by_stage):
    lines = []
    for name, record in stages.items():
        counts = {}
        for cell in by_stage.get(name, []):
            counts[cell["outcome"]] = counts.get(cell["outcome"], 0) + 1
        found = ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items())) or "no cells"
        why = f" ({record['reason']})" if record.get("reason") else ""
        lines.append(f"- {name}: {record['outcome']}{why}, {record['seconds']:.0f} s; {found}")
    return [*lines, ""]


def _bench(records):
    """The table: milliseconds (median, cold L2) and how attentune stands against the best of the others."""
    if not records:
        return []
    names = [name for name in PEERS if any(name in r.get("times", {}) for r in records)]
    lines = [f"| problem | attentune ms | TFLOP/s | {' | '.join(f'{name} ms' for name in names)} | best peer / attentune "
             "| error of bound | kernel |", "|---" * (6 + len(names)) + "|"]
    for record in records:
        times = record.get("times", {})
        ours = times.get("attentune")
        kernel = record.get("kernel")
        row = [record["cell"], f"{ours['ms']:.4g}" if ours else record["outcome"], f"{ours['tflops']:.4g}" if ours else "",
               *(f"{times[name]['ms']:.4g}" if name in times else "-" for name in names),
               f"{record['ratio']:.2f}" if "ratio" in record else "", f"{record['error']:.2f}" if "error" in record else "",
               f"{kernel['trust']}, {kernel['provenance']}" if kernel else ""]
        lines.append("| " + " | ".join(row) + " |")
    return [*lines, ""]


def _losses(records):
    behind = sorted((r for r in records if r.get("ratio", 1) < 1), key=lambda r: r["ratio"])
    if not behind:
        return []
    return ["Where attentune loses, worst first:", "",
            *(f"- {r['cell']}: {r['ratio']:.2f}x of {r['best_peer']} ({r['kernel']['config']})" for r in behind), ""]


def _failures(records):
    bad = [r for r in records if r["outcome"] in ("wrong", "failed", "crashed", "timed_out")]
    lines = ["What failed, and the line that shows it again:", ""] if bad else []
    for record in bad:
        lines.append(f"- {record['stage']} {record['cell']}: {record['outcome']}: {record.get('reason', '')}")
        lines += [f"  - `{line}`" for line in record.get("reproduce", [record["command"]])]
    return [*lines, ""] if bad else []


def _differs(record):
    return any(found["wrong"] for found in record.get("buffers", {}).values())


def _forms(records):
    """Differences by instruction form, where there are any."""
    forms = {}
    for record in records:
        forms.setdefault(record["form"], []).append(record)
    wrong = {form: cases for form, cases in forms.items() if any(map(_differs, cases))}
    lines = [f"Instruction forms: {len(forms)} tried, {len(wrong)} differ from the simulator.", ""] if forms else []
    for form, cases in wrong.items():
        lines.append(f"- `{form}`: {sum(map(_differs, cases))} of {len(cases)} cases")
        for case in cases:
            if case.get("reason"):
                lines.append(f"  - {case['cell']} {case['reason']}")
            for name, found in case.get("buffers", {}).items():
                if found["wrong"]:
                    lines.append(f"  - {case['cell']} {name}: {found['wrong']} of {found['of']} elements, worst "
                                 f"{found['worst_ulp']} ulp, first {found['first']}")
    return [*lines, ""] if wrong else lines


def _questions(context):
    texts = [row["text"] for row in read(context.folder / "questions.jsonl") if row.get("file") == "report.txt"]
    return ["What the questions found:", "", "```", texts[-1].strip(), "```", ""] if texts else []
