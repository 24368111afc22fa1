/*
 * Readiness through Node's own event loop: a uv_poll_t for a descriptor.
 *
 * node-api-headers has no uv.h, so the few symbols used are declared here. They are exported by the node binary and part
 * of libuv 1's stable ABI: uv_handle_size tells the size, `data` is the first field of every handle, the type numbers are fixed.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "native.h"

typedef struct uv_handle {
  void *data;
} uv_handle;
struct uv_loop_s;
extern size_t uv_handle_size(int type);
extern int uv_poll_init(struct uv_loop_s *loop, uv_handle *handle, int fd);
extern int uv_poll_start(uv_handle *handle, int events, void (*ready)(uv_handle *handle, int status, int events));
extern void uv_close(uv_handle *handle, void (*closed)(uv_handle *handle));
extern void uv_ref(uv_handle *handle);
extern void uv_unref(uv_handle *handle);
enum { UV_POLL = 8, UV_READABLE = 1 };

/* Freed when neither the loop nor JavaScript holds it any more. */
struct watcher {
  napi_env env;
  napi_ref callback;
  napi_async_cleanup_hook_handle cleanup;
  uv_handle *handle; /* NULL once stopped */
  int fd;
  bool held_by_loop, held_by_script;
};

static void release(struct watcher *watcher) {
  if (!watcher->held_by_loop && !watcher->held_by_script) free(watcher);
}

static void closed(uv_handle *handle) {
  struct watcher *watcher = handle->data;
  free(handle);
  watcher->held_by_loop = false;
  if (watcher->cleanup != NULL) napi_remove_async_cleanup_hook(watcher->cleanup);
  release(watcher);
}

static void stop(struct watcher *watcher) {
  if (watcher->handle == NULL) return;
  uv_close(watcher->handle, closed); /* takes the descriptor out of epoll before it returns */
  watcher->handle = NULL;
  napi_delete_reference(watcher->env, watcher->callback);
}

/* The environment ends (process.exit, a worker's end) while still watching. */
static void environment_ends(napi_async_cleanup_hook_handle hook, void *data) {
  struct watcher *watcher = data;
  if (watcher->handle == NULL) return; /* already closing: closed() removes the hook */
  (void)hook;
  stop(watcher);
}

static void finalize(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  struct watcher *watcher = data;
  watcher->held_by_script = false;
  stop(watcher);
  release(watcher);
}

static void ready(uv_handle *handle, int status, int events) {
  (void)events;
  struct watcher *watcher = handle->data;
  napi_env env = watcher->env;
  bool gone = false;
  if (status < 0) {
    /* libuv stopped on EPOLLERR. A packet socket says so when its device goes down: take the error and go on. Anything
       else is a TUN or TAP whose device was removed. */
    int error;
    socklen_t size = sizeof(error);
    gone = getsockopt(watcher->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 ||
           uv_poll_start(handle, UV_READABLE, ready) < 0;
  }
  napi_handle_scope scope;
  if (napi_open_handle_scope(env, &scope) != napi_ok) return;
  napi_value callback, global, argument;
  if (napi_get_reference_value(env, watcher->callback, &callback) == napi_ok &&
      napi_get_global(env, &global) == napi_ok && napi_get_boolean(env, gone, &argument) == napi_ok) {
    if (gone) stop(watcher);
    if (napi_make_callback(env, NULL, global, callback, 1, &argument, NULL) == napi_pending_exception) {
      napi_value exception;
      if (napi_get_and_clear_last_exception(env, &exception) == napi_ok) napi_fatal_exception(env, exception);
    }
  }
  napi_close_handle_scope(env, scope);
}

/* watch(fd, callback): calls callback(gone) whenever the descriptor is readable; gone: it never will be again. */
static napi_value watch(napi_env env, napi_callback_info info) {
  napi_value values[2], result;
  int32_t fd;
  struct uv_loop_s *loop;
  if (!read_arguments(env, info, 2, values) || !read_int(env, values[0], &fd)) return NULL;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) return throw_errno(env, "event loop", ENOSYS);
  struct watcher *watcher = calloc(1, sizeof(*watcher));
  uv_handle *handle = calloc(1, uv_handle_size(UV_POLL));
  if (watcher == NULL || handle == NULL) {
    free(watcher);
    free(handle);
    return throw_errno(env, "watch", ENOMEM);
  }
  int status = uv_poll_init(loop, handle, fd);
  if (status < 0) {
    free(watcher);
    free(handle);
    return throw_errno(env, "watch", -status);
  }
  *watcher = (struct watcher){.env = env, .handle = handle, .fd = fd, .held_by_loop = true, .held_by_script = true};
  handle->data = watcher;
  if (napi_create_reference(env, values[1], 1, &watcher->callback) != napi_ok ||
      napi_create_external(env, watcher, finalize, NULL, &result) != napi_ok) {
    watcher->held_by_script = false;
    stop(watcher);
    return throw_errno(env, "watch", EINVAL);
  }
  napi_add_async_cleanup_hook(env, environment_ends, watcher, &watcher->cleanup);
  status = uv_poll_start(handle, UV_READABLE, ready);
  if (status < 0) {
    stop(watcher);
    return throw_errno(env, "watch", -status);
  }
  return result;
}

static struct watcher *read_watcher(napi_env env, napi_value value) {
  void *watcher = NULL;
  if (napi_get_value_external(env, value, &watcher) != napi_ok)
    napi_throw_type_error(env, NULL, "expected what watch() returned");
  return watcher;
}

/* unwatch(watcher): once or more often. */
static napi_value unwatch(napi_env env, napi_callback_info info) {
  napi_value values[1];
  if (!read_arguments(env, info, 1, values)) return NULL;
  struct watcher *watcher = read_watcher(env, values[0]);
  if (watcher == NULL) return NULL;
  stop(watcher);
  return nothing(env);
}

/* keepAlive(watcher, yes): whether this watcher alone keeps the process running. */
static napi_value keep_alive(napi_env env, napi_callback_info info) {
  napi_value values[2];
  bool yes;
  if (!read_arguments(env, info, 2, values) || !read_bool(env, values[1], &yes)) return NULL;
  struct watcher *watcher = read_watcher(env, values[0]);
  if (watcher == NULL) return NULL;
  if (watcher->handle != NULL) (yes ? uv_ref : uv_unref)(watcher->handle);
  return nothing(env);
}

const struct function watch_functions[] = {
    {"watch", watch},
    {"unwatch", unwatch},
    {"keepAlive", keep_alive},
    {NULL, NULL},
};
