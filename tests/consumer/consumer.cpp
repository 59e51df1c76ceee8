// The installed C++ interface: with Q = 0 every visible key weighs the same, so a causal row's LSE is the logarithm of
// its count of visible keys and its output their mean.
#include <attentune/attentune.hpp>
#include <cmath>
#include <cstddef>
#include <iostream>
#include <vector>

int main() {
  constexpr std::size_t length = 37;
  constexpr std::size_t dim = 20;

  attentune::Options options;
  options.device = "host";
  const attentune::Runtime runtime(options);
  const attentune::Problem problem("dtype=f32 heads=1 head_dim=20 seq=37 mask=causal() outputs=out,lse");

  const std::vector<float> q(length * dim, 0.0F);
  const std::vector<float> k(length * dim, 1.0F);
  std::vector<float> v(length * dim);
  for (std::size_t key = 0; key < length; ++key) {
    for (std::size_t column = 0; column < dim; ++column) {
      v[key * dim + column] = static_cast<float>(key);
    }
  }
  std::vector<float> out(length * dim, NAN);
  std::vector<float> lse(length, NAN);
  attentune::Tensors tensors;
  tensors.q = q.data();
  tensors.k = k.data();
  tensors.v = v.data();
  tensors.out = out.data();
  tensors.lse = lse.data();

  const attentune::Kernel kernel = runtime.kernel(problem);
  kernel.bind(problem, tensors).launch();
  for (std::size_t row = 0; row < length; ++row) {
    const double visible = static_cast<double>(row + 1);
    const double mean = static_cast<double>(row) / 2;
    const bool right = std::abs(std::exp(static_cast<double>(lse[row])) - visible) < 1e-3 &&
                       std::abs(static_cast<double>(out[row * dim + dim - 1]) - mean) < 1e-3;
    if (!right) {
      std::cerr << "row " << row << ": lse " << lse[row] << ", out " << out[row * dim + dim - 1] << '\n';
      return 1;
    }
  }

  try {
    const attentune::Problem refused("dtype=f32 heads=3/2 head_dim=20 seq=37");
    std::cerr << "heads=3/2 was not refused\n";
    return 1;
  } catch (const attentune::Error& error) {
    std::cout << "C++: attentune " << attentune::version() << ", " << kernel.info().family << ' '
              << kernel.info().config << "; refused as it should: " << error.what() << '\n';
  }
  return 0;
}
