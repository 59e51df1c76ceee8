# Every file of tests/fuzz is one libFuzzer program.
file(GLOB fuzzers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/fuzz/*.cpp)
foreach(source IN LISTS fuzzers)
  get_filename_component(stem ${source} NAME_WE)
  add_executable(fuzz_${stem} ${source})
  target_link_libraries(fuzz_${stem} PRIVATE attentune_tuner)
  target_link_options(fuzz_${stem} PRIVATE -fsanitize=fuzzer)
endforeach()
