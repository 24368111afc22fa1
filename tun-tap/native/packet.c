/* AF_PACKET sockets: every frame of one device, with kernel time stamps, in batches. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "native.h"

/* Messages for one system call; larger batches take several. */
enum { CHUNK = 64 };

struct request {
  char device[IFNAMSIZ];
  uint32_t protocol;
  uint32_t receive_buffer;
  bool promiscuous, vnet_header, ignore_outgoing;
};

static bool set_option(int fd, int level, int option, int value) {
  return setsockopt(fd, level, option, &value, sizeof(value)) == 0;
}

static int open_socket(const struct request *request, const char **step) {
  *step = "if_nametoindex";
  unsigned index = if_nametoindex(request->device);
  if (index == 0) return -1;
  /* Protocol 0 hears nothing: no frame of another device comes in between here and bind. */
  *step = "socket AF_PACKET";
  int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;

  *step = "SO_TIMESTAMPNS";
  if (!set_option(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1)) goto fail;
  *step = "SO_RCVBUF";
  if (!set_option(fd, SOL_SOCKET, SO_RCVBUFFORCE, (int)request->receive_buffer) &&
      !set_option(fd, SOL_SOCKET, SO_RCVBUF, (int)request->receive_buffer))
    goto fail;
  *step = "PACKET_VNET_HDR";
  if (request->vnet_header && !set_option(fd, SOL_PACKET, PACKET_VNET_HDR, 1)) goto fail;
  *step = "PACKET_IGNORE_OUTGOING";
  if (request->ignore_outgoing && !set_option(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)) goto fail;
  if (request->promiscuous) {
    struct packet_mreq membership = {.mr_ifindex = (int)index, .mr_type = PACKET_MR_PROMISC};
    *step = "PACKET_ADD_MEMBERSHIP";
    if (setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &membership, sizeof(membership)) < 0) goto fail;
  }
  struct sockaddr_ll address = {
      .sll_family = AF_PACKET, .sll_protocol = htons((uint16_t)request->protocol), .sll_ifindex = (int)index};
  *step = "bind";
  if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0) goto fail;
  return fd;

fail:;
  int error = errno;
  close(fd);
  errno = error;
  return -1;
}

/* packetOpen(namespace, device, protocol, receiveBuffer, promiscuous, vnetHeader, ignoreOutgoing): fd */
static napi_value packet_open(napi_env env, napi_callback_info info) {
  napi_value values[7];
  struct request request;
  memset(&request, 0, sizeof(request));
  int home;
  if (!read_arguments(env, info, 7, values) || !read_text(env, values[1], request.device, sizeof(request.device)) ||
      !read_uint(env, values[2], &request.protocol) || !read_uint(env, values[3], &request.receive_buffer) ||
      !read_bool(env, values[4], &request.promiscuous) || !read_bool(env, values[5], &request.vnet_header) ||
      !read_bool(env, values[6], &request.ignore_outgoing) || !enter_namespace(env, values[0], &home))
    return NULL;
  const char *step;
  int fd = open_socket(&request, &step);
  leave_namespace(home);
  if (fd < 0) return throw_errno(env, step, errno);
  return from_int(env, fd);
}

static int64_t timestamp(struct msghdr *message) {
  for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SO_TIMESTAMPNS) continue;
    struct timespec time;
    memcpy(&time, CMSG_DATA(c), sizeof(time));
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
  }
  return 0;
}

