import {describe, expect, test} from 'vitest';
import {microcodeOf} from '../testing/instructions.js';
import {footprint} from './footprint.js';

describe('a footprint', () => {
  test('of ADD mem, reg: registers, memory and six flags', () => {
    const {reads, writes} = footprint(microcodeOf('48 01 0b'));
    expect(reads.registers).toEqual(['RBX', 'RCX']);
    expect(reads.memory).toEqual([{segment: 'DS', width: 64, text: 'mem64[RBX]'}]);
    expect(writes.memory).toEqual([{segment: 'DS', width: 64, text: 'mem64[RBX]'}]);
    expect(writes.registers).toEqual([]);
    expect([...writes.flags].sort()).toEqual(['AF', 'CF', 'OF', 'PF', 'SF', 'ZF']);
  });

  test('of INC leaves CF out', () => expect(footprint(microcodeOf('48 ff c0')).writes.flags).not.toContain('CF'));

  test('of POPF includes IF, which it may or may not change', () => {
    const {reads, writes} = footprint(microcodeOf('9d'));
    expect(writes.flags).toContain('IF');
    expect(writes.registers).toEqual(['RSP']);
    expect(reads.states).toEqual(['CPL', 'IOPL']);
  });

  test('of a helper is what the helper declares', () => {
    expect(footprint(microcodeOf('0f 22 d8')).writes.resources).toEqual(['CR3', 'TLB']);
    expect(footprint(microcodeOf('0f 05')).writes.resources).toContain('CPL');
  });

  test('of a jump writes RIP', () => expect(footprint(microcodeOf('eb fe')).writes.resources).toEqual(['RIP']));
});
