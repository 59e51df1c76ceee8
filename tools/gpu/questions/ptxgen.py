"""Kernel text shared by facts_check.py: PTX wrappers, a wgmma wrapper generator, and the toy attention kernel.
The toy has no namespace-scope constexpr: NVRTC emits those as .global symbols that clash with PTX labels."""

PRELUDE = r'''
typedef unsigned u32; typedef unsigned long long u64; typedef unsigned short u16; typedef unsigned char u8;
struct alignas(128) TM { unsigned char b[128]; };
#define DI static __device__ __forceinline__
DI u32 sa(const void* p){ return (u32)__cvta_generic_to_shared(p); }
DI void mb_init(u32 b,u32 n){ asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;"::"r"(b),"r"(n):"memory"); }
DI void mb_fence(){ asm volatile("fence.mbarrier_init.release.cluster;":::"memory"); }
DI void mb_tx(u32 b,u32 n){ asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;"::"r"(b),"r"(n):"memory"); }
DI void mb_arrive(u32 b){ asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];"::"r"(b):"memory"); }
DI void mb_wait(u32 b,u32 ph){ asm volatile("{.reg .pred p; W%=: mbarrier.try_wait.parity.shared::cta.b64 p, [%0], %1; @!p bra W%=; }"::"r"(b),"r"(ph):"memory"); }
DI u32 mb_test(u32 b,u32 ph){ u32 r; asm volatile("{.reg .pred p; mbarrier.test_wait.parity.shared::cta.b64 p, [%1], %2; selp.u32 %0, 1, 0, p; }":"=r"(r):"r"(b),"r"(ph):"memory"); return r; }
DI u32 mb_wait_bounded(u32 b,u32 ph){ long long t=clock64(); while(!mb_test(b,ph)) if(clock64()-t>20000000) return 0; return 1; }   // about 10 ms
DI void fence_proxy(){ asm volatile("fence.proxy.async;":::"memory"); }
DI u64 desc(u32 a,u32 lbo,u32 sbo){ return (u64)((a&0x3FFFF)>>4)|(u64)(lbo>>4)<<16|(u64)(sbo>>4)<<32|1ull<<62; }
DI float ex2(float x){ float y; asm("ex2.approx.ftz.f32 %0, %1;":"=f"(y):"f"(x)); return y; }
DI u32 pk(float lo,float hi){ u32 r; asm("cvt.rn.bf16x2.f32 %0, %1, %2;":"=r"(r):"f"(hi),"f"(lo)); return r; }
DI u32 pk8(float a,float b,float c,float d){ u32 r; asm("{.reg .b16 l,h; cvt.rn.satfinite.e4m3x2.f32 l, %2, %1; cvt.rn.satfinite.e4m3x2.f32 h, %4, %3; mov.b32 %0, {l,h};}":"=r"(r):"f"(a),"f"(b),"f"(c),"f"(d)); return r; }
DI void wfence(){ asm volatile("wgmma.fence.sync.aligned;":::"memory"); }
DI void wcommit(){ asm volatile("wgmma.commit_group.sync.aligned;":::"memory"); }
template<int N> DI void wwait(){ asm volatile("wgmma.wait_group.sync.aligned %0;"::"n"(N):"memory"); }
template<int N> DI void pin(float (&d)[N]){
#pragma unroll
  for(int i=0;i<N;i++) asm volatile("":"+f"(d[i])::"memory"); }
'''


def wg(name, n, a, ty="bf16", ty_b=None, ta=0, tb=0, neg_a=1):
    """One wgmma m64nN wrapper. a: 's' descriptor or 'r' registers. acc==0 ignores the old accumulator."""
    eight = ty[0] == "e"
    nf = n // 2
    i = nf + (4 if a == "r" else 1)
    regs = ",".join("%%%d" % j for j in range(nf))
    aop = "{%s}" % ",".join("%%%d" % (nf + j) for j in range(4)) if a == "r" else "%%%d" % nf
    tail = "" if eight else (", %d" % tb if a == "r" else ", %d, %d" % (ta, tb))
    return ("DI void %s(float (&d)[%d], %s, u64 db, int acc){\n" % (name, nf, "const u32 (&a)[4]" if a == "r" else "u64 da")
        + '  asm volatile("{.reg .pred p; setp.ne.b32 p, %%%d, 0; wgmma.mma_async.sync.aligned.m64n%dk%d.f32.%s.%s {%s}, %s, %%%d, p, %d, 1%s;}"\n    : '
        % (i + 1, n, 32 if eight else 16, ty, ty_b or ty, regs, aop, i, neg_a, tail)
        + ",".join('"+f"(d[%d])' % j for j in range(nf)) + " : "
        + (",".join('"r"(a[%d])' % j for j in range(4)) if a == "r" else '"l"(da)') + ', "l"(db), "r"(acc));\n}\n')


def toy_smem(D, BN, NC, ST):
    return 64 * NC * D * 2 + 2 * ST * BN * D * 2 + 8 * (1 + 3 * ST)


