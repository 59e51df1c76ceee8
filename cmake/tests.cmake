# One doctest program a folder of tests/, each linked to the target it tests.
add_library(test_main OBJECT ${PROJECT_SOURCE_DIR}/tests/main.cpp)
target_link_libraries(test_main PUBLIC attentune_flags attentune_fmt doctest_headers)
target_compile_definitions(test_main PUBLIC DOCTEST_CONFIG_SUPER_FAST_ASSERTS)
target_compile_options(test_main PUBLIC -O1) # checks are many, and run once
precompile(test_main <doctest/doctest.h>)

# A libcuda.so.1 that records what it is asked for, for tests of GPU devices where there is none.
add_library(cuda_stub SHARED ${PROJECT_SOURCE_DIR}/tests/cuda_stub/cuda_stub.cpp)
target_link_libraries(cuda_stub PRIVATE attentune_flags)
set_target_properties(cuda_stub PROPERTIES PREFIX "" OUTPUT_NAME libcuda SUFFIX .so.1
  LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib/cuda_stub)

# nvrtc_stub(VERSION ARCHS): a library that claims to be that NVRTC.
function(nvrtc_stub version archs)
  string(REPLACE . ";" numbers ${version})
  list(GET numbers 0 major)
  list(GET numbers 1 minor)
  add_library(nvrtc_stub_${version} SHARED ${PROJECT_SOURCE_DIR}/tests/nvrtc_stub/nvrtc_stub.c)
  target_link_libraries(nvrtc_stub_${version} PRIVATE attentune_flags)
  target_compile_definitions(nvrtc_stub_${version} PRIVATE
    NVRTC_STUB_MAJOR=${major} NVRTC_STUB_MINOR=${minor} "NVRTC_STUB_ARCHS=${archs}")
  set_target_properties(nvrtc_stub_${version} PROPERTIES OUTPUT_NAME nvrtc_${version}
    LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib/nvrtc_stub)
endfunction()
nvrtc_stub(12.8 "80,90,100,120")
nvrtc_stub(12.9 "80,90,100,120")
nvrtc_stub(13.1 "80,90,100,120")
nvrtc_stub(14.0 "90,100,120")

