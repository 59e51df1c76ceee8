"""Writes a case: NAME.ptx and NAME.json."""

import json
import re
import struct
from dataclasses import dataclass

from generator.values import LANES

LETTERS = {16: "H", 32: "I", 64: "Q"}
VERSIONS = {"sm_80": "7.8", "sm_89": "8.4", "sm_90": "8.0", "sm_90a": "8.0"}


@dataclass
class Output:
    """A buffer that is compared. data: what it holds before, b"" for poison. expected: what it holds after, where that
    is worked out here and the simulator must agree; b"" takes the simulator's word."""
    size: int
    data: bytes = b""
    kind: str = "u8"
    tolerance_ulp: int = 0
    expected: bytes = b""

    def argument(self):
        before = {"data": self.data.hex()} if self.data else {}
        loose = {"type": self.kind, "tolerance_ulp": self.tolerance_ulp} if self.tolerance_ulp else {}
        return before | loose | {"expected": self.expected.hex() or "00" * self.size}


@dataclass
class TensorMap:
    """Of the buffer `of`; a row of the tensor is `pitch` bytes after the one before, every further dimension dense."""
    of: str
    kind: str
    dims: list
    box: list
    pitch: int = 0
    swizzle: int = 0
    steps: list | None = None
    nan_fill: bool = False

    @property
    def strides(self):
        found = [self.pitch] if len(self.dims) > 1 else []
        for extent in self.dims[1:-1]:
            found.append(found[-1] * extent)
        return found

    def argument(self):
        steps = {"steps": self.steps} if self.steps else {}
        fill = {"nan_fill": True} if self.nan_fill else {}
        return {"of": self.of, "type": self.kind, "dims": self.dims, "strides": self.strides, "box": self.box,
                "swizzle": self.swizzle} | steps | fill


def identifier(text):
    return re.sub("::|[.: ,]", "_", text)


