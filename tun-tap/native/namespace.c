/* Network namespaces: visits by the calling thread, and the making of named ones as `ip netns` does. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "native.h"

/* Not /proc/self: that is the main thread's, and Node's workers are other threads. */
#define OWN_NAMESPACE "/proc/thread-self/ns/net"

bool enter_namespace(napi_env env, napi_value value, int *home) {
  *home = -1;
  napi_valuetype type;
  if (napi_typeof(env, value, &type) != napi_ok) return false;
  if (type == napi_undefined || type == napi_null) return true;

  int32_t target;
  bool opened = type == napi_string;
  if (opened) {
    char path[4096];
    if (!read_text(env, value, path, sizeof(path))) return false;
    target = open(path, O_RDONLY | O_CLOEXEC);
    if (target < 0) {
      throw_errno(env, "open namespace", errno);
      return false;
    }
  } else if (!read_int(env, value, &target)) {
    return false;
  }
  int own = open(OWN_NAMESPACE, O_RDONLY | O_CLOEXEC);
  int error = own < 0 ? errno : 0;
  const char *operation = "open own namespace";
  if (own >= 0 && setns(target, CLONE_NEWNET) < 0) {
    error = errno;
    operation = "setns";
    close(own);
  }
  if (opened) close(target);
  if (error != 0) {
    throw_errno(env, operation, error);
    return false;
  }
  *home = own;
  return true;
}

void leave_namespace(int home) {
  if (home < 0) return;
  int error = errno;
  if (setns(home, CLONE_NEWNET) < 0) {
    perror("tun-tap: cannot return to the thread's own network namespace");
    abort();
  }
  close(home);
  errno = error;
}

/* enter(namespace): descriptor of the namespace left, for leave(descriptor). */
static napi_value enter(napi_env env, napi_callback_info info) {
  napi_value values[1];
  int home;
  if (!read_arguments(env, info, 1, values) || !enter_namespace(env, values[0], &home)) return NULL;
  return from_int(env, home);
}

static napi_value leave(napi_env env, napi_callback_info info) {
  napi_value values[1];
  int32_t home;
  if (!read_arguments(env, info, 1, values) || !read_int(env, values[0], &home)) return NULL;
  leave_namespace(home);
  return nothing(env);
}

struct creation {
  const char *path;
  const char *operation;
  int error;
};

/* Runs in a thread of its own, so that no thread of Node's is ever in the new namespace. */
static void *unshare_and_bind(void *argument) {
  struct creation *creation = argument;
  creation->operation = "unshare";
  creation->error = unshare(CLONE_NEWNET) < 0 ? errno : 0;
  if (creation->error != 0) return NULL;
  creation->operation = "bind mount";
  creation->error = mount(OWN_NAMESPACE, creation->path, "none", MS_BIND, NULL) < 0 ? errno : 0;
  return NULL;
}

/* bindNewNamespace(path): path is an existing empty file. */
static napi_value bind_new_namespace(napi_env env, napi_callback_info info) {
  napi_value values[1];
  char path[4096];
  if (!read_arguments(env, info, 1, values) || !read_text(env, values[0], path, sizeof(path))) return NULL;
  struct creation creation = {.path = path};
  pthread_t helper;
  int error = pthread_create(&helper, NULL, unshare_and_bind, &creation);
  if (error != 0) return throw_errno(env, "pthread_create", error);
  pthread_join(helper, NULL);
  if (creation.error != 0) return throw_errno(env, creation.operation, creation.error);
  return nothing(env);
}

/* shareMounts(folder): makes the folder a shared mount point as `ip netns add` does, so that a namespace deleted in one
   mount namespace is deleted in all of them. */
static napi_value share_mounts(napi_env env, napi_callback_info info) {
  napi_value values[1];
  char path[4096];
  if (!read_arguments(env, info, 1, values) || !read_text(env, values[0], path, sizeof(path))) return NULL;
  if (mount("", path, "none", MS_SHARED | MS_REC, NULL) == 0) return nothing(env);
  /* EINVAL: not yet a mount point. */
  if (errno != EINVAL || mount(path, path, "none", MS_BIND | MS_REC, NULL) < 0 ||
      mount("", path, "none", MS_SHARED | MS_REC, NULL) < 0)
    return throw_errno(env, "mount", errno);
  return nothing(env);
}

/* unmount(path): true when something was mounted there. */
static napi_value unmount(napi_env env, napi_callback_info info) {
  napi_value values[1], result;
  char path[4096];
  if (!read_arguments(env, info, 1, values) || !read_text(env, values[0], path, sizeof(path))) return NULL;
  bool mounted = umount2(path, MNT_DETACH) == 0;
  if (!mounted && errno != EINVAL && errno != ENOENT) return throw_errno(env, "umount", errno);
  napi_get_boolean(env, mounted, &result);
  return result;
}

const struct function namespace_functions[] = {
    {"enter", enter},
    {"leave", leave},
    {"bindNewNamespace", bind_new_namespace},
    {"shareMounts", share_mounts},
    {"unmount", unmount},
    {NULL, NULL},
};
