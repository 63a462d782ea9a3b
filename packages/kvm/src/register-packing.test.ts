import {CELLS, DESCRIPTOR_REGISTERS, cellIndex} from '@hyperscope/isa';
import type {Cell} from '@hyperscope/isa';
import type {RegisterValues} from '@hyperscope/vmm';
import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {LAYOUT} from './kvm-layout.js';
import {
  REGS_AND_SREGS_CELLS,
  attributesOf,
  packRegs,
  packSregs,
  putAttributes,
  unpackEvents,
  unpackRegs,
  unpackSregs,
} from './register-packing.js';

const buffer = (size: number): DataView => new DataView(new ArrayBuffer(size));

/** Values that survive: as wide as the field, and no attribute bits that kvm_segment lacks. */
function arbitraryValue(cell: Cell): fc.Arbitrary<bigint> {
  if (cell.endsWith('.selector')) return fc.bigInt({min: 0n, max: 0xffffn});
  if (cell.endsWith('.attributes')) return fc.bigInt({min: 0n, max: 0x1_ffffn}).map(value => value & 0x1_f0ffn);
  if (cell === 'GDTR.limit' || cell === 'IDTR.limit') return fc.bigInt({min: 0n, max: 0xffffn});
  if (cell.endsWith('.limit')) return fc.bigInt({min: 0n, max: 0xffff_ffffn});
  return fc.bigInt({min: 0n, max: 0xffff_ffff_ffff_ffffn});
}

describe('kvm_regs and kvm_sregs', () => {
  test('give back every cell that was put into them', () => {
    const settable = REGS_AND_SREGS_CELLS.filter(cell => cell !== 'CPL');
    const values = fc.record(Object.fromEntries(settable.map(cell => [cell, arbitraryValue(cell)])));
    fc.assert(
      fc.property(values, (given: RegisterValues) => {
        const [regs, sregs, cells] = [
          buffer(LAYOUT.kvm_regs),
          buffer(LAYOUT.kvm_sregs),
          new BigUint64Array(CELLS.length),
        ];
        expect([packRegs(given, regs), packSregs(given, sregs)]).toEqual([true, true]);
        unpackRegs(regs, 0, cells);
        unpackSregs(sregs, 0, cells);
        for (const cell of settable) expect([cell, cells[cellIndex(cell)]]).toEqual([cell, given[cell]]);
      }),
      {numRuns: 50},
    );
  });

  test('are left alone by values that belong elsewhere', () => {
    const [regs, sregs] = [buffer(LAYOUT.kvm_regs), buffer(LAYOUT.kvm_sregs)];
    expect([packRegs({LSTAR: 1n, CR0: 1n}, regs), packSregs({LSTAR: 1n, RAX: 1n}, sregs)]).toEqual([false, false]);
    expect(new Uint8Array(sregs.buffer).every(byte => byte === 0)).toBe(true);
  });

  test("answer for general registers in KVM's order, which is not the encoding order", () => {
    const regs = buffer(LAYOUT.kvm_regs);
    packRegs({RBX: 0xbbn, RCX: 0xccn, RSI: 0x51n}, regs);
    expect([8, 16, 32].map(at => regs.getBigUint64(at, true))).toEqual([0xbbn, 0xccn, 0x51n]);
  });

  test('name every descriptor register', () => {
    for (const register of DESCRIPTOR_REGISTERS) expect(REGS_AND_SREGS_CELLS).toContain(`${register}.base`);
  });
});

describe('segment attributes', () => {
  test('put each field where the VMCS has it', () => {
    const view = buffer(LAYOUT.kvm_segment);
    putAttributes(view, 0, 0xa0fb); // 64-bit code of ring 3: type B, S, DPL 3, P, L, G
    const fields = Array.from({length: 9}, (_, index) => view.getUint8(LAYOUT['kvm_segment.type'] + index));
    expect(fields).toEqual([0xb, 1, 3, 0, 1, 1, 1, 0, 0]); // type, present, dpl, db, s, l, g, avl, unusable
    expect(attributesOf(view, 0)).toBe(0xa0fb);
  });
});

describe('CPL', () => {
  const cplOf = (values: RegisterValues): bigint | undefined => {
    const [sregs, cells] = [buffer(LAYOUT.kvm_sregs), new BigUint64Array(CELLS.length)];
    packSregs(values, sregs);
    unpackSregs(sregs, 0, cells);
    return cells[cellIndex('CPL')];
  };
  test('is SS.DPL in protected mode', () => expect(cplOf({CR0: 1n, 'SS.attributes': 0xf3n})).toBe(3n));
  test('is 0 in real mode whatever SS holds', () => expect(cplOf({CR0: 0n, 'SS.attributes': 0xf3n})).toBe(0n));
});

describe('the interrupt shadow', () => {
  test.each([
    [1, 2n],
    [2, 1n],
    [3, 3n],
    [0, 0n],
  ])("KVM's %i is the VMCS's %i", (kvm, vmcs) => {
    const [events, cells] = [buffer(LAYOUT.kvm_vcpu_events), new BigUint64Array(CELLS.length)];
    events.setUint8(LAYOUT['kvm_vcpu_events.interrupt.shadow'], kvm);
    unpackEvents(events, 0, cells);
    expect(cells[cellIndex('INTERRUPT_SHADOW')]).toBe(vmcs);
  });
});
