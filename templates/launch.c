/* See launch.h. Everything here is total: any text gives a number or a position, nothing is read past its end, and
 * no arithmetic overflows, because exports evaluate texts that come out of files. */
#include "templates/launch.h"

#include <string.h>

enum { MAX_DEPTH = 32 };

typedef struct Reader {
  const char* start;
  const char* at;
  const AttentuneScalar* scalars;
  int scalar_count;
  int depth;
  int error; /* position of the first error; later ones are consequences */
} Reader;

static int position(const Reader* reader, const char* at) { return (int)(at - reader->start) + 1; }

static int64_t fail(Reader* reader, const char* at) {
  if (reader->error == 0) {
    reader->error = position(reader, at);
  }
  return 0;
}

/* ASCII only: the C library's classes depend on the locale. */
static int is_digit(char c) { return c >= '0' && c <= '9'; }
static int is_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

static void skip_blanks(Reader* reader) {
  while (*reader->at == ' ' || *reader->at == '\t' || *reader->at == '\n') {
    ++reader->at;
  }
}

static int take(Reader* reader, char wanted) {
  skip_blanks(reader);
  if (*reader->at != wanted) {
    return 0;
  }
  ++reader->at;
  return 1;
}

static int64_t add(Reader* reader, const char* at, int64_t a, int64_t b) {
  int64_t result;
  return __builtin_add_overflow(a, b, &result) ? fail(reader, at) : result;
}

static int64_t subtract(Reader* reader, const char* at, int64_t a, int64_t b) {
  int64_t result;
  return __builtin_sub_overflow(a, b, &result) ? fail(reader, at) : result;
}

static int64_t multiply(Reader* reader, const char* at, int64_t a, int64_t b) {
  int64_t result;
  return __builtin_mul_overflow(a, b, &result) ? fail(reader, at) : result;
}

/* The quotient rounded down, or up. C rounds towards zero. */
static int64_t divide(Reader* reader, const char* at, int64_t a, int64_t b, int up) {
  if (b == 0 || (a == INT64_MIN && b == -1)) {
    return fail(reader, at);
  }
  const int64_t quotient = a / b;
  if (a % b == 0) {
    return quotient;
  }
  const int negative = (a < 0) != (b < 0);
  if (up) {
    return negative ? quotient : quotient + 1;
  }
  return negative ? quotient - 1 : quotient;
}

static int64_t read_sum(Reader* reader);

static int64_t read_number(Reader* reader) {
  const char* const begin = reader->at;
  int64_t value = 0;
  for (; is_digit(*reader->at); ++reader->at) {
    value = add(reader, begin, multiply(reader, begin, value, 10), *reader->at - '0');
    if (reader->error != 0) {
      return 0;
    }
  }
  return is_name(*reader->at) ? fail(reader, reader->at) : value;
}

static int is_word(const char* begin, size_t length, const char* word) {
  return strlen(word) == length && memcmp(begin, word, length) == 0;
}

static int64_t read_call(Reader* reader, const char* begin, size_t length) {
  const int64_t a = read_sum(reader);
  if (reader->error == 0 && !take(reader, ',')) {
    return fail(reader, reader->at);
  }
  const int64_t b = reader->error == 0 ? read_sum(reader) : 0;
  if (reader->error == 0 && !take(reader, ')')) {
    return fail(reader, reader->at);
  }
  if (reader->error != 0) {
    return 0;
  }
  if (is_word(begin, length, "ceil_div")) {
    return divide(reader, begin, a, b, 1);
  }
  if (is_word(begin, length, "min")) {
    return a < b ? a : b;
  }
  if (is_word(begin, length, "max")) {
    return a > b ? a : b;
  }
  /* align_up */
  if (b <= 0) {
    return fail(reader, begin);
  }
  return multiply(reader, begin, divide(reader, begin, a, b, 1), b);
}

static int64_t read_name(Reader* reader) {
  const char* const begin = reader->at;
  while (is_name(*reader->at) || is_digit(*reader->at)) {
    ++reader->at;
  }
  const size_t length = (size_t)(reader->at - begin);
  if (take(reader, '(')) {
    const int known = is_word(begin, length, "ceil_div") || is_word(begin, length, "min") ||
                      is_word(begin, length, "max") || is_word(begin, length, "align_up");
    return known ? read_call(reader, begin, length) : fail(reader, begin);
  }
  for (int n = 0; n < reader->scalar_count; ++n) {
    if (reader->scalars[n].name != NULL && is_word(begin, length, reader->scalars[n].name)) {
      return reader->scalars[n].value;
    }
  }
  return fail(reader, begin);
}

