import {expect, test} from 'vitest';
import {TEST_PORTS, realModeImage, runToEnd} from '../testing/run-guest.js';
import {HypervisorRun} from './hypervisor-run.js';
import {vtxEpt} from './vmx/vtx-ept.js';

const four = (value: number): readonly number[] => [0, 8, 16, 24].map(shift => (value >>> shift) & 0xff);

/** What a guest sends: WRMSR with EDX = 0, RDMSR, then AL; '!' from the handler of #GP. */
function sent(code: readonly number[]): string {
  const report = [0xba, 0xf8, 0x03, 0xee, 0xf4];
  const handler = 0x1000 + 6 + code.length + report.length;
  // mov word [34h], handler: the offset of vector 13; its segment is 0
  const prologue = [0xc7, 0x06, 0x34, 0x00, handler & 0xff, handler >> 8];
  const bytes = [...prologue, ...code, ...report, 0xb0, 0x21, ...report];
  const run = new HypervisorRun(
    {image: realModeImage(bytes), ports: TEST_PORTS, profile: undefined, costModel: undefined},
    vtxEpt(),
  );
  expect(runToEnd(run).outcome).toEqual({kind: 'halted'});
  return String.fromCodePoint(...run.serialOutput());
}
const ecx = (msr: number): readonly number[] => [0x66, 0xb9, ...four(msr)];
const read = (msr: number): string => sent([...ecx(msr), 0x0f, 0x32]);
const written = (msr: number, value: number): string =>
  sent([...ecx(msr), 0x66, 0xb8, ...four(value), 0x66, 0x31, 0xd2, 0x0f, 0x30, 0x66, 0x31, 0xc0, 0x0f, 0x32]);

test.each([
  ['the base of a range', 0x200, 0x1000_0006],
  ['the base of the last range', 0x20e, 0xf000_0001],
  ['a fixed range', 0x26f, 0x0606_0605],
  ['the default type', 0x2ff, 0xc06],
  ['IA32_MCG_STATUS', 0x17a, 4],
])('KVM keeps %s for the guest', (_, msr, value) =>
  expect(written(msr, value)).toBe(String.fromCodePoint(value & 0xff)),
);

test.each([
  ['a memory type that does not exist', 0x200, 2],
  ['reserved bits of the default type', 0x2ff, 0x1006],
  ['IA32_MTRRCAP, which is read-only', 0xfe, 0],
  ['IA32_MCG_CAP, which is read-only', 0x179, 0],
])('the guest gets #GP for %s', (_, msr, value) => expect(written(msr, value)).toBe('!'));

test('the guest has eight memory-type ranges and no machine-check bank', () =>
  expect([read(0xfe), read(0x179), read(0x400)]).toEqual(['\u0008', '\0', '!']));
