// Hostile Problem and Config text: refused or round-tripped, never anything else.
#include <cstdlib>
#include <string_view>

#include "generator/bucket.h"
#include "generator/config.h"
#include "generator/key.h"
#include "generator/problem.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const attentune::Problem problem = attentune::parse_problem(text);
    const std::string canonical = attentune::to_text(problem);
    if (!(attentune::parse_problem(canonical) == problem))
      std::abort();
    if (!attentune::same_class(attentune::representative(problem), problem))
      std::abort();
  } catch (const attentune::RefusalError&) {
  }
  try {
    const attentune::Config config = attentune::parse_config(text);
    if (!(attentune::parse_config(attentune::to_text(config)).compile_text() == config.compile_text()))
      std::abort();
  } catch (const attentune::RefusalError&) {
  }
  try {
    const attentune::Bucket bucket = attentune::parse_bucket(text);
    if (!(attentune::parse_bucket(attentune::to_text(bucket)) == bucket))
      std::abort();
  } catch (const attentune::RefusalError&) {
  }
  return 0;
}
