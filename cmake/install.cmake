install(TARGETS attentune_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
# lib, not lib/<triple>: the library looks for its worker at ../bin beside itself.
install(TARGETS attentune LIBRARY DESTINATION lib)
install(FILES tuner/abi/attentune.h tuner/abi/attentune.hpp
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/attentune)
install(FILES LICENSE THIRD_PARTY_NOTICES DESTINATION ${CMAKE_INSTALL_DOCDIR})
