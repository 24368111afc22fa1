import { expect, test } from 'vitest';
import { Message, NLM_F, Reply, readReplies } from '../netlink.ts';

const attempt = { operation: 'try', device: 'eth9', namespace: 'there' };
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

test('a message carries its length, and attributes are padded to four bytes', () => {
  const message = new Message(16, NLM_F.ack).u8(1, 2).u16(3).text(3, 'ab').number(4, 1500);
  expect(hex(message.finish())).toBe(
    '24000000' + '1000' + '0500' + '01000000' + '00000000' + '01020300' + '0700030061620000' + '08000400dc050000',
  );
});

test('a nested attribute spans what is written inside, and is marked as nested', () => {
  const message = new Message(16, 0).nested(18, (info) => info.text(1, 'veth'));
  expect(hex(message.finish().subarray(16))).toBe('10001280' + '09000100' + '7665746800000000');
});

test('a message grows as far as it must', () => {
  const value = new Uint8Array(5000).fill(7);
  const bytes = new Message(16, 0).value(1, value).number(2, 9).finish();
  const attributes = new Reply(bytes).attributes(16);
  expect(attributes.get(1)?.bytes).toEqual(value);
  expect(attributes.get(2)?.u32(0)).toBe(9);
});

test('attributes that lie about their length end the walk', () => {
  for (const bytes of ['03000100', 'ffff0100', '0800', '0400']) {
    expect(new Reply(Buffer.from(bytes, 'hex')).attributes(0).size).toBe(0);
  }
});

test('an acknowledgement is no reply; what came before it is', () => {
  const [data, ack] = ['14000000' + '10000000' + '0100000000000000' + '78563412', ackOf(0)];
  const replies = readReplies(attempt, Buffer.from(data + ack, 'hex'));
  expect(replies.map((reply) => reply.u32(0))).toEqual([0x12345678]);
});

test("a refusal names operation, device, namespace, errno and the kernel's own sentence", () => {
  const remark = '0a000100' + '6f75636821000000';
  const refusal = '30000000' + '02000003' + '0100000000000000' + errorCode(17) + '00'.repeat(16) + remark;
  expect(() => readReplies(attempt, Buffer.from(refusal, 'hex'))).toThrow(
    /^try eth9 in namespace there: .*\(EEXIST\): ouch!$/,
  );
});

test('a missing capability is named', () => {
  expect(() => readReplies(attempt, Buffer.from(ackOf(1), 'hex'))).toThrow(/\(EPERM\)\. Needs CAP_NET_ADMIN$/);
});

function errorCode(errno: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(-errno);
  return bytes.toString('hex');
}

function ackOf(errno: number): string {
  return '24000000' + '02000001' + '0100000000000000' + errorCode(errno) + '00'.repeat(16);
}
