import { SystemError } from './system.ts';

/** errno(2): the sentences of strerror. */
const SENTENCES: Readonly<Record<string, string>> = {
  EPERM: 'Operation not permitted',
  ENOENT: 'No such file or directory',
  ESRCH: 'No such process',
  ENXIO: 'Device not configured',
  EEXIST: 'File exists',
  EINVAL: 'Invalid argument',
  EMSGSIZE: 'Message too long',
  EPROTONOSUPPORT: 'Protocol not supported',
  EADDRINUSE: 'Address already in use',
  EADDRNOTAVAIL: "Can't assign requested address",
  ENETDOWN: 'Network is down',
  ENETUNREACH: 'Network is unreachable',
  EBADF: 'Bad file descriptor',
  ENOPROTOOPT: 'Protocol option not supported',
  ENOBUFS: 'No buffer space available',
  EISCONN: 'Socket is already connected',
  ENOTCONN: 'Socket is not connected',
  EDESTADDRREQ: 'Destination address required',
  ECONNREFUSED: 'Connection refused',
  EHOSTDOWN: 'Host is down',
  EHOSTUNREACH: 'No route to host',
};

/** `what`: the thing refused, in front of the sentence. */
export function systemError(code: string, what = ''): SystemError {
  const sentence = SENTENCES[code] ?? code;
  return new SystemError(code, what === '' ? sentence : `${what}: ${sentence}`);
}

/** Throws for an errno name that the stack gave back; undefined is success. */
export function check(code: string | undefined): void {
  if (code !== undefined) throw systemError(code);
}
