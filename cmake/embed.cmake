# Writes OUTPUT, a C++ file that defines the text of INPUT as attentune::templates::embedded::SYMBOL.
file(READ "${INPUT}" text)
if(text MATCHES "\\)attentune_text\"")
  message(FATAL_ERROR "${INPUT} contains the delimiter of a raw string.")
endif()
file(CONFIGURE OUTPUT "${OUTPUT}" @ONLY CONTENT [==[
// Generated from a template; do not edit.
#include <string_view>

namespace attentune::templates::embedded {
namespace {
// With its size, as counting a long text exceeds what compilers evaluate at compile time.
constexpr char text[] = R"attentune_text(@text@)attentune_text";
}  // namespace
extern const std::string_view @SYMBOL@;
constinit const std::string_view @SYMBOL@{text, sizeof text - 1};
}  // namespace attentune::templates::embedded
]==])
