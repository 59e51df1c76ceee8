"""What a bench cell computes, in PyTorch: its tensors, PyTorch's own kernels for it, and the bound that `attentune verify`
puts on the largest error, on sampled rows and in float64 on the device that holds the tensors."""

import math

import torch
import torch.nn.functional as F

DTYPES = {"bf16": torch.bfloat16, "f16": torch.float16, "f32": torch.float32}
MANTISSA_BITS = {"bf16": 7, "f16": 10, "f32": 23}
BACKENDS = ("FLASH_ATTENTION", "CUDNN_ATTENTION", "EFFICIENT_ATTENTION")
SAMPLED_ROWS = 64


class Tensors:
    """q, k, v [batch, length, heads, head_dim] in C order, as attentune takes them; seeded."""

    def __init__(self, cell, device, seed=1):
        self.cell = cell
        batch, heads, heads_kv = cell.sizes
        generator = torch.Generator(device=device).manual_seed(seed)

        def normal(length, count):
            return torch.randn(batch, length, count, cell.head_dim, device=device, generator=generator).to(
                DTYPES[cell.dtype])

        self.q, self.k, self.v = normal(cell.len_q, heads), normal(cell.len_kv, heads_kv), normal(cell.len_kv, heads_kv)
        self.scale = 1 / math.sqrt(cell.head_dim)

    def output(self):
        """An output that nothing has written yet."""
        return torch.full_like(self.q, math.nan)

    def visible(self, rows):
        """[rows, len_kv]: which keys the rows see."""
        cell = self.cell
        j = torch.arange(cell.len_kv, device=self.q.device)[None, :]
        i = rows[:, None] + (cell.len_kv - cell.len_q)
        if cell.mask == "none":
            return (j >= 0).expand(len(rows), -1)
        return (j <= i) & (j > i - cell.window) if cell.mask == "window" else j <= i


def peers(tensors):
    """{backend: call}; a call returns [batch, len_q, heads, head_dim]. Nothing where this PyTorch has no
    scaled_dot_product_attention. Windows are given as an explicit mask: PyTorch has no other way to say them."""
    try:
        from torch.nn.attention import SDPBackend, sdpa_kernel
    except ImportError:
        return {}
    cell = tensors.cell
    q, k, v = (t.transpose(1, 2) for t in (tensors.q, tensors.k, tensors.v))
    options = {"enable_gqa": True} if q.shape[1] != k.shape[1] else {}
    if cell.mask == "causal" and cell.len_q == cell.len_kv:  # PyTorch aligns is_causal to the top left
        options["is_causal"] = True
    elif cell.mask != "none":
        options["attn_mask"] = tensors.visible(torch.arange(cell.len_q, device=q.device))[None, None]

    def call(backend):
        def attend():
            with sdpa_kernel([backend]), torch.no_grad():
                return F.scaled_dot_product_attention(q, k, v, **options).transpose(1, 2)
        return attend

    return {name.removesuffix("_ATTENTION").lower(): call(getattr(SDPBackend, name)) for name in BACKENDS}


def unfused(tensors):
    """Three plain operations, for a PyTorch that has nothing better."""
    cell = tensors.cell
    _, heads, heads_kv = cell.sizes
    q, k, v = (t.transpose(1, 2).float() for t in (tensors.q, tensors.k, tensors.v))
    k, v = (t.repeat_interleave(heads // heads_kv, dim=1) for t in (k, v))
    hidden = ~tensors.visible(torch.arange(cell.len_q, device=q.device))

    def attend():
        s = (q @ k.transpose(2, 3) * tensors.scale).masked_fill(hidden, -math.inf)
        return (torch.softmax(s, dim=3) @ v).to(tensors.q.dtype).transpose(1, 2)

    return attend


class Judge:
    """Holds outputs against the exact ones of sampled rows: the first, the last, and seeded ones between."""

    def __init__(self, tensors, seed=7):
        self.tensors = tensors
        cell = tensors.cell
        batch, heads, heads_kv = cell.sizes
        generator = torch.Generator().manual_seed(seed)

        def pick(limit):
            ends = torch.tensor([0, limit - 1])
            return torch.cat([ends, torch.randint(limit, (SAMPLED_ROWS - 2,), generator=generator)]).to(
                tensors.q.device)

        self.index = pick(batch), pick(cell.len_q), pick(heads)
        b, i, h = self.index
        q = tensors.q[b, i, h]
        visible = tensors.visible(i)
        hk = h // (heads // heads_kv)
        exact, naive, worst = [], [], 0.0
        for row in range(SAMPLED_ROWS):
            k, v = tensors.k[b[row], :, hk[row]], tensors.v[b[row], :, hk[row]]
            exact.append(self._exact(q[row], k, v, visible[row]))
            naive.append(self._naive(q[row], k, v, visible[row]))
            worst = max(worst, float((k.double() @ q[row].double()).abs().max()) * tensors.scale)
        self.exact, naive = torch.stack(exact), torch.stack(naive).double()
        largest = float(self.exact.abs().max())
        ulp = 2.0 ** (math.floor(math.log2(max(largest, 2.0**-14))) - MANTISSA_BITS[cell.dtype])
        tiny = 2.0**-22 * (1 + worst) * float(tensors.v.abs().max())
        self.bound = 2 * float((naive - self.exact).abs().max()) + ulp + tiny

    def _exact(self, q, k, v, visible):
        s = (k.double() @ q.double() * self.tensors.scale).masked_fill(~visible, -math.inf)
        return torch.softmax(s, dim=0) @ v.double()

    def _naive(self, q, k, v, visible):
        """S in f32, P rounded to the inputs' type and not normalized, the sum taken of unrounded P."""
        s = (k.float() @ q.float() * self.tensors.scale).masked_fill(~visible, -math.inf)
        p = torch.exp(s - s.max())
        return (p.to(v.dtype).float() @ v.float() / p.sum()).to(v.dtype)

    def error(self, out):
        """The largest error over its bound: at most 1 passes; infinite where a NaN stands."""
        worst = float((out[self.index].double() - self.exact).abs().max())
        return worst / self.bound if math.isfinite(worst) else 1e300

    def distance(self, a, b):
        """The largest difference of two whole outputs over the bound: the sampled rows say nothing of the others."""
        worst = max(float((x.float() - y.float()).abs().max()) for x, y in zip(a, b))  # a batch at a time, for memory
        return worst / self.bound if math.isfinite(worst) else 1e300
