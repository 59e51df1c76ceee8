// What the tests of the PTX reader share.
#pragma once

#include <string>

#include "generator/error.h"
#include "runtime/simulator/ptx/module.h"

namespace ptx_test {

inline const std::string header = ".version 9.0\n.target sm_90a\n.address_size 64\n";

// A few registers of every size; all on the first line of a body.
inline const std::string registers =
    ".reg .b32 %r<100>; .reg .b64 %rd<9>; .reg .pred %p<4>; .reg .b16 %rs<4>; .reg .f32 %f<9>; .reg .f64 %fd<3>;\n";

// A module of one entry, whose body begins in line 5.
inline std::string with_body(const std::string& body) {
  return header + ".visible .entry k(.param .u64 k_param_0) {\n" + body + "\n}\n";
}

inline attentune::ptx::Entry entry_of(const std::string& body) {
  return attentune::ptx::parse(with_body(body)).entries.at(0);
}

// The refusal's sentence; "" when there is none.
inline std::string refusal_of(const std::string& text) {
  try {
    static_cast<void>(attentune::ptx::parse(text));
  } catch (const attentune::RefusalError& error) {
    return error.refusal().remedy.empty() ? "a refusal without a remedy" : error.what();
  }
  return "";
}

inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace ptx_test
