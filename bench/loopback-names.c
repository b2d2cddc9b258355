/* Preloaded: *.bench.test is 127.0.0.1 for whoever asks the system's resolver; everything else is left to it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>

typedef int (*resolver)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
  static const char suffix[] = ".bench.test";
  resolver next = (resolver)dlsym(RTLD_NEXT, "getaddrinfo");
  size_t length = name == NULL ? 0 : strlen(name);
  size_t tail = sizeof suffix - 1;
  if (length > tail && strcmp(name + length - tail, suffix) == 0) name = "127.0.0.1";
  return next(name, service, hints, found);
}