static int64_t read_factor(Reader* reader) {
  skip_blanks(reader);
  if (is_digit(*reader->at)) {
    return read_number(reader);
  }
  if (is_name(*reader->at)) {
    return read_name(reader);
  }
  if (!take(reader, '(')) {
    return fail(reader, reader->at);
  }
  const int64_t value = read_sum(reader);
  if (reader->error == 0 && !take(reader, ')')) {
    return fail(reader, reader->at);
  }
  return value;
}

static int64_t read_product(Reader* reader) {
  int64_t value = read_factor(reader);
  while (reader->error == 0) {
    skip_blanks(reader);
    const char* const operation = reader->at;
    if (take(reader, '*')) {
      const int64_t factor = read_factor(reader);
      value = multiply(reader, operation, value, factor);
    } else if (take(reader, '/')) {
      const int64_t divisor = read_factor(reader);
      value = reader->error == 0 ? divide(reader, operation, value, divisor, 0) : 0;
    } else {
      break;
    }
  }
  return value;
}

/* The only function that recursion passes through again and again, so depth is counted here. */
static int64_t read_sum(Reader* reader) {
  if (reader->depth == MAX_DEPTH) {
    return fail(reader, reader->at);
  }
  ++reader->depth;
  int64_t value = read_product(reader);
  while (reader->error == 0) {
    skip_blanks(reader);
    const char* const operation = reader->at;
    if (take(reader, '+')) {
      const int64_t term = read_product(reader);
      value = add(reader, operation, value, term);
    } else if (take(reader, '-')) {
      const int64_t term = read_product(reader);
      value = subtract(reader, operation, value, term);
    } else {
      break;
    }
  }
  --reader->depth;
  return value;
}

int attentune_evaluate(const char* text, const AttentuneScalar* scalars, int scalar_count, int64_t* value) {
  if (text == NULL || value == NULL) {
    return 1;
  }
  size_t length = 0;
  while (length <= ATTENTUNE_MAX_EXPRESSION && text[length] != '\0') {
    ++length;
  }
  if (length > ATTENTUNE_MAX_EXPRESSION) {
    return ATTENTUNE_MAX_EXPRESSION + 1;
  }
  Reader reader = {text, text, scalars, scalars == NULL ? 0 : scalar_count, 0, 0};
  const int64_t result = read_sum(&reader);
  skip_blanks(&reader);
  if (reader.error == 0 && *reader.at != '\0') {
    fail(&reader, reader.at);
  }
  if (reader.error == 0) {
    *value = result;
  }
  return reader.error;
}

/* Evaluates `text` and checks that it is not below `least`: -1 stands for a value out of range. */
static int evaluate_from(const char* text, const AttentuneScalar* scalars, int scalar_count, int64_t least,
                         int64_t* value) {
  const int error = attentune_evaluate(text, scalars, scalar_count, value);
  if (error != 0) {
    return error;
  }
  return *value < least ? -1 : 0;
}

static int align_to(int64_t value, int64_t alignment, int64_t* aligned) {
  int64_t sum;
  if (__builtin_add_overflow(value, alignment - 1, &sum)) {
    return -1;
  }
  *aligned = sum - sum % alignment;
  return 0;
}

static int place_slice(const AttentuneSliceText* slice, const AttentuneScalar* scalars, int scalar_count,
                       int64_t alignment, int64_t* end, int64_t* offset, int64_t* stride) {
  int64_t bytes = 0;
  int64_t workers = 1;
  int error = evaluate_from(slice->bytes, scalars, scalar_count, 0, &bytes);
  if (error == 0 && slice->per_worker) {
    error = evaluate_from("workers", scalars, scalar_count, 1, &workers);
  }
  if (error != 0) {
    return error;
  }
  int64_t total;
  if (align_to(bytes, alignment, &bytes) != 0 || __builtin_mul_overflow(bytes, workers, &total)) {
    return -1;
  }
  *offset = *end;
  *stride = slice->per_worker ? bytes : 0;
  return __builtin_add_overflow(*end, total, end) ? -1 : 0;
}

static int same_text(const char* a, const char* b) { return a != NULL && b != NULL && strcmp(a, b) == 0; }

