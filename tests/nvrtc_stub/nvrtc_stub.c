/* A libnvrtc.so that says its version and which architectures it knows, and compiles nothing: for tests of which of
 * several is taken. NVRTC_STUB_MAJOR, NVRTC_STUB_MINOR and NVRTC_STUB_ARCHS (80, 90) are given by the build. */

#define EXPORT __attribute__((visibility("default")))

enum { SUCCESS = 0, INTERNAL_ERROR = 11 };

static const int archs[] = {NVRTC_STUB_ARCHS};

EXPORT int nvrtcVersion(int* major, int* minor) {
  *major = NVRTC_STUB_MAJOR;
  *minor = NVRTC_STUB_MINOR;
  return SUCCESS;
}

EXPORT int nvrtcGetNumSupportedArchs(int* count) {
  *count = (int)(sizeof archs / sizeof archs[0]);
  return SUCCESS;
}

EXPORT int nvrtcGetSupportedArchs(int* supported) {
  for (unsigned n = 0; n < sizeof archs / sizeof archs[0]; ++n)
    supported[n] = archs[n];
  return SUCCESS;
}

EXPORT const char* nvrtcGetErrorString(int result) {
  (void)result;
  return "a stub compiles nothing";
}

/* Only looked up, never called. */
#define UNUSED(name) \
  EXPORT int name(void) { return INTERNAL_ERROR; }
UNUSED(nvrtcCreateProgram)
UNUSED(nvrtcDestroyProgram)
UNUSED(nvrtcCompileProgram)
UNUSED(nvrtcGetProgramLogSize)
UNUSED(nvrtcGetProgramLog)
UNUSED(nvrtcGetPTXSize)
UNUSED(nvrtcGetPTX)
UNUSED(nvrtcGetCUBINSize)
UNUSED(nvrtcGetCUBIN)