# test_folder(FOLDER TARGET...): test_FOLDER from tests/FOLDER, linked to TARGET...
function(test_folder folder)
  file(GLOB_RECURSE found CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/${folder}/*.cpp)
  if(NOT found)
    return()
  endif()
  set(name test_${folder})
  list(FILTER found EXCLUDE REGEX "/run_ptx[.]cpp$") # a program of its own
  add_executable(${name} ${found})
  target_link_libraries(${name} PRIVATE test_main ${ARGN})
  precompiled_as(${name} test_main)
  target_compile_definitions(${name} PRIVATE
    ATTENTUNE_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
    ATTENTUNE_TEST_DATA="${PROJECT_SOURCE_DIR}/tests/${folder}/data"
    ATTENTUNE_CLI_PATH="$<TARGET_FILE:attentune_cli>"
    ATTENTUNE_CUDA_STUB="$<TARGET_FILE:cuda_stub>"
    ATTENTUNE_NVRTC_STUBS="$<TARGET_FILE_DIR:nvrtc_stub_13.1>"
    ATTENTUNE_LIBRARY_PATH="$<TARGET_FILE:attentune>")
  if(folder MATCHES "^(runtime|tuner|tools)$") # these open it
    add_dependencies(${name} cuda_stub)
  endif()
  if(folder MATCHES "^(tuner|tools)$") # these start the command
    add_dependencies(${name} attentune_cli)
  endif()
  if(folder STREQUAL "tuner") # loads it
    add_dependencies(${name} attentune)
  endif()
  # In a build without host code generation the family forward_host refuses every problem. Under sanitizers the
  # simulator runs a few kernels, not hundreds.
  set(excluded "")
  if(NOT HOST_CODEGEN)
    set(excluded --source-file-exclude=*forward_host*)
  elseif(ATTENTUNE_SANITIZE AND folder STREQUAL "simulated")
    set(excluded "--test-case-exclude=*right on the simulator*,every mutant*")
  endif()
  add_test(NAME ${folder} COMMAND ${name} ${excluded})
  set_tests_properties(${folder} PROPERTIES LABELS unit TIMEOUT 600)
  if(folder MATCHES "^(compile|simulated)$") # without NVRTC they have nothing to test
    set_tests_properties(${folder} PROPERTIES SKIP_REGULAR_EXPRESSION "skipped: [^\n]*no NVRTC")
  endif()
endfunction()

test_folder(generator attentune_generator)
test_folder(cache attentune_cache sqlite3 zstd)
test_folder(simulator attentune_simulator_device ${CMAKE_DL_LIBS})
# Conformance cases, and PTX of other compilers, on the simulator.
add_executable(run_ptx ${PROJECT_SOURCE_DIR}/tests/simulator/run_ptx.cpp)
target_link_libraries(run_ptx PRIVATE attentune_flags attentune_simulator)
if(HOST_CODEGEN)
  # These compile and run kernels.
  test_folder(templates attentune_generator)
  if(NOT ATTENTUNE_SANITIZE) # NVRTC has no sanitized build
    test_folder(compile attentune_runtime)
  endif()
  test_folder(simulated attentune_simulator_device)
  # Of the command: what it verifies, and how it reports blocks nothing entered.
  set(of_command covering_list.cpp coverage_report.cpp launch_variants.cpp output.cpp)
  list(TRANSFORM of_command PREPEND ${PROJECT_SOURCE_DIR}/tools/attentune/)
  target_sources(test_simulated PRIVATE ${of_command})
  test_folder(runtime attentune_runtime)
  add_dependencies(test_runtime nvrtc_stub_12.8 nvrtc_stub_12.9 nvrtc_stub_13.1 nvrtc_stub_14.0)
  test_folder(tuner attentune_tuner)
  test_folder(tools attentune_tuner)
  foreach(part covering_list output quantity result tune_report) # of the command
    target_sources(test_tools PRIVATE ${PROJECT_SOURCE_DIR}/tools/attentune/${part}.cpp)
  endforeach()
  test_folder(abi attentune)
endif()

add_test(NAME borders COMMAND ${PROJECT_SOURCE_DIR}/tools/check_borders)
add_test(NAME format COMMAND ${PROJECT_SOURCE_DIR}/tools/format --check)
set_tests_properties(borders format PROPERTIES LABELS text)
add_test(NAME wrong_llvm
  COMMAND ${PROJECT_SOURCE_DIR}/tests/configure/wrong_llvm ${PROJECT_SOURCE_DIR} ${CMAKE_COMMAND} ${CMAKE_GENERATOR})
set_tests_properties(wrong_llvm PROPERTIES LABELS scripts)

if(HOST_CODEGEN AND NOT ATTENTUNE_SANITIZE)
  add_test(NAME consumer
    COMMAND ${PROJECT_SOURCE_DIR}/tests/consumer/run ${PROJECT_BINARY_DIR} ${CMAKE_C_COMPILER} ${CMAKE_CXX_COMPILER})
  set_tests_properties(consumer PROPERTIES LABELS consumer)
endif()

# Scripts. The system's Python comes first: it is where a distribution puts PyTorch.
find_program(ATTENTUNE_PYTHON python3 HINTS /usr/bin)
if(HOST_CODEGEN AND ATTENTUNE_PYTHON AND NOT ATTENTUNE_SANITIZE)
  set(scripts ${PROJECT_SOURCE_DIR}/tests/tools)
  add_test(NAME attentune_ctypes
    COMMAND ${ATTENTUNE_PYTHON} ${scripts}/attentune_ctypes_test.py $<TARGET_FILE:attentune> ${CMAKE_C_COMPILER})
  set_tests_properties(attentune_ctypes PROPERTIES LABELS scripts)
  file(GLOB found CONFIGURE_DEPENDS ${scripts}/campaign/*_test.py)
  foreach(script IN LISTS found)
    get_filename_component(stem ${script} NAME_WE)
    string(REGEX REPLACE "_test$" "" stem ${stem})
    add_test(NAME campaign.${stem} COMMAND ${ATTENTUNE_PYTHON} ${script})
    set_tests_properties(campaign.${stem} PROPERTIES
      LABELS scripts TIMEOUT 300 ENVIRONMENT ATTENTUNE_CLI=$<TARGET_FILE:attentune_cli>)
  endforeach()
endif()

# The core tests of a sanitized build, counted in the same summary; without those of generated code, which no sanitizer
# sees into.
if(ATTENTUNE_ALSO_TEST)
  get_filename_component(also ${ATTENTUNE_ALSO_TEST} NAME)
  foreach(folder generator templates cache runtime)
    file(GLOB found CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/${folder}/*.cpp)
    if(found)
      add_test(NAME ${also}.${folder} COMMAND ${ATTENTUNE_ALSO_TEST}/bin/test_${folder}
        --source-file-exclude=*forward_host_test*,*llvm_test*,*cross_test*)
      set_tests_properties(${also}.${folder} PROPERTIES LABELS ${also} TIMEOUT 600)
    endif()
  endforeach()
endif()
