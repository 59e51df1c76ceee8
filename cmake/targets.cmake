# One static target a folder, from the left of the line to its right; the library and the command on top.

# sources(OUT FOLDER [EXCLUDE FOLDER...]): every .cpp below FOLDER; an empty folder yields an empty file.
function(sources out folder)
  cmake_parse_arguments(PARSE_ARGV 2 arg "" "" "EXCLUDE")
  file(GLOB_RECURSE found CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.cpp)
  foreach(excluded IN LISTS arg_EXCLUDE)
    list(FILTER found EXCLUDE REGEX "^${PROJECT_SOURCE_DIR}/${excluded}")
  endforeach()
  if(NOT found)
    string(MAKE_C_IDENTIFIER ${folder} stem)
    set(found ${PROJECT_BINARY_DIR}/empty/${stem}.cpp)
    file(CONFIGURE OUTPUT ${found} CONTENT "")
  endif()
  set(${out} ${found} PARENT_SCOPE)
endfunction()

sources(generator_sources generator)
add_library(attentune_generator STATIC ${generator_sources})
target_link_libraries(attentune_generator PUBLIC
  attentune_templates attentune_fmt nettle nlohmann_json::nlohmann_json)
precompile(attentune_generator)

sources(cache_sources cache)
add_library(attentune_cache STATIC ${cache_sources})
target_link_libraries(attentune_cache PUBLIC attentune_generator PRIVATE sqlite3 zstd)
precompiled_as(attentune_cache attentune_generator)

# Without host code generation, runtime/llvm/absent.cpp alone stands in for the compiler and refuses by name.
if(HOST_CODEGEN)
  sources(llvm_sources runtime/llvm EXCLUDE runtime/llvm/absent.cpp)
else()
  set(llvm_sources ${PROJECT_SOURCE_DIR}/runtime/llvm/absent.cpp)
endif()
add_library(attentune_llvm STATIC ${llvm_sources})
target_link_libraries(attentune_llvm PUBLIC attentune_generator)
if(HOST_CODEGEN)
  target_link_libraries(attentune_llvm PRIVATE llvm)
endif()
precompiled_as(attentune_llvm attentune_generator)

sources(runtime_sources runtime EXCLUDE runtime/llvm/ runtime/simulator/)
add_library(attentune_runtime STATIC ${runtime_sources})
target_link_libraries(attentune_runtime PUBLIC attentune_cache attentune_llvm
  PRIVATE asio Threads::Threads ${CMAKE_DL_LIBS} ZLIB::ZLIB)
precompiled_as(attentune_runtime attentune_generator)

# Checks our declarations of CUDA against the toolkit's where there is one; nothing of it is used.
find_path(CUDA_HEADERS cuda.h HINTS /usr/local/cuda/include)
if(CUDA_HEADERS)
  set_source_files_properties(${PROJECT_SOURCE_DIR}/runtime/cuda/check_declarations.cpp PROPERTIES
    COMPILE_OPTIONS "-isystem;${CUDA_HEADERS}")
endif()
mark_as_advanced(CUDA_HEADERS)

sources(tuner_sources tuner EXCLUDE tuner/abi/)
add_library(attentune_tuner STATIC ${tuner_sources})
target_link_libraries(attentune_tuner PUBLIC attentune_runtime PRIVATE Threads::Threads)
precompiled_as(attentune_tuner attentune_generator)

# The simulator is a tool of the command and the tests; the library never contains it. Only its face as a Device knows
# the runtime.
sources(simulator_sources runtime/simulator EXCLUDE runtime/simulator/device/)
add_library(attentune_simulator STATIC ${simulator_sources})
target_link_libraries(attentune_simulator PUBLIC attentune_generator)
precompiled_as(attentune_simulator attentune_generator)
sources(simulator_device_sources runtime/simulator/device)
add_library(attentune_simulator_device STATIC ${simulator_device_sources})
target_link_libraries(attentune_simulator_device PUBLIC attentune_simulator attentune_runtime)
precompiled_as(attentune_simulator_device attentune_generator)

set_source_files_properties(${PROJECT_SOURCE_DIR}/cmake/arc4random.c PROPERTIES SKIP_PRECOMPILE_HEADERS ON)

# libattentune.so: everything above in one library that shows the C ABI and nothing else.
sources(abi_sources tuner/abi)
add_library(attentune SHARED ${abi_sources})
target_link_libraries(attentune PRIVATE attentune_tuner)
precompiled_as(attentune attentune_generator)
target_include_directories(attentune INTERFACE ${PROJECT_SOURCE_DIR}/tuner/abi)
set(version_script ${PROJECT_SOURCE_DIR}/cmake/attentune.map)
target_link_options(attentune PRIVATE -Wl,--version-script=${version_script} -Wl,--exclude-libs,ALL
  -Wl,--wrap=__cxa_atexit) # see tuner/abi/process_end.cpp
set_target_properties(attentune PROPERTIES LINK_DEPENDS ${version_script})
if(NOT ATTENTUNE_SANITIZE)
  # A shipped library must not depend on the libstdc++ of the build machine. libgcc_s stays shared: the
  # static one needs a glibc newer than 2.34, and so does the arc4random that libstdc++.a asks for.
  target_sources(attentune PRIVATE ${PROJECT_SOURCE_DIR}/cmake/arc4random.c)
  target_link_options(attentune PRIVATE -static-libstdc++ -Wl,-z,defs)
endif()

sources(command_sources tools/attentune)
add_executable(attentune_cli ${command_sources})
target_link_libraries(attentune_cli PRIVATE attentune_tuner attentune_simulator_device CLI11::CLI11)
precompiled_as(attentune_cli attentune_generator)
set_target_properties(attentune_cli PROPERTIES OUTPUT_NAME attentune)

if(NOT ATTENTUNE_SANITIZE)
  # So that a command built here also runs on another distribution (see the library above).
  target_sources(attentune_cli PRIVATE ${PROJECT_SOURCE_DIR}/cmake/arc4random.c)
  target_link_options(attentune_cli PRIVATE -static-libstdc++)
endif()

if(ATTENTUNE_BENCHMARKS)
  file(GLOB benchmarks CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tools/bench/*.cpp)
  foreach(source IN LISTS benchmarks)
    get_filename_component(stem ${source} NAME_WE)
    add_executable(bench_${stem} ${source})
    target_link_libraries(bench_${stem} PRIVATE attentune_tuner attentune_simulator_device)
    precompiled_as(bench_${stem} attentune_generator)
  endforeach()
  # It runs scripts of the source tree, too.
  target_compile_definitions(bench_figures PRIVATE ATTENTUNE_TOOLS="${PROJECT_SOURCE_DIR}/tools")
endif()