def toy(D=128, BN=128, NC=2, ST=2):
    """Non-causal bf16 attention, no masks: S_q % (64*NC) == 0, S_kv % BN == 0, D % 64 == 0. Output f32 [B][H][Sq][D]."""
    dec, inc = {1: (56, 256), 2: (24, 240), 3: (32, 160)}[NC]
    return (PRELUDE + wg("mma_qk", BN, "s") + wg("mma_pv", D, "r", tb=1)
        + "enum { HD=%d, BN=%d, NC=%d, ST=%d, BM=64*NC, SL=HD/64, QB=BM*HD*2, KB=BN*HD*2 };\n" % (D, BN, NC, ST) + r'''
DI void tma4(u32 dst,const TM* m,u32 bar,int c0,int c1,int c2,int c3){ asm volatile("cp.async.bulk.tensor.4d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0], [%1, {%3,%4,%5,%6}], [%2];"
  ::"r"(dst),"l"(m),"r"(bar),"r"(c0),"r"(c1),"r"(c2),"r"(c3):"memory"); }
extern "C" __global__ void __launch_bounds__(128*(NC+1),1) fa(const __grid_constant__ TM tq, const __grid_constant__ TM tk, const __grid_constant__ TM tv, float* __restrict__ out, int nblk, float sc){
  extern __shared__ __align__(1024) unsigned char sm[];
  u32 sq=sa(sm), sk=sq+QB, sv=sk+ST*KB, bar=sv+ST*KB;                 // barriers: q, fullK[ST], fullV[ST], empty[ST]
  int wg=threadIdx.x/128, tid=threadIdx.x%128;
  if(threadIdx.x==0){ mb_init(bar,1); for(int s=0;s<ST;s++){ mb_init(bar+8+8*s,1); mb_init(bar+8+8*(ST+s),1); mb_init(bar+8+8*(2*ST+s),NC*128); } mb_fence(); }
  __syncthreads();
  if(wg==0){
    asm volatile("setmaxnreg.dec.sync.aligned.u32 ''' + str(dec) + r''';");
    if(tid==0){
      mb_tx(bar,QB); for(int s=0;s<SL;s++) tma4(sq+s*BM*128,&tq,bar,s*64,blockIdx.x*BM,blockIdx.y,blockIdx.z);
      for(int j=0;j<nblk;j++){ int s=j%ST; u32 ph=(j/ST)&1, fk=bar+8+8*s, fv=bar+8+8*(ST+s); mb_wait(bar+8+8*(2*ST+s),ph^1);
        mb_tx(fk,KB); for(int i=0;i<SL;i++) tma4(sk+s*KB+i*BN*128,&tk,fk,i*64,j*BN,blockIdx.y,blockIdx.z);
        mb_tx(fv,KB); for(int i=0;i<SL;i++) tma4(sv+s*KB+i*BN*128,&tv,fv,i*64,j*BN,blockIdx.y,blockIdx.z); } }
  } else {
    asm volatile("setmaxnreg.inc.sync.aligned.u32 ''' + str(inc) + r''';");
    int w=wg-1; float o[HD/2]; float m0=-1e30f,m1=-1e30f,l0=0,l1=0;
#pragma unroll
    for(int i=0;i<HD/2;i++) o[i]=0.f;
    mb_wait(bar,0);
    for(int j=0;j<nblk;j++){ int st=j%ST; u32 ph=(j/ST)&1; float s[BN/2];
      mb_wait(bar+8+8*st,ph); wfence();
#pragma unroll
      for(int k=0;k<HD/16;k++) mma_qk(s, desc(sq+(k/4)*BM*128+w*64*128+(k%4)*32,16,1024), desc(sk+st*KB+(k/4)*BN*128+(k%4)*32,16,1024), k>0);
      wcommit(); wwait<0>();
      float a0=m0,a1=m1;
#pragma unroll
      for(int i=0;i<BN/2;i++) { if(i&2) a1=fmaxf(a1,s[i]); else a0=fmaxf(a0,s[i]); }
      a0=fmaxf(a0,__shfl_xor_sync(~0u,a0,1)); a0=fmaxf(a0,__shfl_xor_sync(~0u,a0,2)); a1=fmaxf(a1,__shfl_xor_sync(~0u,a1,1)); a1=fmaxf(a1,__shfl_xor_sync(~0u,a1,2));
      float r0=ex2((m0-a0)*sc), r1=ex2((m1-a1)*sc); m0=a0; m1=a1; l0*=r0; l1*=r1;
      u32 p[BN/16][4];
#pragma unroll
      for(int i=0;i<BN/2;i++) { float x=ex2(fmaf(s[i],sc,-((i&2)?m1:m0)*sc)); s[i]=x; if(i&2) l1+=x; else l0+=x; }
#pragma unroll
      for(int i=0;i<BN/4;i++) p[i/4][i%4]=pk(s[2*i],s[2*i+1]);
#pragma unroll
      for(int i=0;i<HD/2;i++) o[i]*=(i&2)?r1:r0;
      mb_wait(bar+8+8*(ST+st),ph); wfence();
#pragma unroll
      for(int k=0;k<BN/16;k++) mma_pv(o,p[k],desc(sv+st*KB+k*16*128,BN*128,1024),1);
      wcommit(); wwait<0>(); mb_arrive(bar+8+8*(2*ST+st)); }
    l0+=__shfl_xor_sync(~0u,l0,1); l0+=__shfl_xor_sync(~0u,l0,2); l1+=__shfl_xor_sync(~0u,l1,1); l1+=__shfl_xor_sync(~0u,l1,2);
    float i0=1.f/l0,i1=1.f/l1; u64 bh=blockIdx.z*gridDim.y+blockIdx.y;
    float* q=out+((bh*gridDim.x+blockIdx.x)*BM+w*64+(tid/32)*16+(tid%32)/4)*HD+(tid%4)*2;
#pragma unroll
    for(int i=0;i<HD/2;i++) q[(i&2?8*HD:0)+(i/4)*8+(i&1)]=o[i]*((i&2)?i1:i0);
  } }
''')
