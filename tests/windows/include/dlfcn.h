// clang-format Language: C
/* The loader of Windows, as POSIX would have it. */
#include <string.h>
#include <windows.h>

#define RTLD_NOW 0
#define RTLD_LOCAL 0

static inline void *dlopen(const char *path, int flags) {
    return flags == 0 ? (void *)LoadLibraryA(path) : NULL;
}

static inline void *dlsym(void *library, const char *name) {
    const FARPROC found = GetProcAddress((HMODULE)library, name);
    void *symbol;
    memcpy(&symbol, &found, sizeof symbol);
    return symbol;
}

static inline int dlclose(void *library) { return !FreeLibrary((HMODULE)library); }
