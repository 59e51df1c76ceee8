/* libstdc++.a calls arc4random, which glibc has only since 2.36. This hidden one keeps the library loadable
 * on glibc 2.34; getrandom(2) does not fail for requests of up to 256 bytes once the kernel is seeded. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/random.h>

__attribute__((visibility("hidden"))) uint32_t arc4random(void);

uint32_t arc4random(void) {
  uint32_t value = 0;
  ssize_t got = 0;
  do {
    got = getrandom(&value, sizeof value, 0);
  } while (got < 0 && errno == EINTR);
  if (got != (ssize_t)sizeof value) {
    abort();
  }
  return value;
}
