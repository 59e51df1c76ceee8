#!/usr/bin/env python3
"""Are the layout and protocol rules the templates rely on true on this GPU?  facts_check.py OUT.jsonl [--group NAME] [--dry]
Each group runs in its own process, so a fault or a hang costs one group. Host references are numpy float64; operands are small
integers, exact in every type, so the single-instruction checks expect error 0. --dry compiles every kernel, fails on any ptxas wgmma
complaint, and checks the host-built shared-memory images against a CPU walk of the descriptors; it needs no GPU."""
import argparse, ctypes as C, json, os, subprocess, sys, time
import numpy as np
import gpu as G
from ptxgen import PRELUDE, wg, toy, toy_smem

DRY, OUT, DEV = False, None, None
RNG = np.random.default_rng(7)
MASK = {128: 7, 64: 3, 32: 1, 0: 0}
BITS = {128: 1, 64: 2, 32: 3, 0: 0}
i32, u64, f32 = C.c_int, C.c_uint64, C.c_float


def emit(**kw):
    OUT.write(json.dumps(kw) + "\n"); OUT.flush()
    if kw.get("q") == "fact":
        print("%s %-66s err %.3g %s" % ("PASS" if kw["pass"] else "FAIL", kw["name"], kw["max_err"], kw.get("note", "")), flush=True)


def fact(name, got, want, tol=0.0, **kw):
    got, want = np.asarray(got, np.float64), np.asarray(want, np.float64)
    err = float(np.max(np.abs(got - want))) if got.shape == want.shape and np.all(np.isfinite(got)) else float("inf")
    emit(q="fact", name=name, **{"pass": bool(err <= tol)}, max_err=err if err < 1e300 else 1e300, tol=tol,
         wrong=int(np.sum(~(np.abs(got - want) <= tol))) if got.shape == want.shape else -1, **kw)


def build(src, name, smem=0):
    cubin, log, ms = G.compile_cuda(src)
    bad = G.warnings_in(log)
    if DRY:
        print("  built %-10s %6.0f ms %s" % (name, ms, bad or "clean"))
        assert not bad, log
        return None
    return DEV.load(cubin, name, smem)


# ---- number formats ----
def bf16(x):
    u = np.asarray(x, np.float32).view(np.uint32).astype(np.uint64)
    return ((u + 0x7FFF + ((u >> 16) & 1)) >> 16).astype(np.uint16)


def unbf16(h):
    return (h.astype(np.uint32) << 16).view(np.float32).astype(np.float64)


def small8(x, mant, bias):                     # exact for small integers: e4m3 (3, 7), e5m2 (2, 15)
    x = np.asarray(x, np.float64); a = np.abs(x); e = np.where(a > 0, np.floor(np.log2(np.maximum(a, 1e-9))), 0)
    v = ((e + bias) * 2 ** mant + (a / 2 ** e - 1) * 2 ** mant).astype(np.int64) | np.where(x < 0, 128, 0)
    return np.where(a > 0, v, 0).astype(np.uint8)


ENC = {"bf16": bf16, "f16": lambda x: np.asarray(x, np.float16).view(np.uint16), "e4m3": lambda x: small8(x, 3, 7), "e5m2": lambda x: small8(x, 2, 15)}
ES = {"bf16": 2, "f16": 2, "e4m3": 1, "e5m2": 1}


def ints(shape, hi=4):
    return RNG.integers(-hi, hi + 1, shape).astype(np.float64)


# ---- shared-memory images (PTX ISA, wgmma: matrix descriptor, shared-memory layout) ----
def swz(a, W):
    return a ^ (((a >> 7) & MASK[W]) << 4)


