# The compile and link flags of our own code, and of nothing else.
add_library(attentune_flags INTERFACE)
target_include_directories(attentune_flags INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_features(attentune_flags INTERFACE cxx_std_20)
# Designated initializers leave out what keeps its default; that is what they are for.
target_compile_options(attentune_flags INTERFACE
  -Wall -Wextra -Wconversion -Wshadow -Werror -Wno-missing-field-initializers
  -fvisibility=hidden $<$<COMPILE_LANGUAGE:CXX>:-fvisibility-inlines-hidden>
  -ffunction-sections -fdata-sections
  -fPIC) # programs as the library, so that they share precompiled headers
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # False alarms of g++ 12 on std::string (GCC bug 105651).
  target_compile_options(attentune_flags INTERFACE -Wno-restrict)
endif()
target_compile_definitions(attentune_flags INTERFACE
  ATTENTUNE_VERSION="${PROJECT_VERSION}"
  ATTENTUNE_HOST_CODEGEN=$<BOOL:${HOST_CODEGEN}>)
target_link_options(attentune_flags INTERFACE -Wl,--gc-sections -Wl,--as-needed)

# Line tables only: enough for a stack trace, and half the object size of -g.
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2 -g1 -DNDEBUG")
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1 -DNDEBUG")

if(ATTENTUNE_SANITIZE)
  set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O1 -g1 -fno-omit-frame-pointer")
  set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O1 -g1 -fno-omit-frame-pointer")
  set(sanitize -fsanitize=${ATTENTUNE_SANITIZE} -fno-sanitize-recover=all)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND ATTENTUNE_SANITIZE MATCHES "undefined")
    # The function check reads the bytes before an entry, which a generated kernel does not have.
    list(APPEND sanitize -fno-sanitize=function)
  endif()
  if(ATTENTUNE_FUZZERS)
    list(APPEND sanitize -fsanitize=fuzzer-no-link)
  endif()
  target_compile_options(attentune_flags INTERFACE ${sanitize})
  target_link_options(attentune_flags INTERFACE ${sanitize})
endif()

# lld links the static LLVM in a second or two where ld.bfd takes twenty.
find_program(LLD ld.lld-19 HINTS /usr/lib/llvm-19/bin)
if(LLD AND CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_link_options(attentune_flags INTERFACE --ld-path=${LLD})
elseif(LLD)
  get_filename_component(lld_real ${LLD} REALPATH)
  get_filename_component(lld_folder ${lld_real} DIRECTORY)
  target_link_options(attentune_flags INTERFACE -B${lld_folder} -fuse-ld=lld)
endif()

# {fmt} compiled once into a static target of ours; a version cmake/fmt.cpp does not know is used header-only.
if(fmt_VERSION VERSION_LESS 11)
  add_library(attentune_fmt STATIC ${PROJECT_SOURCE_DIR}/cmake/fmt.cpp)
  target_include_directories(attentune_fmt SYSTEM PUBLIC
    $<TARGET_PROPERTY:fmt::fmt-header-only,INTERFACE_INCLUDE_DIRECTORIES>)
  target_link_libraries(attentune_fmt PUBLIC attentune_flags)
else()
  add_library(attentune_fmt INTERFACE)
  target_link_libraries(attentune_fmt INTERFACE fmt::fmt-header-only)
endif()
