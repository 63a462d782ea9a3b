// A guest of SVM that runs ahead, compiled, ends as one does that is stepped by the reference tier; and a virtual interrupt
// strikes both at the same instruction.

import {hpa} from '@hyperscope/base';
import {expect, test} from 'vitest';
import {svmMachine} from './testing/svm-machine.js';
import type {SvmMachine} from './testing/svm-machine.js';

// mov cx, 200; l: inc ax; add bx, ax; dec cx; jnz l; sti; l2: inc si; jmp l2
const LOOP = [0xb9, 200, 0, 0x40, 1, 0xc3, 0x49, 0x75, 0xfa, 0xfb, 0x46, 0xeb, 0xfd];
// inc dx; hlt
const HANDLER = [0x42, 0xf4];
const HANDLER_AT = 0x8800;
const VECTOR = 0x20n;
/** V_IRQ, priority 15, V_INTR_MASKING. */
const VIRTUAL_INTERRUPT = (1n << 8n) | (0xfn << 16n) | (1n << 24n) | (VECTOR << 32n);

function prepared(executor: 'compiled' | 'reference', virtualInterrupt: bigint): SvmMachine {
  const svm = svmMachine(LOOP, executor);
  const {memory} = svm.machine;
  memory.load(hpa(HANDLER_AT), Uint8Array.from(HANDLER));
  memory.write(hpa(Number(VECTOR) * 4), 4, BigInt(HANDLER_AT));
  svm.vmcb.set('VIRTUAL_INTERRUPT', virtualInterrupt);
  svm.machine.registers.set('RDX', 0n);
  svm.machine.observe(undefined);
  // VMRUN
  svm.machine.step();
  return svm;
}

const inGuest = ({machine}: SvmMachine): boolean => machine.registers.get('VMX_OPERATION') === 2n;

/** Runs ahead wherever that is possible; the number of instructions for which it was. */
function runAhead(svm: SvmMachine): number {
  let ahead = 0;
  for (let steps = 0; steps < 2000 && inGuest(svm); steps++) {
    ahead += svm.machine.runAhead(100);
    svm.machine.step();
  }
  return ahead;
}

test('a virtual interrupt that waits for STI lets the guest run ahead until then, and strikes where it does when stepped', () => {
  const compiled = prepared('compiled', VIRTUAL_INTERRUPT);
  const reference = prepared('reference', VIRTUAL_INTERRUPT);
  expect(runAhead(compiled)).toBeGreaterThan(500);
  for (let steps = 0; steps < 2000 && inGuest(reference); steps++) reference.machine.step();
  expect([inGuest(compiled), inGuest(reference)]).toEqual([false, false]);
  for (const [index, bank] of reference.machine.banks.entries())
    expect(Buffer.compare(bank.bytes, compiled.machine.banks[index]?.bytes ?? new Uint8Array()), bank.name).toBe(0);
  // STI shields one instruction: INC SI ran once before the handler.
  expect(compiled.machine.registers.get('RSI')).toBe(1n);
  expect(compiled.machine.registers.get('RDX')).toBe(1n);
});

test('a virtual interrupt that could be taken at once stops running ahead', () => {
  const svm = prepared('compiled', VIRTUAL_INTERRUPT);
  for (let steps = 0; steps < 20; steps++) svm.machine.step();
  expect(svm.machine.runAhead(10)).toBe(10);
  svm.machine.registers.set('RFLAGS', svm.machine.registers.get('RFLAGS') | 0x200n);
  expect(svm.machine.runAhead(100)).toBe(0);
  svm.machine.step();
  expect(svm.machine.registers.get('RIP')).toBe(BigInt(HANDLER_AT));
});
