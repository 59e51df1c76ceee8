# templates/ becomes text inside the program: attentune::templates::text("host/forward.ll").

# Generator and compiler choose the CPU later: these flags must not name one. -O2 with the passes off
# keeps functions open to the optimizer (-O0 would mark them optnone) and leaves the text as written; what needs no
# constant is then done once and for all (local variables become values), which halves the text a compilation reads.
set(HOST_TEMPLATE_FLAGS
  --target=${CMAKE_SYSTEM_PROCESSOR}-unknown-linux-gnu
  -std=gnu11 -O2 -Xclang -disable-llvm-passes
  -ffreestanding -fPIC -fno-math-errno -fno-stack-protector -fno-asynchronous-unwind-tables
  -g0 -fno-ident
  -Wall -Wextra -Werror -Wno-psabi)

set(EMBEDDED_FOLDER ${PROJECT_BINARY_DIR}/templates)
set(embedded_fragments "")
set(embedded_includes "")
set(embedded_rows "")

# embed(NAME FILE): FILE becomes the text NAME.
macro(embed name file)
  string(MAKE_C_IDENTIFIER "${name}" symbol)
  set(fragment ${EMBEDDED_FOLDER}/embedded/${symbol}.inc)
  add_custom_command(
    OUTPUT ${fragment}
    COMMAND ${CMAKE_COMMAND} -DINPUT=${file} -DOUTPUT=${fragment} -DSYMBOL=${symbol}
            -P ${PROJECT_SOURCE_DIR}/cmake/embed.cmake
    DEPENDS ${file} ${PROJECT_SOURCE_DIR}/cmake/embed.cmake
    COMMENT "Embedding ${name}" VERBATIM)
  list(APPEND embedded_fragments ${fragment})
  string(APPEND embedded_includes "#include \"${fragment}\"\n")
  string(APPEND embedded_rows "    Entry{\"${name}\", {${symbol}, sizeof ${symbol} - 1}},\n")
endmacro()

if(HOST_CODEGEN)
  file(GLOB host_templates CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/templates/host/*.c)
  foreach(source IN LISTS host_templates)
    get_filename_component(stem ${source} NAME_WE)
    set(raw ${EMBEDDED_FOLDER}/host/${stem}.raw.ll)
    set(ir ${EMBEDDED_FOLDER}/host/${stem}.ll)
    file(MAKE_DIRECTORY ${EMBEDDED_FOLDER}/host)
    add_custom_command(
      OUTPUT ${ir}
      BYPRODUCTS ${raw}
      COMMAND ${TEMPLATE_CLANG} ${HOST_TEMPLATE_FLAGS} -I${PROJECT_SOURCE_DIR}
              -S -emit-llvm -MD -MF ${raw}.d -MT ${ir} -o ${raw} ${source}
      COMMAND ${TEMPLATE_OPT} -S -passes=function\(sroa,early-cse,simplifycfg\) -o ${raw} ${raw}
      COMMAND ${CMAKE_COMMAND} -DINPUT=${raw} -DOUTPUT=${ir} -P ${PROJECT_SOURCE_DIR}/cmake/strip_ir.cmake
      DEPENDS ${source} ${PROJECT_SOURCE_DIR}/cmake/strip_ir.cmake
      DEPFILE ${raw}.d
      COMMENT "Template host/${stem}.c to LLVM IR" VERBATIM)
    embed(host/${stem}.ll ${ir})
  endforeach()
endif()

file(GLOB text_templates RELATIVE ${PROJECT_SOURCE_DIR}/templates CONFIGURE_DEPENDS
  ${PROJECT_SOURCE_DIR}/templates/launch.c
  ${PROJECT_SOURCE_DIR}/templates/*.h
  ${PROJECT_SOURCE_DIR}/templates/cuda/*.cuh)
list(REMOVE_ITEM text_templates templates.h)
foreach(name IN LISTS text_templates)
  embed(${name} ${PROJECT_SOURCE_DIR}/templates/${name})
endforeach()

list(LENGTH embedded_fragments ATTENTUNE_TEXT_COUNT)
set(ATTENTUNE_TEXT_INCLUDES "${embedded_includes}")
set(ATTENTUNE_TEXT_ROWS "${embedded_rows}")
configure_file(${PROJECT_SOURCE_DIR}/cmake/embedded.cpp.in ${EMBEDDED_FOLDER}/embedded.cpp @ONLY)

file(GLOB template_sources CONFIGURE_DEPENDS
  ${PROJECT_SOURCE_DIR}/templates/*.cpp ${PROJECT_SOURCE_DIR}/templates/*.c)
add_library(attentune_templates STATIC
  ${template_sources} ${EMBEDDED_FOLDER}/embedded.cpp)
set_source_files_properties(${EMBEDDED_FOLDER}/embedded.cpp PROPERTIES OBJECT_DEPENDS "${embedded_fragments}")
target_link_libraries(attentune_templates PUBLIC attentune_flags)