/* Fills slots from `first` on; returns frames read, or -1 with errno. */
static int read_chunk(int fd, const struct batch *batch, uint32_t first, uint32_t limit, uint32_t snap) {
  struct mmsghdr messages[CHUNK];
  struct iovec parts[CHUNK];
  struct sockaddr_ll senders[CHUNK];
  union {
    char bytes[CMSG_SPACE(sizeof(struct timespec))];
    struct cmsghdr align;
  } controls[CHUNK];
  uint32_t want = limit < CHUNK ? limit : CHUNK;
  for (uint32_t i = 0; i < want; i++) {
    parts[i] = (struct iovec){slot(batch, first + i), snap};
    messages[i].msg_hdr = (struct msghdr){.msg_name = &senders[i],
                                          .msg_namelen = sizeof(senders[i]),
                                          .msg_iov = &parts[i],
                                          .msg_iovlen = 1,
                                          .msg_control = &controls[i],
                                          .msg_controllen = sizeof(controls[i])};
  }
  /* MSG_TRUNC: msg_len is the frame's own length, whatever was copied. */
  int got = recvmmsg(fd, messages, want, MSG_DONTWAIT | MSG_TRUNC, NULL);
  for (int i = 0; i < got; i++) {
    uint32_t at = first + (uint32_t)i, length = messages[i].msg_len;
    batch->wire_lengths[at] = length;
    batch->lengths[at] = length < snap ? length : snap;
    batch->kinds[at] = senders[i].sll_pkttype;
    batch->timestamps[at] = timestamp(&messages[i].msg_hdr);
  }
  return got;
}

/* packetRead(fd, buffer, slots, slotSize, snapLength): frames read */
static napi_value packet_read(napi_env env, napi_callback_info info) {
  napi_value values[5];
  int32_t fd;
  uint32_t snap;
  struct batch batch;
  if (!read_arguments(env, info, 5, values) || !read_int(env, values[0], &fd) || !read_batch(env, values + 1, &batch) ||
      !read_uint(env, values[4], &snap))
    return NULL;
  if (snap > batch.slot_size) snap = batch.slot_size;
  uint32_t count = 0;
  int excuses = 0;
  while (count < batch.slots) {
    uint32_t want = batch.slots - count;
    int got = read_chunk(fd, &batch, count, want, snap);
    if (got < 0) {
      if (errno == EAGAIN || count > 0) break;
      /* The socket says once that its device went down; it may come up again. */
      if ((errno == EINTR || errno == ENETDOWN) && excuses++ < 3) continue;
      return throw_errno(env, "recvmmsg", errno);
    }
    count += (uint32_t)got;
    if ((uint32_t)got < (want < CHUNK ? want : CHUNK)) break;
  }
  return from_int(env, count);
}

/* packetWrite(fd, buffer, slots, slotSize, first, count): as tunWrite. */
static napi_value packet_write(napi_env env, napi_callback_info info) {
  napi_value values[6];
  int32_t fd;
  struct batch batch;
  uint32_t first, end;
  if (!read_arguments(env, info, 6, values) || !read_int(env, values[0], &fd) || !read_batch(env, values + 1, &batch) ||
      !read_range(env, values + 4, &batch, &first, &end))
    return NULL;
  struct mmsghdr messages[CHUNK];
  struct iovec parts[CHUNK];
  uint32_t at = first;
  while (at < end) {
    uint32_t want = end - at < CHUNK ? end - at : CHUNK;
    for (uint32_t i = 0; i < want; i++) {
      parts[i] = (struct iovec){slot(&batch, at + i), batch.lengths[at + i]};
      messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
    }
    int sent = sendmmsg(fd, messages, want, MSG_DONTWAIT);
    if (sent >= 0) {
      at += (uint32_t)sent;
      continue;
    }
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM) break;
    if (errno == ENXIO || errno == EBADF) {
      if (at > first) break;
      return throw_errno(env, "sendmmsg", errno);
    }
    *batch.refused += 1;
    *batch.last_refusal = (uint32_t)errno;
    at++;
  }
  return from_int(env, at - first);
}

/* packetDrops(fd): frames lost for want of room since the last call; the kernel resets it. */
static napi_value packet_drops(napi_env env, napi_callback_info info) {
  napi_value values[1];
  int32_t fd;
  if (!read_arguments(env, info, 1, values) || !read_int(env, values[0], &fd)) return NULL;
  struct tpacket_stats statistics;
  socklen_t size = sizeof(statistics);
  if (getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &statistics, &size) < 0)
    return throw_errno(env, "PACKET_STATISTICS", errno);
  return from_int(env, statistics.tp_drops);
}

const struct function packet_functions[] = {
    {"packetOpen", packet_open},
    {"packetRead", packet_read},
    {"packetWrite", packet_write},
    {"packetDrops", packet_drops},
    {NULL, NULL},
};
