// A switch of many cases; a local array that is indexed; double precision; two entries in one module.
extern "C" __global__ void dispatch(const int* codes, double* values, int count) {
  const int at = blockIdx.x * blockDim.x + threadIdx.x;
  if (at >= count)
    return;
  double value = values[at];
  switch (codes[at]) {
    case 0:
      value += 1.5;
      break;
    case 1:
      value = value * value - 2;
      break;
    case 2:
      value = 1 / value;
      break;
    case 3:
      value = value > 0 ? value : -value;
      break;
    case 4:
      value = __dsqrt_rn(value);
      break;
    case 5:
      values[at + 1] = value;
      break;
    case 6:
      value = values[0];
      break;
    case 7:
      value = fma(value, value, 0.1);
      break;
    case 8:
      value -= codes[0];
      break;
    case 9:
      value = __longlong_as_double(clock64());
      break;
    case 10:
      __threadfence();
      break;
    case 11:
      value = fmin(value, 3.0);
      break;
  }
  values[at] = value;
}

extern "C" __global__ void __launch_bounds__(64) permute(const unsigned* order, unsigned* values) {
  unsigned local[16];
  for (int i = 0; i < 16; ++i)
    local[i] = values[threadIdx.x * 16 + i];
  for (int i = 0; i < 16; ++i)
    values[threadIdx.x * 16 + i] = local[order[i] % 16];
}
