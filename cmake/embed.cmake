# Writes OUTPUT, a C++ fragment that defines the text of INPUT as SYMBOL; embedded.cpp includes it.
file(READ "${INPUT}" text)
if(text MATCHES "\\)attentune_text\"")
  message(FATAL_ERROR "${INPUT} contains the delimiter of a raw string.")
endif()
file(CONFIGURE OUTPUT "${OUTPUT}" @ONLY CONTENT [==[
// Generated from a template; do not edit.
constexpr char @SYMBOL@[] = R"attentune_text(@text@)attentune_text";
]==])