def image_k(X, ty, W):
    """K-major operand X[rows][K]: column slabs of W bytes. -> bytes, per-K-step byte offsets, LBO, SBO"""
    raw = ENC[ty](X); raw = raw.view(np.uint8).reshape(X.shape[0], -1)
    rows, kb = raw.shape
    r, b = np.meshgrid(np.arange(rows), np.arange(kb), indexing="ij")
    if W:
        addr, lbo, sbo = swz((b // W) * rows * W + r * W + b % W, W), 16, 8 * W
        offs = [(32 * j // W) * rows * W + 32 * j % W for j in range(kb // 32)]
    else:                                       # core matrices 8 rows x 16 bytes; 16-byte columns `rows`*16 apart
        addr, lbo, sbo = (b // 16) * rows * 16 + (r // 8) * 128 + (r % 8) * 16 + b % 16, rows * 16, 128
        offs = [2 * j * rows * 16 for j in range(kb // 32)]
    img = np.zeros((rows * kb + 1023) // 1024 * 1024, np.uint8); img[addr] = raw
    return img, offs, lbo, sbo


def image_mn(X, ty, W):
    """MN-major operand X[mn][K] stored as K rows of mn: slabs of W bytes along mn."""
    mn, K = X.shape
    raw = np.ascontiguousarray(ENC[ty](X.T)).view(np.uint8).reshape(K, mn * 2)
    k, b = np.meshgrid(np.arange(K), np.arange(mn * 2), indexing="ij")
    if W:
        addr, lbo, sbo = swz((b // W) * K * W + k * W + b % W, W), K * W, 8 * W
        offs = [j * 16 * W for j in range(K // 16)]
    else:
        sbo, lbo = 128, mn // 8 * 128
        addr = (k // 8) * lbo + (b // 16) * sbo + (k % 8) * 16 + b % 16
        offs = [2 * j * lbo for j in range(K // 16)]
    row = -(-mn * 2 // W) * W if W else mn * 2  # whole slabs
    img = np.zeros((row * K + 1023) // 1024 * 1024, np.uint8); img[addr] = raw
    return img, offs, lbo, sbo


def frag_d(n):                                  # accumulator register i of thread t -> (row, col)
    t, i = np.meshgrid(np.arange(128), np.arange(n // 2), indexing="ij")
    return 16 * (t // 32) + t % 32 // 4 + 8 * ((i >> 1) & 1), 8 * (i >> 2) + 2 * (t % 4) + (i & 1)


def frag_a(X, ty):                              # register image [step][thread][4] of A[64][K]
    es = ES[ty]; per = 16 // es; raw = ENC[ty](X); K = raw.shape[1]; step = 32 // es
    t, i = np.meshgrid(np.arange(128), np.arange(per), indexing="ij"); l = t % 32
    if es == 2: row, k = 16 * (t // 32) + l // 4 + 8 * ((i >> 1) & 1), 2 * (l % 4) + (i & 1) + 8 * (i >> 2)
    else: row, k = 16 * (t // 32) + l // 4 + 8 * ((i >> 2) & 1), 4 * (l % 4) + (i & 3) + 16 * (i >> 3)
    return np.stack([np.ascontiguousarray(raw[row, j * step + k]).view(np.uint32) for j in range(K // step)])


def walk(img, off, lbo, sbo, W, major, n, es):
    """CPU reading of a descriptor (the inverse direction of image_*), for --dry: element bytes [n][K slice]."""
    r, b = np.meshgrid(np.arange(n), np.arange(32), indexing="ij")
    if major == "k":
        a = swz(off + (r // 8) * sbo + (r % 8) * W + b, W) if W else off + (r // 8) * sbo + (b // 16) * lbo + (r % 8) * 16 + b % 16
    else:
        mb, k = r * es + b % es, b // es
        a = swz(off + (mb // W) * lbo + (k // 8) * sbo + (k % 8) * W + mb % W, W) if W else off + (mb // 16) * sbo + (k // 8) * lbo + (k % 8) * 16 + mb % 16
    return img[a]


# ---- group: wgmma ----
WG_SRC = r'''
extern "C" __global__ void __launch_bounds__(128) wgk(const uint4* ga, int na, const uint4* gb, int nb, const u32* ra, const int* off, u64 ha, u64 hb, int steps, float* out){
  extern __shared__ __align__(1024) unsigned char sm[]; int t=threadIdx.x; u32 A=sa(sm),B=A+na;
  for(int i=t;i<na/16;i+=128) ((uint4*)sm)[i]=ga[i];
  for(int i=t;i<nb/16;i+=128) ((uint4*)(sm+na))[i]=gb[i];
  fence_proxy(); __syncthreads();
  float d[NF];
#pragma unroll
  for(int i=0;i<NF;i++) d[i]=__int_as_float(0x7fffffff);              // scale-d = 0 must ignore this NaN
  for(int j=0;j<steps;j++){ u32 r[4]={0,0,0,0}; if(ra) for(int q=0;q<4;q++) r[q]=ra[(j*128+t)*4+q];
    u64 da=ha|((A+off[2*j])&0x3FFFF)>>4, db=hb|((B+off[2*j+1])&0x3FFFF)>>4; asm volatile("":"+r"(r[0]),"+r"(r[1]),"+r"(r[2]),"+r"(r[3])::"memory");
    pin(d); wfence(); mma(d,AOP,db,j>0); wcommit(); wwait<0>(); pin(d); }
#pragma unroll
  for(int i=0;i<NF;i++) out[(16*(t/32)+t%32/4+8*((i>>1)&1))*(2*NF)+8*(i>>2)+2*(t%4)+(i&1)]=d[i]; }
'''
_cache = {}


def wgmma_case(name, n, K, ty, wa, wb, a_major="k", b_major="k", ty_b=None, row0=0, neg=1):
    """a_major 'r' = A in registers. wa/wb = swizzle spans in bytes (0 = none). row0: use rows row0.. of a taller A tile."""
    key = (n, ty, ty_b, a_major, b_major, neg)
    if key not in _cache:
        src = PRELUDE + wg("mma", n, "r" if a_major == "r" else "s", ty, ty_b, int(a_major == "mn"), int(b_major == "mn"), neg)
        _cache[key] = build(src + "#define NF %d\n#define AOP %s\n" % (n // 2, "r" if a_major == "r" else "da") + WG_SRC, "wgk", 160 * 1024)
    X, Y = ints((64 + row0, K)), ints((n, K))
    ia, oa, la, sba = image_k(X, ty, wa) if a_major != "mn" else image_mn(X, ty, wa)
    ib, ob, lb, sb = image_k(Y, ty_b or ty, wb) if b_major == "k" else image_mn(Y, ty, wb)
    oa = [o + row0 * wa for o in oa]
    want = neg * (X[row0:row0 + 64] @ Y.T)
    if DRY:                                     # does a descriptor walk find the operand it should?
        es = ES[ty]
        for img, offs, l, s, W, maj, M, T in ((ia, oa, la, sba, wa, a_major, X[row0:], ty), (ib, ob, lb, sb, wb, b_major, Y, ty_b or ty)):
            if maj == "r": continue
            enc = np.ascontiguousarray(ENC[T](M)).view(np.uint8).reshape(M.shape[0], -1)
            for j, o in enumerate(offs):
                assert (walk(img, o, l, s, W, maj, M.shape[0], es) == enc[:, 32 * j:32 * j + 32]).all(), (name, j)
        return
    hi = lambda lbo, sbo, W: u64((lbo >> 4) << 16 | (sbo >> 4) << 32 | BITS[W] << 62)
    ra = DEV.put(frag_a(X, ty)) if a_major == "r" else u64(0)
    offs = DEV.put(np.array(list(zip(oa, ob)), np.int32)); pa, pb = DEV.put(ia), DEV.put(ib)

    def run(sa, sb_):
        out = DEV.alloc(64 * n * 4)
        DEV.launch(_cache[key], (1,), 128, len(ia) + len(ib), [pa, i32(len(ia)), pb, i32(len(ib)), ra, offs, hi(*sa, wa), hi(*sb_, wb), i32(len(ob)), out])
        return DEV.get(out, (64, n), np.float32)
    got, note = run((la, sba), (lb, sb)), ""
    if not np.array_equal(got, want):           # say what would have been right: LBO and SBO exchanged in A, B or both
        alt = [("A", (sba, la), (lb, sb)), ("B", (la, sba), (sb, lb)), ("A and B", (sba, la), (sb, lb))]
        note = "; ".join("right with LBO/SBO exchanged in " + w for w, x, y in alt if np.array_equal(run(x, y), want)) or "exchanging LBO and SBO does not help"
    fact(name, got, want, note=note); DEV.free()


def g_wgmma():
    for W in (128, 64, 32, 0):
        wgmma_case("wgmma bf16 SS K-major/K-major swizzle %d n64 k64" % W, 64, 64, "bf16", W, W)
        wgmma_case("wgmma e4m3 SS K-major swizzle %d n64 k128" % W, 64, 128, "e4m3", W, W)
        wgmma_case("wgmma bf16 SS B MN-major swizzle %d n128 k64" % W, 128, 64, "bf16", 128, W, b_major="mn")
        wgmma_case("wgmma bf16 SS A MN-major swizzle %d n64 k64" % W, 64, 64, "bf16", W, 128, a_major="mn")
        wgmma_case("wgmma bf16 RS B MN-major swizzle %d n128 k64 (P.V)" % W, 128, 64, "bf16", 128, W, "r", "mn")
        wgmma_case("wgmma e4m3 RS B K-major swizzle %d n64 k128" % W, 64, 128, "e4m3", 128, W, "r")
    wgmma_case("wgmma bf16 multi-slab 128B n176 k128", 176, 128, "bf16", 128, 128)
    wgmma_case("wgmma bf16 RS B MN-major n256 k80 (D=256)", 256, 80, "bf16", 32, 128, "r", "mn")
    wgmma_case("wgmma bf16 RS B MN-major 32B n80 k64 (D=80)", 80, 64, "bf16", 128, 32, "r", "mn")
    wgmma_case("wgmma bf16 RS B MN-major 64B n96 k64 (D=96)", 96, 64, "bf16", 128, 64, "r", "mn")
    for n in (8, 40, 72, 80, 96, 136, 200):
        wgmma_case("wgmma bf16 RS B MN-major 128B n%d k64 (V, last slab in part)" % n, n, 64, "bf16", 128, 128, "r", "mn")
    wgmma_case("wgmma bf16 SS 32B K-major n80 k80 (D=80)", 80, 80, "bf16", 32, 32)
    wgmma_case("wgmma bf16 second warpgroup's rows inside a slab", 64, 128, "bf16", 128, 128, row0=64)
    wgmma_case("wgmma f16 SS n64 k64", 64, 64, "f16", 128, 128)
    wgmma_case("wgmma e4m3 x e5m2", 64, 128, "e4m3", 128, 128, ty_b="e5m2")
    wgmma_case("wgmma scale-a -1", 64, 64, "bf16", 128, 128, neg=-1)
    g_fp8_chain()


CHAIN = r'''
extern "C" __global__ void __launch_bounds__(128) chain(const uint4* gq, const uint4* gk, const uint4* gv, float* out){
  extern __shared__ __align__(1024) unsigned char sm[]; int t=threadIdx.x;
    u32 Q=sa(sm),K=Q+2048,V=K+2048;       // Q,K 64x32 B (32B swizzle), V^T 64x64 B (64B swizzle)
  for(int i=t;i<128;i+=128){ ((uint4*)sm)[i]=gq[i]; ((uint4*)(sm+2048))[i]=gk[i]; }
  for(int i=t;i<256;i+=128) ((uint4*)(sm+4096))[i]=gv[i];
  fence_proxy(); __syncthreads();
  float s[32],o[32]; u64 h32=1ull<<16|16ull<<32|3ull<<62, h64=1ull<<16|32ull<<32|2ull<<62;
  wfence(); mma_s(s,h32|(Q&0x3FFFF)>>4,h32|(K&0x3FFFF)>>4,0); wcommit(); wwait<0>(); pin(s);
  u32 p[2][4];
#pragma unroll
  for(int b=0;b<2;b++){ float* c=s+16*b; p[b][0]=pk8(c[0],c[1],c[4],c[5]); p[b][1]=pk8(c[2],c[3],c[6],c[7]); p[b][2]=pk8(c[8],c[9],c[12],c[13]);
    p[b][3]=pk8(c[10],c[11],c[14],c[15]); }
  wfence();
#pragma unroll
  for(int b=0;b<2;b++) mma_o(o,p[b],h64|((V+32*b)&0x3FFFF)>>4,b);
  wcommit(); wwait<0>(); pin(o);
#pragma unroll
  for(int i=0;i<32;i++) out[(16*(t/32)+t%32/4+8*((i>>1)&1))*64+8*(i>>2)+2*(t%4)+(i&1)]=o[i]; }
'''


def g_fp8_chain():
    """FP8 P.V without shuffles: pack accumulators in order, store V^T with its key columns permuted (PTX ISA, wgmma: register fragments)."""
    f = build(PRELUDE + wg("mma_s", 64, "s", "e4m3") + wg("mma_o", 64, "r", "e4m3") + CHAIN, "chain")
    Q = np.zeros((64, 32)); idx = RNG.integers(0, 32, (64, 8)); np.put_along_axis(Q, idx, RNG.integers(-1, 2, (64, 8)).astype(float), 1)
    K, V = ints((64, 32), 1), ints((64, 64), 2)                     # |S| <= 8: exact in e4m3
    perm = np.array([16 * (s // 16) + 8 * ((s % 4) >> 1) + 2 * ((s % 16) // 4) + (s & 1) for s in range(32)])
    VT = V.T.reshape(64, 2, 32)[:, :, perm].reshape(64, 64)
    if DRY: return
    out = DEV.alloc(64 * 64 * 4)
    DEV.launch(f, (1,), 128, 8192, [DEV.put(image_k(Q, "e4m3", 32)[0]), DEV.put(image_k(K, "e4m3", 32)[0]), DEV.put(image_k(VT, "e4m3", 64)[0]), out])
    fact("fp8 S->P in registers with permuted V^T keys", DEV.get(out, (64, 64), np.float32), (Q @ K.T) @ V); DEV.free()


# ---- group: tma ----
TMA_SRC = r'''
#define LD(R,CO,...) asm volatile("cp.async.bulk.tensor." R ".shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0], [%1, {" CO "}], [%2];"::"r"(d),"l"(m),"r"(b),__VA_ARGS__:"memory")
DI void ld(u32 d,const TM* m,u32 b,int rank,int c0,int c1,int c2,int c3,int c4){
  if(rank==2) LD("2d","%3,%4","r"(c0),"r"(c1)); else if(rank==3) LD("3d","%3,%4,%5","r"(c0),"r"(c1),"r"(c2));
    else if(rank==4) LD("4d","%3,%4,%5,%6","r"(c0),"r"(c1),"r"(c2),"r"(c3)); else LD("5d","%3,%4,%5,%6,%7","r"(c0),"r"(c1),"r"(c2),"r"(c3),"r"(c4)); }
// loads one box, waits at most ~10 ms for `expect` bytes, dumps n bytes of smem; done[0] = the phase completed
extern "C" __global__ void __launch_bounds__(128) tload(const __grid_constant__ TM m,int rank,int c0,int c1,int c2,int c3,int c4,int expect,int n,uint4* out,int* done){
  extern __shared__ __align__(1024) unsigned char sm[]; u32 s=sa(sm),b=s+n; int t=threadIdx.x;
  for(int i=t;i<n/4;i+=128) ((u32*)sm)[i]=0xCCCCCCCCu;
  if(t==0){ mb_init(b,1); mb_fence(); } fence_proxy(); __syncthreads();
  if(t==0){ mb_tx(b,expect); ld(s,&m,b,rank,c0,c1,c2,c3,c4); done[0]=mb_wait_bounded(b,0); if(!done[0]){ long long q=clock64(); while(clock64()-q<2000000); } }
  __syncthreads(); if(!done[0]) fence_proxy(); for(int i=t;i<n/16;i+=128) out[i]=((uint4*)sm)[i]; }
extern "C" __global__ void __launch_bounds__(128) tstore(const __grid_constant__ TM m,int c0,int c1,int n,const uint4* in){
  extern __shared__ __align__(1024) unsigned char sm[]; int t=threadIdx.x; for(int i=t;i<n/16;i+=128) ((uint4*)sm)[i]=in[i];
  asm volatile("fence.proxy.async.shared::cta;":::"memory"); __syncthreads();
  if(t==0){ asm volatile("cp.async.bulk.tensor.2d.global.shared::cta.tile.bulk_group [%0, {%2,%3}], [%1];"::"l"(&m),"r"(sa(sm)),"r"(c0),"r"(c1):"memory");
    asm volatile("cp.async.bulk.commit_group; cp.async.bulk.wait_group 0;":::"memory"); } }
extern "C" __global__ void __launch_bounds__(128) tredadd(float* g,const float* in,int n){
  extern __shared__ __align__(1024) unsigned char sm[]; int t=threadIdx.x; for(int i=t;i<n;i+=128) ((float*)sm)[i]=in[i];
  asm volatile("fence.proxy.async.shared::cta;":::"memory"); __syncthreads();
  if(t==0){ asm volatile("cp.reduce.async.bulk.global.shared::cta.bulk_group.add.f32 [%0], [%1], %2;"::"l"(g),"r"(sa(sm)),"r"(n*4):"memory");
    asm volatile("cp.async.bulk.commit_group; cp.async.bulk.wait_group 0;":::"memory"); } }
// a cluster of 2: CTA r loads rows 32r.. and multicasts them into both; each expects all 64 rows
extern "C" __global__ void __cluster_dims__(2,1,1) __launch_bounds__(128) tmulti(const __grid_constant__ TM m,uint4* out,int* done){
  extern __shared__ __align__(1024) unsigned char sm[]; u32 s=sa(sm),b=s+8192,r; int t=threadIdx.x; asm("mov.u32 %0, %%cluster_ctarank;":"=r"(r));
  if(t==0){ mb_init(b,1); mb_fence(); } __syncwarp();
  asm volatile("barrier.cluster.arrive.release.aligned; barrier.cluster.wait.acquire.aligned;":::"memory");
  if(t==0){ mb_tx(b,8192); asm volatile("cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes.multicast::cluster [%0], [%1, {%3,%4}], [%2], %5;"::"r"(s+r*4096),"l"(&m),"r"(b),"r"(0),"r"((int)r*32),"h"((u16)3):"memory"); done[r]=mb_wait_bounded(b,0); }
  __syncthreads(); for(int i=t;i<512;i+=128) out[r*512+i]=((uint4*)sm)[i];
  asm volatile("barrier.cluster.arrive.release.aligned; barrier.cluster.wait.acquire.aligned;":::"memory"); }
'''


def tma_expect(src, es, start, box, W):
    """Smem image of a box: src is an int array [dimN..dim0] of element bytes; OOB elements are zero; 16-byte chunks swizzled."""
    n = len(box); img = np.zeros(int(np.prod(box)) * es, np.uint8)
    idx = np.indices(tuple(reversed(box))).reshape(n, -1)            # slowest dimension first
    g = [idx[n - 1 - d] + start[d] for d in range(n)]               # g[d]: coordinate of dimension d
    ok = np.all([(g[d] >= 0) & (g[d] < src.shape[n - 1 - d]) for d in range(n)], axis=0)
    val = np.where(ok[:, None], src[tuple(np.where(ok, g[d], 0) for d in reversed(range(n)))], 0)
    lin = np.arange(idx.shape[1]) * es
    for b in range(es): img[swz(lin + b, W)] = val[:, b]
    return img


def g_tma():
    cubin, log, _ = G.compile_cuda(PRELUDE + TMA_SRC)
    if DRY:
        print("  built tma", G.warnings_in(log) or "clean"); assert not G.warnings_in(log)
        src = np.arange(8 * 64 * 2).reshape(8, 64, 2) % 251          # TMA image of a whole tile == the K-major image used for wgmma
        assert (tma_expect(src, 2, [0, 0], [64, 8], 128) == image_k(src.astype(np.uint8).reshape(8, 128).copy().view(np.uint16).astype(np.uint32).__lshift__(16).view(np.float32), "bf16", 128)[0][:1024]).all()
        return
    fl, fs, fr, fm = (DEV.load(cubin, k) for k in ("tload", "tstore", "tredadd", "tmulti"))

    def load(name, ty, shape, box, start, W, extra=0, view=None):
        es = DEV.TYPES[ty][1]; raw = RNG.integers(1, 255, shape + (es,)).astype(np.uint8)      # shape: slowest first; never 0, so zero fill shows
        dims, strides, arr = list(reversed(shape)), [], raw
        acc = es
        for d in dims[:-1]: acc *= d; strides.append(acc)
        if view: dims, strides, arr = view(raw)
        p = DEV.put(raw); m = DEV.tensor_map(p, ty, dims, strides, box, W)
        n = int(np.prod(box)) * es; out, done = DEV.alloc(n), DEV.alloc(16)
        c = list(start) + [0] * (5 - len(start))
        DEV.launch(fl, (1,), 128, n + 64, [m, i32(len(box))] + [i32(x) for x in c] + [i32(n + extra), i32(n), out, done])
        d = int(DEV.get(done, (1,), np.int32)[0])
        if extra: fact(name, [d], [0], note="must not complete")
        else: fact(name, np.append(DEV.get(out, (n,), np.uint8).astype(float), d), np.append(tma_expect(arr, es, start, box, W).astype(float), 1))
        DEV.free()
    for W in (128, 64, 32, 0):
        e = (W or 128) // 2
        load("TMA load swizzle %d: image = swizzle of dense rows" % W, "bf16", (256, e), [e, 64], [0, 64], W)
        load("TMA OOB rows past the end are zero, full-box bytes, swizzle %d" % W, "bf16", (100, e), [e, 64], [0, 64], W)
    load("TMA negative row coordinate", "bf16", (100, 64), [64, 64], [0, -8], 128)
    load("TMA box wholly out of range still completes with full bytes", "bf16", (100, 64), [64, 64], [0, 4096], 128)
    load("TMA OOB columns (D=80, second 128B slab)", "bf16", (100, 80), [64, 64], [64, 0], 128)
    load("TMA u8 D=80 padded to 96: third 32B slab", "u8", (100, 80), [32, 64], [64, 8], 32)
    load("TMA one byte-count too many does not complete (expect_tx = box + 16)", "bf16", (100, 64), [64, 64], [0, 64], 128, extra=16)
    load("TMA 4-D (D,S,H,B) box (64,64,1,1)", "bf16", (2, 3, 100, 128), [64, 64, 1, 1], [64, 64, 2, 1], 128)

    def slabs(raw):                                                  # [B][S][H][D] seen as (64, S, D/64, H, B)
        B, S, H, D, es = raw.shape
        return [64, S, D // 64, H, B], [H * D * 2, 128, D * 2, S * H * D * 2], raw.reshape(B, S, H, D // 64, 64, es).transpose(0, 2, 3, 1, 4, 5)
    load("TMA 5-D view loads all slabs at once", "bf16", (2, 100, 3, 128), [64, 64, 2, 1, 1], [0, 64, 0, 1, 1], 128, view=slabs)

    raw = RNG.integers(0, 255, (100, 128)).astype(np.uint8); tile = RNG.integers(0, 255, (64, 128)).astype(np.uint8)
    img = np.zeros(8192, np.uint8); r, b = np.meshgrid(np.arange(64), np.arange(128), indexing="ij"); img[swz(r * 128 + b, 128)] = tile
    p = DEV.put(np.concatenate([raw, np.full((64, 128), 7, np.uint8)])); m = DEV.tensor_map(p, "bf16", [64, 100], [128], [64, 64], 128)
    DEV.launch(fs, (1,), 128, 8192, [m, i32(0), i32(64), i32(8192), DEV.put(img)])
    want = np.concatenate([raw, np.full((64, 128), 7, np.uint8)]); want[64:100] = tile[:36]
    fact("TMA store skips rows past the end", DEV.get(p, want.shape, np.uint8), want); DEV.free()
    a, c = ints((1024,)), ints((1024,)); p = DEV.put(a.astype(np.float32))
    DEV.launch(fr, (1,), 128, 4096, [p, DEV.put(c.astype(np.float32)), i32(1024)])
    fact("bulk reduce-add f32", DEV.get(p, (1024,), np.float32), a + c)
    raw = RNG.integers(0, 255, (64, 64, 2)).astype(np.uint8); m = DEV.tensor_map(DEV.put(raw), "bf16", [64, 64], [128], [64, 32], 128); out, done = DEV.alloc(16384), DEV.alloc(16)
    DEV.launch(fm, (2,), 128, 8192 + 64, [m, out, done])
    want = np.tile(tma_expect(raw, 2, [0, 0], [64, 64], 128), 2)
    fact("TMA multicast to a cluster of 2", np.append(DEV.get(out, (16384,), np.uint8).astype(float), DEV.get(done, (2,), np.int32)), np.append(want.astype(float), [1, 1]))


# ---- group: misc (fragments, conversions, barriers) ----
MISC = r'''
extern "C" __global__ void frag(const u16* tile,const u16* ga,const u16* gb,const u8* a8,const u8* b8,u32* ldm,u32* ldt,u16* stm,float* c16,float* c8,u32* mov){
  __shared__ __align__(16) u16 s[256],z[256]; int l=threadIdx.x,g=l/4,t=l%4; for(int i=l;i<256;i+=32){ s[i]=tile[i]; z[i]=0; } __syncwarp();
  u32 r[4],a=sa(s)+(l%16)*32+(l/16)*16,q=sa(z)+(l%16)*32+(l/16)*16;
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];":"=r"(r[0]),"=r"(r[1]),"=r"(r[2]),"=r"(r[3]):"r"(a):"memory");
    for(int i=0;i<4;i++) ldm[l*4+i]=r[i];
  asm volatile("stmatrix.sync.aligned.m8n8.x4.shared.b16 [%0], {%1,%2,%3,%4};"::"r"(q),"r"(r[0]),"r"(r[1]),"r"(r[2]),"r"(r[3]):"memory"); __syncwarp();
    for(int i=l;i<256;i+=32) stm[i]=z[i];
  asm volatile("movmatrix.sync.aligned.m8n8.trans.b16 %0, %1;":"=r"(mov[l]):"r"(r[0]));
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];":"=r"(r[0]),"=r"(r[1]),"=r"(r[2]),"=r"(r[3]):"r"(a):"memory");
    for(int i=0;i<4;i++) ldt[l*4+i]=r[i];
  u32 A[4],B[2]; float c[4]={0,0,0,0};
  for(int i=0;i<4;i++){ int row=g+8*(i&1),k=2*t+8*(i>>1); A[i]=ga[row*16+k]|(u32)ga[row*16+k+1]<<16; } for(int i=0;i<2;i++){ int k=2*t+8*i;
    B[i]=gb[k*8+g]|(u32)gb[(k+1)*8+g]<<16; }
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};":"+f"(c[0]),"+f"(c[1]),"+f"(c[2]),"+f"(c[3]):"r"(A[0]),"r"(A[1]),"r"(A[2]),"r"(A[3]),"r"(B[0]),"r"(B[1]));
  for(int i=0;i<4;i++){ c16[(g+8*(i>>1))*8+2*t+(i&1)]=c[i]; c[i]=0; }
  for(int i=0;i<4;i++){ int row=g+8*(i&1),k=4*t+16*(i>>1); A[i]=0; for(int j=0;j<4;j++) A[i]|=(u32)a8[row*32+k+j]<<(8*j); } for(int i=0;i<2;i++){ int k=4*t+16*i;
    B[i]=0; for(int j=0;j<4;j++) B[i]|=(u32)b8[(k+j)*8+g]<<(8*j); }
  asm volatile("mma.sync.aligned.m16n8k32.row.col.f32.e4m3.e4m3.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};":"+f"(c[0]),"+f"(c[1]),"+f"(c[2]),"+f"(c[3]):"r"(A[0]),"r"(A[1]),"r"(A[2]),"r"(A[3]),"r"(B[0]),"r"(B[1]));
  for(int i=0;i<4;i++) c8[(g+8*(i>>1))*8+2*t+(i&1)]=c[i]; }
extern "C" __global__ void scal(const float* x,int n,u32* o){                  // row i: bf16x2(x, 1), e4m3x2(x, 1), ex2(x) bits, f16x2 of e4m3x2
  int i=threadIdx.x; if(i<n){ u16 h; u32 r; o[i*4]=pk(1.f,x[i]); asm("cvt.rn.satfinite.e4m3x2.f32 %0, %1, %2;":"=h"(h):"f"(x[i]),"f"(1.f)); o[i*4+1]=h;
    o[i*4+2]=__float_as_int(ex2(x[i])); asm("cvt.rn.f16x2.e4m3x2 %0, %1;":"=r"(r):"h"(h)); o[i*4+3]=r; } }
extern "C" __global__ void __launch_bounds__(384) sync(int* o){                // barrier facts; o[0..]
  __shared__ u64 bar[2]; u32 b=sa(bar); int t=threadIdx.x; __shared__ volatile int flag;
  if(t==0){ flag=0; mb_init(b,1); mb_init(b+8,2); mb_fence(); o[0]=mb_test(b,1); o[1]=mb_test(b,0); mb_arrive(b); o[2]=mb_test(b,0); o[3]=mb_test(b,1); mb_arrive(b);
    o[4]=mb_test(b,1);
    mb_arrive(b+8); o[5]=mb_test(b+8,0); mb_arrive(b+8); o[6]=mb_test(b+8,0); }
  u32 e; asm volatile("{.reg .pred p; elect.sync _|p, 0xffffffff; selp.u32 %0,1,0,p;}":"=r"(e)); if(e&&t<32) o[7]=t;
  __syncthreads(); if(t/128==1){ flag=41; __threadfence_block();
    asm volatile("bar.arrive 3, 256;":::"memory"); } else if(t/128==2){ asm volatile("bar.sync 3, 256;":::"memory"); if(t==256) o[8]=flag; } }
'''


def g_misc():
    cubin, log, _ = G.compile_cuda(PRELUDE + MISC)
    if DRY: print("  built misc", G.warnings_in(log) or "clean"); assert not G.warnings_in(log); return
    ff, fs, fy = (DEV.load(cubin, k) for k in ("frag", "scal", "sync"))
    tile = np.arange(256, dtype=np.uint16).reshape(16, 16); A, B, A8, B8 = ints((16, 16)), ints((16, 8)), ints((16, 32)), ints((32, 8))
    o = [DEV.alloc(n) for n in (512, 512, 512, 512, 512, 128)]
    DEV.launch(ff, (1,), 32, 0, [DEV.put(tile), DEV.put(bf16(A)), DEV.put(bf16(B)), DEV.put(ENC["e4m3"](A8)), DEV.put(ENC["e4m3"](B8))] + o)
    l = np.arange(32)[:, None, None]; j = np.arange(4)[None, :, None]; h = np.arange(2)[None, None, :]
    r0, c0 = 8 * (j & 1), 8 * (j >> 1)                                # matrix j of lane addresses (l%16, l/16)
    fact("ldmatrix.x4 fragment", DEV.get(o[0], (32, 4, 2), np.uint16), tile[r0 + l // 4, c0 + 2 * (l % 4) + h])
    fact("ldmatrix.x4.trans fragment", DEV.get(o[1], (32, 4, 2), np.uint16), tile[r0 + 2 * (l % 4) + h, c0 + l // 4])
    fact("stmatrix.x4 is the inverse of ldmatrix.x4", DEV.get(o[2], (16, 16), np.uint16), tile)
    fact("mma.m16n8k16 bf16 fragments", DEV.get(o[3], (16, 8), np.float32), A @ B)
    fact("mma.m16n8k32 e4m3 fragments", DEV.get(o[4], (16, 8), np.float32), A8 @ B8)
    fact("movmatrix.trans", DEV.get(o[5], (32, 2), np.uint16), tile[2 * (np.arange(32)[:, None] % 4) + np.arange(2), np.arange(32)[:, None] // 4])
    x = np.array([0, 1, -1, 1.5, 448, 449, 1e9, -1e9, np.inf, -np.inf, np.nan, 2 ** -9, 2 ** -11, -126, -127, -150, 0.5, 1 + 2 ** -8, 1 + 3 * 2 ** -8], np.float32)
    o = DEV.alloc(len(x) * 16); DEV.launch(fs, (1,), 64, 0, [DEV.put(x), i32(len(x)), o]); v = DEV.get(o, (len(x), 4), np.uint32)
    fact("cvt.rn.bf16x2: first source is the high half, ties to even", (v[:, 0] >> 16)[[1, 3, 17, 18]], bf16(x[[1, 3, 17, 18]])); fact("cvt.rn.bf16x2 low half", v[:, 0] & 0xFFFF, np.full(len(x), 0x3F80))
    fact("cvt e4m3x2: first source high, low = 1.0", v[:, 1] & 255, np.full(len(x), 0x38))
    fact("cvt e4m3x2 satfinite: 448, 449, +-1e9, +-inf -> +-448, NaN -> 0x7F", (v[:, 1] >> 8)[4:11], [0x7E, 0x7E, 0x7E, 0xFE, 0x7E, 0xFE, 0x7F])
    fact("cvt e4m3x2 subnormals 2^-9 -> 1, 2^-11 -> 0", (v[:, 1] >> 8)[11:13], [1, 0])
    fact("cvt.f16x2.e4m3x2: low byte to low half", v[:4, 3], [0x00003C00, 0x3C003C00, 0xBC003C00, 0x3E003C00])
    e = v[:, 2].copy().view(np.float32).astype(np.float64)
    fact("ex2.approx.ftz: 0, 1, -1, 1.5 within 2 ulp", e[:4] / np.exp2(x[:4].astype(np.float64)), np.ones(4), 2.4e-7)
    fact("ex2.approx.ftz: -inf, -127, -150 -> +0; -126 is normal", (v[:, 2])[[9, 14, 15, 13]], [0, 0, 0, 0x00800000])
    o = DEV.alloc(64); DEV.launch(fy, (1,), 384, 0, [o]); v = DEV.get(o, (9,), np.int32)
    fact("fresh mbarrier: parity 1 passes, parity 0 waits; one phase later the reverse", v[:5], [1, 0, 1, 0, 1]); fact("mbarrier count 2 needs two arrivals", v[5:7], [0, 1])
    fact("elect.sync picks lane 0", v[7], 0); fact("bar.arrive / bar.sync pair across warpgroups", v[8], 41)


# ---- group: toy attention ----
TOYS = [(64, 64, 2, 2), (64, 128, 2, 2), (64, 176, 2, 2), (64, 128, 3, 2), (128, 64, 2, 2), (128, 80, 2, 2), (128, 128, 2, 2), (128, 176, 2, 2), (256, 64, 2, 2), (256, 80, 2, 2), (256, 128, 2, 1)]


def g_toy():
    for D, BN, NC, ST in TOYS:
        try: toy_one(D, BN, NC, ST)
        except Exception as e: emit(q="fact", name="toy attention D%d BN%d" % (D, BN), **{"pass": False}, max_err=1e300, note=str(e)[:200]); raise


def toy_one(D, BN, NC, ST):
    sm, BM = toy_smem(D, BN, NC, ST), 64 * NC
    assert sm <= 232448, sm
    cubin, log, ms = G.compile_cuda(toy(D, BN, NC, ST)); bad = G.warnings_in(log)
    if DRY: print("  built toy D%d BN%d: %.0f ms, %d KB smem, %s" % (D, BN, ms, sm // 1024, bad or "clean")); assert not bad, bad; return
    f = DEV.load(cubin, "fa", sm); load_ms = DEV.load_ms
    maps = lambda p, B, H, S, box: DEV.tensor_map(p, "bf16", [D, S, H, B], [D * 2, S * D * 2, H * S * D * 2], [64, box, 1, 1], 128)
    B, H, Sq, Sk = 2, 2, 2 * BM, 7 * BN                                # 7 blocks: both parities of every ring
    q, k, v = (bf16(RNG.standard_normal((B, H, s, D)) * a) for s, a in ((Sq, 3), (Sk, 1), (Sk, 1)))
    out = DEV.alloc(B * H * Sq * D * 4); sc = f32(D ** -.5 * 1.4426950408889634)
    DEV.launch(f, (Sq // BM, H, B), 128 * (NC + 1), sm, [maps(DEV.put(q), B, H, Sq, BM), maps(DEV.put(k), B, H, Sk, BN), maps(DEV.put(v), B, H, Sk, BN), out, i32(7), sc])
    Q, K, V = unbf16(q), unbf16(k), unbf16(v); s = Q @ K.transpose(0, 1, 3, 2) * D ** -.5; p = np.exp(s - s.max(-1, keepdims=True)); want = p / p.sum(-1, keepdims=True) @ V
    fact("toy attention D%d BN%d WGs%d stages%d vs fp64" % (D, BN, NC, ST), DEV.get(out, want.shape, np.float32), want, 0.02 * np.abs(want).max(), compile_ms=round(ms), load_ms=round(load_ms, 2), ref_max=round(float(np.abs(want).max()), 3), warnings=bad); DEV.free()
    B, H, S = (4, 2048 // D, 4096 // BN // 2 * 2 * BN); S = S // BM * BM; n = S // BN          # first speed of an unoptimised kernel
    noise = bf16(RNG.standard_normal(1 << 20)); mk = lambda: DEV.put(np.resize(noise, B * H * S * D))
    out = DEV.alloc(B * H * S * D * 4); args = [maps(mk(), B, H, S, BM), maps(mk(), B, H, S, BN), maps(mk(), B, H, S, BN), out, i32(n), sc]
    t = DEV.time_ms(lambda: DEV.launch(f, (S // BM, H, B), 128 * (NC + 1), sm, args, sync=False))
    emit(q="toy_speed", d=D, bn=BN, wgs=NC, stages=ST, seq=S, ms=round(t, 4), tflops=round(4 * B * H * S * n * BN * D / t / 1e9, 1)); DEV.free()


GROUPS = {"wgmma": g_wgmma, "tma": g_tma, "misc": g_misc, "toy": g_toy}


def main():
    global DRY, OUT, DEV
    ap = argparse.ArgumentParser(); ap.add_argument("out"); ap.add_argument("--group"); ap.add_argument("--dry", action="store_true"); ap.add_argument("--group-seconds", type=int, default=40)
    a = ap.parse_args(); DRY = a.dry; OUT = open(os.devnull if DRY else a.out, "a")
    if a.group or DRY:
        if not DRY: DEV = G.Gpu()
        for g in [a.group] if a.group else GROUPS: print("#", g); GROUPS[g]()
        return 0
    bad = 0
    for g in GROUPS:
        t = time.time()
        try: rc = subprocess.run([sys.executable, os.path.abspath(__file__), a.out, "--group", g], timeout=a.group_seconds).returncode
        except subprocess.TimeoutExpired: rc = "timeout"
        bad += rc != 0; emit(q="stage", name="facts " + g, rc=rc, seconds=round(time.time() - t, 1))
        if rc: print("GROUP", g, "ended with", rc)
    return bad


if __name__ == "__main__":
    sys.exit(main())
