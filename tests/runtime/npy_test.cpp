#include "runtime/npy.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <string>

#include "generator/error.h"

using namespace attentune;

namespace {

std::vector<std::uint8_t> file_of(const std::string& header, const std::string& data, int major = 1) {
  std::vector<std::uint8_t> bytes{0x93, 'N', 'U', 'M', 'P', 'Y', static_cast<std::uint8_t>(major), 0};
  for (int byte = 0; byte < (major == 1 ? 2 : 4); ++byte) {
    bytes.push_back(static_cast<std::uint8_t>(header.size() >> (8 * byte)));
  }
  bytes.insert(bytes.end(), header.begin(), header.end());
  bytes.insert(bytes.end(), data.begin(), data.end());
  return bytes;
}

std::string refused(const std::vector<std::uint8_t>& bytes) {
  try {
    (void)parse_npy(bytes, "x.npy");
  } catch (const RefusalError& error) {
    return error.what();
  }
  return "";
}

void check_refused(const std::vector<std::uint8_t>& bytes, const std::string& words) {
  const std::string sentence = refused(bytes);
  CAPTURE(sentence);
  CHECK(sentence.find("x.npy") != std::string::npos);
  CHECK(sentence.find(words) != std::string::npos);
}

const std::string plain = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n";
const std::string eight(8, 'x');

}  // namespace

TEST_CASE("arrays of every type and rank survive formatting") {
  for (const NpyType type : {NpyType::f4, NpyType::f2, NpyType::u2, NpyType::u1}) {
    for (const std::vector<std::int64_t>& shape :
         {std::vector<std::int64_t>{}, {3}, {0}, {2, 3}, {2, 0, 4}, {1, 2, 3, 4}}) {
      std::size_t count = 1;
      for (const std::int64_t extent : shape)
        count *= static_cast<std::size_t>(extent);
      NpyArray array{.type = type, .shape = shape, .bytes = std::vector<std::uint8_t>(count * size_of(type))};
      for (std::size_t at = 0; at < array.bytes.size(); ++at)
        array.bytes[at] = static_cast<std::uint8_t>(at * 37);
      const std::vector<std::uint8_t> bytes = format_npy(array);
      CHECK((bytes.size() - array.bytes.size()) % 64 == 0);
      CHECK(parse_npy(bytes, "x.npy") == array);
    }
  }
}

TEST_CASE("a header as NumPy writes it is read, in either version and any order of keys") {
  CHECK(parse_npy(file_of(plain, eight), "x.npy").shape == std::vector<std::int64_t>{2});
  CHECK(parse_npy(file_of(plain, eight, 2), "x.npy").shape == std::vector<std::int64_t>{2});
  const std::string turned = "{\"shape\":(2,),\"fortran_order\":False,\"descr\":\"<f4\"}   \n";
  CHECK(parse_npy(file_of(turned, eight), "x.npy").bytes.size() == 8);
}

TEST_CASE("everything else is refused by name") {
  check_refused({}, "not a .npy file");
  check_refused({'P', 'K', 3, 4, 0, 0, 0, 0, 0, 0}, "not a .npy file");
  check_refused(file_of(plain, eight, 3), "version 3.0");
  check_refused(file_of(plain, "short"), "needs 8");
  check_refused(file_of(plain, eight + "!"), "1 bytes behind the data");
  const auto header = [](const std::string& text) { return file_of(text, eight); };
  check_refused(header("{'descr': '>f4', 'fortran_order': False, 'shape': (2,), }\n"), "descr '>f4'");
  check_refused(header("{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }\n"), "descr '<f8'");
  check_refused(header("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }\n"), "descr '|O'");
  check_refused(header("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }\n"), "structured");
  check_refused(header("{'descr': '<f4', 'fortran_order': True, 'shape': (2,), }\n"), "ascontiguousarray");
  check_refused(header("{'descr': '<f4', 'fortran_order': Maybe, 'shape': (2,), }\n"), "must be False");
  check_refused(header("{'descr': '<f4', 'fortran_order': False, 'shape': (2), }\n"), "(n,)");
  check_refused(header("{'descr': '<f4', 'fortran_order': False, 'shape': (-2,), }\n"), "numbers");
  check_refused(header("{'descr': '<f4', 'fortran_order': False, 'shape': (2 2), }\n"), "tuple");
  check_refused(header("{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775808,), }\n"), "numbers");
  check_refused(header("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }\n"), "2^62");
  check_refused(header("{'descr': '<f4', 'fortran_order': False}\n"), "must say");
  check_refused(header("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,)}\n"), "twice");
  check_refused(header("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'x': 1}\n"), "does not define");
  check_refused(header("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)} + 1\n"), "goes on");
  check_refused(header("{'descr': '<f4"), "unclosed");
  check_refused(header("[]"), "must have '{'");
}

TEST_CASE("a header beyond the limit is refused before it is read") {
  std::vector<std::uint8_t> bytes = file_of(plain, eight, 2);
  bytes[10] = 0xFF;
  bytes[11] = 0xFF;
  check_refused(bytes, "a header of");
  bytes = file_of(plain, "", 1);
  bytes.resize(40);
  check_refused(bytes, "ends inside its header");
}

TEST_CASE("every truncation of a sound file is refused") {
  const std::vector<std::uint8_t> whole = file_of(plain, eight);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    CAPTURE(length);
    CHECK_FALSE(refused({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length)}).empty());
  }
}

TEST_CASE("files are written whole and read back; a missing one says so") {
  const std::string path = "/tmp/attentune_npy_test_" + std::to_string(getpid()) + ".npy";
  const NpyArray array{.type = NpyType::u2, .shape = {2, 2}, .bytes = {1, 2, 3, 4, 5, 6, 7, 8}};
  write_npy(path, array);
  CHECK(read_npy(path) == array);
  std::remove(path.c_str());
  CHECK_THROWS_AS((void)read_npy(path), Error);
  CHECK_THROWS_AS((void)read_npy("/tmp"), Error);
  REQUIRE(mkfifo(path.c_str(), 0600) == 0);  // nobody will ever write to it
  CHECK_THROWS_WITH_AS((void)read_npy(path), doctest::Contains("no regular file"), Error);
  std::remove(path.c_str());
  CHECK_THROWS_AS(write_npy("/nowhere/at/all.npy", array), Error);
}

TEST_CASE("an operand must have its dtype and shape") {
  const NpyArray array{.type = NpyType::u2, .shape = {2, 2}, .bytes = std::vector<std::uint8_t>(8)};
  const std::int64_t right[] = {2, 2};
  const std::int64_t wrong[] = {2, 3};
  CHECK_NOTHROW(require_npy(array, "q.npy", Dtype::bf16, right));
  CHECK_THROWS_AS(require_npy(array, "q.npy", Dtype::f16, right), RefusalError);
  CHECK_THROWS_AS(require_npy(array, "q.npy", Dtype::bf16, wrong), RefusalError);
}
