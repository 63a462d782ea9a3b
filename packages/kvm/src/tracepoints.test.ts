import {expect, test} from 'vitest';
import {parseField, parseFormat, parseRing} from './tracepoints.js';

const FORMAT = `name: kvm_emulate_insn
ID: 85
format:
	field:unsigned short common_type;	offset:0;	size:2;	signed:0;
	field:int common_pid;	offset:4;	size:4;	signed:1;

	field:__u64 rip;	offset:8;	size:8;	signed:0;
	field:__u8 len;	offset:16;	size:1;	signed:0;
	field:__u8 insn[3];	offset:17;	size:3;	signed:0;
	field:int delta;	offset:20;	size:4;	signed:1;

print fmt: "%x", REC->rip
`;

/** A PERF_RECORD_SAMPLE with time and the raw event. */
function sample(time: bigint, raw: readonly number[]): readonly number[] {
  const size = 8 + 8 + 4 + raw.length;
  const view = new DataView(new ArrayBuffer(size));
  view.setUint32(0, 9, true);
  view.setUint16(6, size, true);
  view.setBigUint64(8, time, true);
  view.setUint32(16, raw.length, true);
  return [...new Uint8Array(view.buffer).subarray(0, 20), ...raw];
}
const RAW = [85, 0, 0, 0, 1, 0, 0, 0, 0x78, 0x56, 0x34, 0x12, 0, 0, 0, 0, 2, 0x0f, 0xa2, 0, 0xff, 0xff, 0xff, 0xff];

test('a field is found by what the kernel says of it', () => {
  expect(parseField('\tfield:__u8 insn[15];\toffset:21;\tsize:15;\tsigned:0;')).toEqual({
    name: 'insn',
    offset: 21,
    size: 15,
    kind: 'bytes',
  });
  expect(parseField('print fmt: "%x"')).toBeUndefined();
});

test('a format leaves out what every event has; what is no format is refused', () => {
  expect(parseFormat(FORMAT)).toMatchObject({name: 'kvm_emulate_insn', id: 85});
  expect(parseFormat(FORMAT).fields.map(({name}) => name)).toEqual(['rip', 'len', 'insn', 'delta']);
  expect(() => parseFormat('hello')).toThrow('tracepoint');
});

test('a ring gives its events in order, with numbers, signs and bytes; unknown and cut ones are passed over', () => {
  const formats = new Map([[85, parseFormat(FORMAT)]]);
  const other = sample(6n, [86, ...RAW.slice(1)]);
  const lost = [2, 0, 0, 0, 0, 0, 24, 0, ...Array.from({length: 8}, () => 0), 3, 0, 0, 0, 0, 0, 0, 0];
  const bytes = Uint8Array.from([
    ...sample(5n, RAW),
    ...other,
    ...lost,
    ...sample(7n, RAW),
    ...sample(8n, RAW).slice(0, 30),
  ]);
  const {events, lost: missing} = parseRing(bytes, formats);
  expect(missing).toBe(3);
  expect(events.map(({time}) => time)).toEqual([5n, 7n]);
  expect(events[0]?.fields).toEqual({rip: 0x1234_5678n, len: 2n, insn: '0f a2 00', delta: -1n});
});
