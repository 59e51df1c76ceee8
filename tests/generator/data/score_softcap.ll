define internal float @attentune_score(float %score) alwaysinline nounwind {
  %x.0 = fmul float %score, 0x3FA1111120000000
  %square.1 = fmul float %x.0, %x.0
  %scaled.2 = fmul float %score, 0x3FB89F3B20000000
  %above.3 = fcmp olt float %scaled.2, 0x403E000000000000
  %capped.4 = select i1 %above.3, float %scaled.2, float 0x403E000000000000
  %below.5 = fcmp ogt float %capped.4, 0xC03E000000000000
  %power.6 = select i1 %below.5, float %capped.4, float 0xC03E000000000000
  %e.7 = call float @attentune_exp2(float %power.6)
  %less.8 = fadd float %e.7, 0xBFF0000000000000
  %more.9 = fadd float %e.7, 0x3FF0000000000000
  %far.10 = fdiv float %less.8, %more.9
  %product.11 = fmul contract float 0xBF775E1D60000000, %square.1
  %sum.12 = fadd contract float %product.11, 0x3F952269E0000000
  %product.13 = fmul contract float %sum.12, %square.1
  %sum.14 = fadd contract float %product.13, 0xBFAB83C5A0000000
  %product.15 = fmul contract float %sum.14, %square.1
  %sum.16 = fadd contract float %product.15, 0x3FC1107260000000
  %product.17 = fmul contract float %sum.16, %square.1
  %sum.18 = fadd contract float %product.17, 0xBFD5555320000000
  %tail.19 = fmul float %sum.18, %square.1
  %rest.20 = fmul contract float %tail.19, %x.0
  %near.21 = fadd contract float %rest.20, %x.0
  %is_near.22 = fcmp ult float %square.1, 0x3FD9000000000000
  %tanh.23 = select i1 %is_near.22, float %near.21, float %far.10
  %softcap.24 = fmul float %tanh.23, 0x403E000000000000
  ret float %softcap.24
}
