"""The problems that tune and bench work on, most important first."""

from dataclasses import dataclass

TOKENS, HIDDEN = 16384, 2048  # a batch of short or one of long sequences, heads as a model of that width has them


@dataclass(frozen=True)
class Cell:
    dtype: str
    head_dim: int
    len_q: int
    len_kv: int
    mask: str = "none"  # none, causal or window (causal, and at most `window` keys)
    batch: int = 0  # 0: TOKENS / len_kv
    heads: int = 0  # 0: HIDDEN / head_dim
    heads_kv: int = 0  # 0: heads
    window: int = 0

    @property
    def sizes(self):
        """batch, heads, heads_kv"""
        heads = self.heads or HIDDEN // self.head_dim
        return self.batch or max(1, TOKENS // self.len_kv), heads, self.heads_kv or heads

    @property
    def problem(self):
        """The line that attentune reads."""
        batch, heads, heads_kv = self.sizes
        words = [f"dtype={self.dtype}", f"batch={batch}", f"heads={heads}/{heads_kv}", f"head_dim={self.head_dim}",
                 f"seq={self.len_q}/{self.len_kv}"]
        if self.mask == "causal":
            words.append("mask=causal()")
        elif self.mask == "window":
            words.append(f"mask=causal()&window({self.window - 1},0)")
        return " ".join(words)

    @property
    def name(self):
        batch, heads, heads_kv = self.sizes
        group = f" h{heads}/{heads_kv}" if heads != heads_kv else ""
        lengths = f"{self.len_q}" if self.len_q == self.len_kv else f"{self.len_q}/{self.len_kv}"
        mask = {"none": "", "causal": " causal", "window": f" window {self.window}"}[self.mask]
        return f"{self.dtype} d{self.head_dim}{group} b{batch} {lengths}{mask}"

    @property
    def visible(self):
        """Keys seen, summed over the rows of one head; bottom-right aligned, as attentune's masks are."""
        if self.mask == "none":
            return self.len_q * self.len_kv
        shift = self.len_kv - self.len_q
        width = self.window or self.len_kv
        return sum(max(0, min(i + shift + 1, width, self.len_kv)) for i in range(self.len_q))

    @property
    def flop(self):
        batch, heads, _ = self.sizes
        return 4 * batch * heads * self.head_dim * self.visible


def _square(dtype, head_dim, lengths=(4096, 16384), **rest):
    return [Cell(dtype, head_dim, n, n, mask, **rest) for n in lengths for mask in ("causal", "none")]


def _grouped(n):
    return Cell("bf16", 128, n, n, "causal", heads=32, heads_kv=8)


def _decode(dtype, head_dim, n):
    return Cell(dtype, head_dim, 1, n, batch=32, heads=32, heads_kv=8)


GPU_CELLS = [*_square("bf16", 128), *_square("bf16", 64), *_square("bf16", 256), _grouped(4096), _grouped(16384),
             _decode("bf16", 128, 8192), _decode("bf16", 128, 32768),
             Cell("bf16", 128, 16384, 16384, "window", window=4096), Cell("bf16", 128, 4096, 4096, "window", window=1024),
             *_square("f16", 128), *_square("f16", 64), _decode("f16", 128, 8192), *_square("bf16", 128, (1024, 8192)),
             *_square("bf16", 96, (4096,), heads=16), *_square("bf16", 80, (4096,), heads=16)]

DRY_CELLS = [Cell("bf16", 64, 96, 96, "causal", batch=1, heads=2),
             Cell("f32", 32, 1, 130, batch=2, heads=4, heads_kv=2),
             Cell("f32", 32, 80, 80, "window", batch=1, heads=2, window=17)]


def tflops(cell, ms):
    """TFLOP/s to four digits."""
    return float(f"{cell.flop / ms / 1e9:.4g}")


def cells(context):
    return DRY_CELLS if context.dry else GPU_CELLS
