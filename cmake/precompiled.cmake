# Half of what most files cost to compile is reading these headers; precompiled they are read once. Not with g++: its
# build shows that every file includes what it uses.
set(precompiled_headers
  <algorithm> <array> <atomic> <charconv> <chrono> <cmath> <cstdint> <filesystem> <fstream> <functional> <map> <memory>
  <mutex> <optional> <set> <span> <sstream> <string> <string_view> <tuple> <utility> <variant> <vector>
  <fmt/format.h>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  set(PRECOMPILE ON)
endif()

# precompile(TARGET [HEADER...]): TARGET reads all of them, and others can share what it makes.
function(precompile target)
  if(PRECOMPILE)
    target_precompile_headers(${target} PRIVATE ${precompiled_headers} ${ARGN})
  endif()
endfunction()

# precompiled_as(TARGET OTHER): TARGET reads what OTHER made.
function(precompiled_as target other)
  if(PRECOMPILE)
    target_precompile_headers(${target} REUSE_FROM ${other})
  endif()
endfunction()
