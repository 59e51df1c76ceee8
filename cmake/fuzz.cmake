# Every file of tests/fuzz is one libFuzzer program; the target `fuzzers` is all of them.
add_custom_target(fuzzers)
file(GLOB fuzzers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/fuzz/*.cpp)
foreach(source IN LISTS fuzzers)
  get_filename_component(stem ${source} NAME_WE)
  add_executable(fuzz_${stem} ${source})
  target_link_libraries(fuzz_${stem} PRIVATE attentune_tuner attentune_simulator)
  precompiled_as(fuzz_${stem} attentune_generator)
  target_link_options(fuzz_${stem} PRIVATE -fsanitize=fuzzer)
  add_dependencies(fuzzers fuzz_${stem})
endforeach()
# A Module printed by the tests' own means, to read it again.
target_sources(fuzz_ptx_fuzz PRIVATE ${PROJECT_SOURCE_DIR}/tests/simulator/ptx_text.cpp)
