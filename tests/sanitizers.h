// Which sanitizer, if any, a test is built with.
#pragma once

#if defined(__SANITIZE_ADDRESS__)
#define ATTENTUNE_UNDER_ASAN
#endif
#if defined(__SANITIZE_THREAD__)
#define ATTENTUNE_UNDER_TSAN
#endif
#if defined(__has_feature)
#if __has_feature(address_sanitizer) && !defined(ATTENTUNE_UNDER_ASAN)
#define ATTENTUNE_UNDER_ASAN
#endif
#if __has_feature(thread_sanitizer) && !defined(ATTENTUNE_UNDER_TSAN)
#define ATTENTUNE_UNDER_TSAN
#endif
#endif

#if defined(ATTENTUNE_UNDER_ASAN) || defined(ATTENTUNE_UNDER_TSAN)
#define ATTENTUNE_SANITIZED
#endif
