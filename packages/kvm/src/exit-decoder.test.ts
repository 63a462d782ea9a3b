import {describe, expect, test} from 'vitest';
import {copyExit, decodeExit} from './exit-decoder.js';
import {LAYOUT} from './kvm-layout.js';

type Put = readonly [offset: number, bits: 8 | 16 | 32 | 64, value: number | bigint];

/** A kvm_run area with these fields set. */
function area(reason: number, ...puts: readonly Put[]): DataView {
  const view = new DataView(new ArrayBuffer(12288));
  view.setUint32(LAYOUT['kvm_run.exit_reason'], reason, true);
  for (const [offset, bits, value] of puts) {
    if (bits === 8) view.setUint8(offset, Number(value));
    else if (bits === 16) view.setUint16(offset, Number(value), true);
    else if (bits === 32) view.setUint32(offset, Number(value), true);
    else view.setBigUint64(offset, BigInt(value), true);
  }
  return view;
}

const io = (direction: number, size: number, port: number, count: number): DataView =>
  area(2, [32, 8, direction], [33, 8, size], [34, 16, port], [36, 32, count], [40, 64, 4096], [4096, 32, 0x44332211]);

describe('decodeExit', () => {
  test('reads an OUT with its data where data_offset says', () =>
    expect(decodeExit(io(1, 1, 0x3f8, 1))).toEqual({
      reason: 'io',
      direction: 'out',
      port: 0x3f8,
      width: 8,
      count: 1,
      data: new Uint8Array([0x11]),
    }));

  test('reads repeated 16-bit input as count elements', () =>
    expect(decodeExit(io(0, 2, 0x1f0, 2))).toMatchObject({
      direction: 'in',
      width: 16,
      count: 2,
      data: new Uint8Array([0x11, 0x22, 0x33, 0x44]),
    }));

  test('gives data that is the shared page: what is put there the guest reads', () => {
    const run = io(0, 4, 0xcf8, 1);
    const exit = decodeExit(run);
    if (exit.reason === 'io') exit.data.set([1, 2, 3, 4]);
    expect(run.getUint32(4096, true)).toBe(0x04030201);
  });

  test('copies data that the next run would overwrite', () => {
    const run = io(1, 1, 0x80, 1);
    const copy = copyExit(decodeExit(run));
    run.setUint8(4096, 0xff);
    expect(copy).toMatchObject({data: new Uint8Array([0x11])});
  });

  test('reads an MMIO write', () =>
    expect(decodeExit(area(6, [32, 64, 0xfee0_0000], [40, 32, 0xabcd], [48, 32, 2], [52, 8, 1]))).toEqual({
      reason: 'mmio',
      direction: 'write',
      gpa: 0xfee0_0000,
      data: new Uint8Array([0xcd, 0xab]),
    }));

  test('reads the bytes of an instruction that KVM could not emulate', () =>
    expect(
      decodeExit(
        area(17, [32, 32, 1], [36, 32, 4], [40, 64, 1], [48, 8, 3], [49, 8, 0x0f], [50, 8, 0x57], [51, 8, 0xc0]),
      ),
    ).toEqual({reason: 'internal-error', suberror: 1, instruction: new Uint8Array([0x0f, 0x57, 0xc0])}));

  test('claims no instruction bytes where the flag does not', () =>
    expect(decodeExit(area(17, [32, 32, 1], [36, 32, 6], [40, 64, 0], [48, 8, 3]))).toMatchObject({
      instruction: undefined,
    }));

  test.each([
    [2, 'unknown'],
    [4, 'filter'],
    [1, 'invalid'],
  ])('reads MSR reason %i as %s', (code, cause) =>
    expect(decodeExit(area(29, [40, 32, code], [44, 32, 0x1234], [48, 64, 7]))).toEqual({
      reason: 'rdmsr',
      index: 0x1234,
      value: 7n,
      cause,
    }),
  );

  test('reads a debug exit', () =>
    expect(decodeExit(area(4, [32, 32, 1], [40, 64, 0x8001], [48, 64, 0xffff_4ff0]))).toEqual({
      reason: 'debug',
      exception: 1,
      pc: 0x8001n,
      dr6: 0xffff_4ff0n,
    }));

  test.each([
    [5, 'hlt'],
    [8, 'shutdown'],
    [7, 'irq-window-open'],
    [10, 'interrupted'],
  ])('knows exit %i as %s', (code, reason) => expect(decodeExit(area(code)).reason).toBe(reason));

  test('names what it does not know by number', () =>
    expect(decodeExit(area(37))).toEqual({reason: 'unknown', code: 37}));
});
