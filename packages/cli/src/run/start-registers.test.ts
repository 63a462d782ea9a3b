import {expect, test} from 'vitest';
import {UserError} from '@hyperscope/base';
import {startRegisters} from './start-registers.js';

const REAL = {CR0: 0x10n, 'CS.base': 0n, 'CS.selector': 0n, RAX: 0n, CPL: 0n} as const;

test('a register is given by its name or its 32-bit name, in any case', () =>
  expect(
    startRegisters(REAL, [
      ['rax', 1n],
      ['ebx', 2n],
      ['RFLAGS', 2n],
      ['eip', 3n],
    ]),
  ).toMatchObject({
    RAX: 1n,
    RBX: 2n,
    RFLAGS: 2n,
    RIP: 3n,
  }));

test('in real mode a base follows from its selector, unless it is given too', () => {
  expect(startRegisters(REAL, [['cs.selector', 0x1000n]])).toMatchObject({'CS.selector': 0x1000n, 'CS.base': 0x10000n});
  const both = startRegisters(REAL, [
    ['cs.selector', 0xf000n],
    ['cs.base', 0xffff_0000n],
  ]);
  expect(both).toMatchObject({'CS.selector': 0xf000n, 'CS.base': 0xffff_0000n});
  expect(startRegisters({...REAL, CR0: 0x11n}, [['cs.selector', 8n]])).toMatchObject({'CS.base': 0n});
});

test('CPL is the DPL of SS', () => expect(startRegisters(REAL, [['ss.attributes', 0xc0f3n]])).toMatchObject({CPL: 3n}));

test.each([
  ['rx', 'There is no register rx to set'],
  ['cs', 'cs.selector, cs.base'],
  ['cs.selectr', 'Did you mean cs.selector?'],
  ['cycles', 'There is no register cycles'],
  ['vmx_operation', 'There is no register'],
])('%s is refused with advice', (name, advice) => {
  const set = () => startRegisters(REAL, [[name, 0n]]);
  expect(set).toThrow(UserError);
  expect(set).toThrow(advice);
});