class Cases:
    def __init__(self, folder):
        self.folder = folder
        self.names = []
        self.worked_out = []  # names of those whose results are known without the simulator
        self.forms = set()  # the opcodes that stand in a kernel

    def write(self, form, body, inputs, outputs, *, arch="sm_80", block=LANES, grid=1, cluster=1, maps=None,
              scalars=None, registers="", directives="", informative="", version=""):
        """body: with %p_NAME, the address of each buffer and map, and %lane, the thread. inputs: NAME -> bytes.
        outputs: NAME -> Output. maps: NAME -> TensorMap. scalars: NAME -> type and
        value, loaded by the body."""
        name = identifier(form)
        assert name not in self.names + self.worked_out, name
        known = all(output.expected for output in outputs.values())
        (self.worked_out if known else self.names).append(name)
        maps, scalars = maps or {}, scalars or {}
        names = {each: identifier(each) for each in [*inputs, *outputs]}
        parameters = [f".param .u64 {each}" for each in names.values()]
        parameters += [f".param .align 64 .b8 {each}[128]" for each in maps]
        parameters += [f".param .{kind} {each}" for each, (kind, value) in scalars.items()]
        loads = [f"  ld.param.u64 %p_{each}, [{each}];" for each in names.values()]
        loads += [f"  mov.b64 %p_{each}, {each};\n  cvta.param.u64 %p_{each}, %p_{each};" for each in maps]
        pointers = ", ".join(f"%p_{each}" for each in [*names.values(), *maps])
        (self.folder / f"{name}.ptx").write_text(f""".version {version or VERSIONS[arch]}
.target {arch}
.address_size 64

.visible .entry conformance({", ".join(parameters)}){directives}
{{
  .reg .b64 {pointers}, %at;
  .reg .u32 %lane;
{registers}
{chr(10).join(loads)}
  mov.u32 %lane, %tid.x;
{body}
  ret;
}}
""")
        arguments = [{"kind": "buffer", "name": each, "data": data.hex()} for each, data in inputs.items()]
        arguments += [{"kind": "buffer", "name": each} | output.argument() for each, output in outputs.items()]
        arguments += [{"kind": "tensor_map", "name": each} | given.argument() for each, given in maps.items()]
        arguments += [{"kind": "scalar", "name": each, "type": kind, "value": value}
                      for each, (kind, value) in scalars.items()]
        given = {"form": form, "arch": arch, "entry": "conformance"}
        given |= {"informative": informative} if informative else {}
        given |= {"grid": [grid, 1, 1]} if grid > 1 else {}
        given |= {"block": [block, 1, 1]}
        given |= {"cluster": [cluster, 1, 1]} if cluster > 1 else {}
        (self.folder / f"{name}.json").write_text(json.dumps(given | {"arguments": arguments}))

    def lanes(self, form, outputs, inputs, tuples, *, text=None, out_type="", tolerance=0, **options):
        """One instruction on a tuple a lane. outputs, inputs: bits of each register, 1 for a predicate. text: the
        instruction where it is not FORM d..., a...; with {d0} {a0} and so on."""
        self.forms.add(form.split(" ")[0])
        declared, body, buffers = load_operands(inputs, tuples)
        for n, bits in enumerate(outputs):
            declared.append(f"  .reg .pred %d{n};" if bits == 1 else f"  .reg .b{bits} %d{n};")
        names = {f"d{n}": f"%d{n}" for n in range(len(outputs))}
        names |= {f"a{n}": f"%q{n}" if bits == 1 else f"%a{n}" for n, bits in enumerate(inputs)}
        text = text or form + " " + ", ".join("{" + each + "}" for each in names)
        body.append("  " + text.format(**names) + ";")
        size = sum(4 if bits == 1 else bits // 8 for bits in outputs)
        body.append(f"  mad.wide.u32 %at, %lane, {size}, %p_out;")
        at = 0
        for n, bits in enumerate(outputs):
            if bits == 1:
                declared.append(f"  .reg .b32 %e{n};")
                body.append(f"  selp.u32 %e{n}, 1, 0, %d{n};\n  st.global.b32 [%at+{at}], %e{n};")
                at += 4
            else:
                body.append(f"  st.global.b{bits} [%at+{at}], %d{n};")
                at += bits // 8
        out = Output(size * len(tuples), kind=out_type, tolerance_ulp=tolerance)
        self.write(form, "\n".join(body), buffers, {"out": out}, block=len(tuples), registers="\n".join(declared),
                   **options)

    def together(self, title, output, inputs, tuples, opcodes, **options):
        """Forms of one kind in one kernel: each on the same operands, a tuple a lane, into a buffer of its name.
        output, inputs: bits of the registers, 1 for a predicate."""
        self.forms |= set(opcodes)
        declared, body, buffers = load_operands(inputs, tuples)
        declared.append("  .reg .pred %d;\n  .reg .b16 %e;" if output == 1 else f"  .reg .b{output} %d;")
        operands = "".join(f", %q{n}" if bits == 1 else f", %a{n}" for n, bits in enumerate(inputs))
        size = 1 if output == 1 else output // 8
        for opcode in opcodes:
            body.append(f"  {opcode} %d{operands};")
            if output == 1:
                body.append("  selp.b16 %e, 1, 0, %d;")
            body.append(f"  mad.wide.u32 %at, %lane, {size}, %p_{identifier(opcode)};\n"
                        f"  st.global.b{8 * size} [%at], {'%e' if output == 1 else '%d'};")
        self.write(title, "\n".join(body), buffers, {opcode: Output(size * len(tuples)) for opcode in opcodes},
                   block=len(tuples), registers="\n".join(declared), **options)


def load_operands(inputs, tuples):
    """Declarations, code that loads %a0 and so on (%q0 for a predicate), and the buffers it loads from."""
    declared, body, buffers = [], [], {}
    for n, bits in enumerate(inputs):
        stored = 32 if bits == 1 else bits
        buffers[f"a{n}"] = b"".join(struct.pack(f"<{LETTERS[stored]}", each[n] & (1 << stored) - 1) for each in tuples)
        declared.append(f"  .reg .b{stored} %a{n};")
        body.append(f"  mad.wide.u32 %at, %lane, {stored // 8}, %p_a{n};\n  ld.global.b{stored} %a{n}, [%at];")
        if bits == 1:
            declared.append(f"  .reg .pred %q{n};")
            body.append(f"  setp.ne.u32 %q{n}, %a{n}, 0;")
    return declared, body, buffers
