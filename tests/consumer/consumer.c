/* Causal attention of two query heads over one key/value head through the installed C interface, against the
 * definition in double. */
#include <attentune/attentune.h>
#include <math.h>
#include <stdio.h>

enum { LEN = 5, HEADS = 2, DIM = 8 };

static int check(attentune_status status, const char* what) {
  if (status == ATTENTUNE_OK) {
    return 1;
  }
  fprintf(stderr, "%s: %s: %s\n", what, attentune_status_text(status), attentune_last_error());
  return 0;
}

static double expected(const float* q, const float* k, const float* v, int row, int head, int column) {
  double sum = 0, weighted = 0;
  for (int key = 0; key <= row; ++key) {
    double score = 0;
    for (int d = 0; d < DIM; ++d) {
      score += (double)q[(row * HEADS + head) * DIM + d] * (double)k[key * DIM + d];
    }
    const double p = exp(score / sqrt((double)DIM));
    sum += p;
    weighted += p * (double)v[key * DIM + column];
  }
  return weighted / sum;
}

int main(void) {
  float q[LEN * HEADS * DIM], k[LEN * DIM], v[LEN * DIM], out[LEN * HEADS * DIM];
  for (int n = 0; n < LEN * HEADS * DIM; ++n) {
    q[n] = (float)sin(1.0 + n);
    out[n] = NAN;
  }
  for (int n = 0; n < LEN * DIM; ++n) {
    k[n] = (float)sin(2.0 + 3.0 * n);
    v[n] = (float)cos(5.0 + 7.0 * n);
  }

  attentune_options options = {0};
  options.size = sizeof options;
  options.device = "host";
  attentune_runtime* runtime = NULL;
  attentune_problem* problem = NULL;
  attentune_tensors tensors = {0};
  tensors.size = sizeof tensors;
  tensors.q.data = q;
  tensors.k.data = k;
  tensors.v.data = v;
  tensors.out.data = out;
  const int ran =
      check(attentune_runtime_create(&options, &runtime), "create") &&
      check(attentune_problem_parse("dtype=f32 heads=2/1 head_dim=8 seq=5 mask=causal()", &problem), "parse") &&
      check(attentune_run(runtime, problem, &tensors), "run");
  attentune_problem_release(problem);
  attentune_runtime_release(runtime);
  if (!ran) {
    return 1;
  }

  double worst = 0;
  for (int n = 0; n < LEN * HEADS * DIM; ++n) {
    const double error = fabs((double)out[n] - expected(q, k, v, n / (HEADS * DIM), n / DIM % HEADS, n % DIM));
    worst = error > worst || error != error ? error : worst;
  }
  printf("C: attentune %s, worst error %.2g\n", attentune_version(), worst);
  return worst < 1e-5 ? 0 : 1;
}