enum { SLICE_NEW, SLICE_SHARED, SLICE_REFUSED };

/* Finds slice n of launch `index` in what came before it. Shared: *offset and *stride are the earlier slice's. */
static int share_slice(const AttentuneLaunchText* rules, int index, int n, const AttentunePreparedLaunch* launches,
                       int64_t* offset, int64_t* stride) {
  const AttentuneSliceText* const slice = &rules[index].slices[n];
  for (int launch = 0; launch <= index; ++launch) {
    const int count = launch < index ? rules[launch].slice_count : n;
    for (int other = 0; other < count; ++other) {
      const AttentuneSliceText* const earlier = &rules[launch].slices[other];
      if (!same_text(slice->name, earlier->name)) {
        continue;
      }
      if (launch == index || !same_text(slice->bytes, earlier->bytes) || !slice->per_worker != !earlier->per_worker) {
        return SLICE_REFUSED;
      }
      *offset = launches[launch].slice_offset[other];
      *stride = launches[launch].slice_stride[other];
      return SLICE_SHARED;
    }
  }
  return SLICE_NEW;
}

/* `launches`: those before `index` are prepared. */
static int prepare_launch(const AttentuneLaunchText* rules, int index, const AttentuneScalar* scalars, int scalar_count,
                          int64_t alignment, int64_t* end, AttentunePreparedLaunch* launches) {
  const AttentuneLaunchText* const rule = &rules[index];
  AttentunePreparedLaunch* const launch = &launches[index];
  memset(launch, 0, sizeof *launch);
  if (rule->slice_count < 0 || rule->slice_count > ATTENTUNE_WORKSPACE_SLICES) {
    return -1;
  }
  launch->entry = rule->entry;
  launch->slice_count = rule->slice_count;
  launch->depends_on_previous = rule->depends_on_previous;
  int error = evaluate_from(rule->shared_bytes, scalars, scalar_count, 0, &launch->shared_bytes);
  for (int axis = 0; axis < 3 && error == 0; ++axis) {
    /* An empty grid is a launch without work; an empty block is a mistake. */
    error = evaluate_from(rule->grid[axis], scalars, scalar_count, 0, &launch->grid[axis]);
    if (error == 0) {
      error = evaluate_from(rule->block[axis], scalars, scalar_count, 1, &launch->block[axis]);
    }
    if (error == 0) {
      error = evaluate_from(rule->cluster[axis], scalars, scalar_count, 1, &launch->cluster[axis]);
    }
  }
  for (int n = 0; n < rule->slice_count && error == 0; ++n) {
    const int shared = share_slice(rules, index, n, launches, &launch->slice_offset[n], &launch->slice_stride[n]);
    if (shared == SLICE_REFUSED) {
      error = -1;
    } else if (shared == SLICE_NEW) {
      error = place_slice(&rule->slices[n], scalars, scalar_count, alignment, end, &launch->slice_offset[n],
                          &launch->slice_stride[n]);
    }
  }
  return error;
}

int attentune_prepare(const AttentuneLaunchText* rules, int rule_count, const AttentuneScalar* scalars,
                      int scalar_count, int64_t alignment, AttentunePreparedCall* call) {
  call->launch_count = 0;
  call->workspace_bytes = 0;
  if (rule_count < 0 || rule_count > ATTENTUNE_MAX_LAUNCHES || alignment < 1 || (alignment & (alignment - 1)) != 0) {
    return 1;
  }
  int64_t end = 0;
  for (int index = 0; index < rule_count; ++index) {
    const int error = prepare_launch(rules, index, scalars, scalar_count, alignment, &end, call->launches);
    if (error != 0) {
      return index * 1000 + (error > 0 ? error : 0) + 1;
    }
  }
  call->launch_count = rule_count;
  call->workspace_bytes = end;
  return 0;
}

void attentune_launch_args(const AttentunePreparedCall* call, int index, int worker, AttentionArgs* args) {
  const AttentunePreparedLaunch* const launch = &call->launches[index];
  *args = call->args;
  for (int n = 0; n < ATTENTUNE_WORKSPACE_SLICES; ++n) {
    args->workspace[n] = NULL;
    if (n < launch->slice_count && call->workspace != NULL) {
      args->workspace[n] = call->workspace + launch->slice_offset[n] + worker * launch->slice_stride[n];
    }
  }
}
