/**
 * rtnetlink: messages as bytes, and one conversation with the kernel.
 *
 * A message: length(4) type(2) flags(2) sequence(4) port(4), a fixed part of its type, attributes. An attribute: length(2) type(2)
 * value, padded to 4. All in the machine's byte order, which is little endian wherever Node runs on Linux today, but for s390x.
 */
import { constants, endianness } from 'node:os';
import { getSystemErrorMessage } from 'node:util';
import { type Attempt, attempting, NetworkError } from './errors.ts';
import { place } from './namespace.ts';
import { native } from './native.ts';

const little = endianness() === 'LE';

export const NLM_F = { request: 0x1, ack: 0x4, dump: 0x300, replace: 0x100, excl: 0x200, create: 0x400 } as const;
const NLMSG = { error: 2, done: 3 } as const;
const NESTED = 0x8000;
const HEADER = 16;

const align = (length: number): number => (length + 3) & ~3;

/** Writes one message. The fixed part first, then attributes. */
export class Message {
  #bytes = new Uint8Array(512);
  #view = new DataView(this.#bytes.buffer);
  #length = HEADER;

  constructor(type: number, flags: number) {
    this.#view.setUint16(4, type, little);
    this.#view.setUint16(6, flags | NLM_F.request, little);
    this.#view.setUint32(8, 1, little);
  }

  u8(...values: number[]): this {
    for (const value of values) this.#view.setUint8(this.#take(1), value);
    return this;
  }

  u16(...values: number[]): this {
    for (const value of values) this.#view.setUint16(this.#take(2), value, little);
    return this;
  }

  u32(...values: number[]): this {
    for (const value of values) this.#view.setUint32(this.#take(4), value, little);
    return this;
  }

  bytes(value: Uint8Array): this {
    const at = this.#take(value.length);
    this.#bytes.set(value, at);
    return this;
  }

  /** An attribute whose value `write` adds. */
  attribute(type: number, write: (message: this) => void): this {
    const at = this.#take(4);
    write(this);
    this.#view.setUint16(at, this.#length - at, little);
    this.#view.setUint16(at + 2, type, little);
    this.#take(align(this.#length) - this.#length);
    return this;
  }

  nested(type: number, write: (message: this) => void): this {
    return this.attribute(type | NESTED, write);
  }

  text(type: number, value: string): this {
    return this.attribute(type, () => this.bytes(Buffer.from(`${value}\0`)));
  }

  number(type: number, value: number): this {
    return this.attribute(type, () => this.u32(value));
  }

  value(type: number, value: Uint8Array): this {
    return this.attribute(type, () => this.bytes(value));
  }

  /** The message as it stands. */
  finish(): Uint8Array {
    this.#view.setUint32(0, this.#length, little);
    return this.#bytes.subarray(0, this.#length);
  }

  #take(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(this.#length * 2);
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }
}

/** A message or attribute received: its bytes and a view that begin at its fixed part. */
export class Reply {
  readonly bytes: Uint8Array;
  readonly view: DataView;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u16(at: number): number {
    return this.view.getUint16(at, little);
  }

  u32(at: number): number {
    return this.view.getUint32(at, little);
  }

  i32(at: number): number {
    return this.view.getInt32(at, little);
  }

  u64(at: number): number {
    return Number(this.view.getBigUint64(at, little));
  }

  /** Without the closing zero. */
  text(): string {
    const end = this.bytes.indexOf(0);
    return Buffer.from(this.bytes.subarray(0, end < 0 ? undefined : end)).toString();
  }

  /** The attributes from a position on, by type. One that does not fit ends the walk. */
  attributes(at: number): Map<number, Reply> {
    const found = new Map<number, Reply>();
    while (at + 4 <= this.bytes.length) {
      const length = this.u16(at);
      if (length < 4 || at + length > this.bytes.length) break;
      found.set(this.u16(at + 2) & 0x3fff, new Reply(this.bytes.subarray(at + 4, at + length)));
      at += align(length);
    }
    return found;
  }
}

/** Sends a message in the attempt's namespace and returns what the kernel answered; throws NetworkError on its refusal. */
export function converse(attempt: Attempt, message: Message): Reply[] {
  const buffer = attempting(attempt, () => native().netlink(place(attempt.namespace), message.finish()));
  return readReplies(attempt, new Uint8Array(buffer));
}

/** Splits what the kernel sent; its refusal is thrown. */
export function readReplies(attempt: Attempt, bytes: Uint8Array): Reply[] {
  const all = new Reply(bytes);
  const replies: Reply[] = [];
  for (let at = 0; at + HEADER <= bytes.length; ) {
    const length = all.u32(at);
    if (length < HEADER || at + length > bytes.length) break;
    const type = all.u16(at + 4);
    const reply = new Reply(bytes.subarray(at + HEADER, at + length));
    if (type === NLMSG.error || type === NLMSG.done) {
      const error = reply.bytes.length >= 4 ? -reply.i32(0) : 0;
      if (error !== 0) throw refusal(attempt, error, type === NLMSG.error ? remark(reply, all.u16(at + 6)) : '');
    } else {
      replies.push(reply);
    }
    at += align(length);
  }
  return replies;
}

function refusal(attempt: Attempt, error: number, kernelRemark: string): NetworkError {
  const code = Object.entries(constants.errno).find(([, value]) => value === error)?.[0] ?? `errno ${error}`;
  const message = `${getSystemErrorMessage(-error)} (${code})`;
  return new NetworkError(attempt, { code, errno: error, syscall: 'netlink', message }, kernelRemark);
}

/** The kernel's own sentence in an extended acknowledgement: after the errno and the (maybe capped) request. */
function remark(reply: Reply, flags: number): string {
  const [capped, hasAttributes] = [0x100, 0x200];
  if ((flags & hasAttributes) === 0 || reply.bytes.length < 4 + HEADER) return '';
  const request = flags & capped ? HEADER : align(reply.u32(4));
  return (
    reply
      .attributes(4 + request)
      .get(1)
      ?.text() ?? ''
  );
}
