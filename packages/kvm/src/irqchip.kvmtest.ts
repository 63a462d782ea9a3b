// Interrupts on real KVM: the controllers and the timer in the kernel, and what a HLT is then.

import {gpa} from '@hyperscope/base';
import {describe, expect, test} from 'vitest';
import {KvmVirtualMachine} from './kvm-virtual-machine.js';
import {runOnKvm} from './run-on-kvm.js';
import type {KvmRunResult, RunOnKvmOptions} from './run-on-kvm.js';
import {skipKvmTests} from './skip-kvm-tests.js';
import {PLACES, startState} from './start-states.js';

const MEMORY = 1 << 20;
const LIMITS = {milliseconds: 1000, exits: 1000, steps: 1000} as const;

/** Real-mode code at 8000h. */
function run(irqchip: 'kernel' | undefined, code: string, options: Partial<RunOnKvmOptions> = {}): KvmRunResult {
  const {segments, registers} = startState('real');
  const bytes = Uint8Array.from(Buffer.from(code.replaceAll(' ', ''), 'hex'));
  const image = {memoryBytes: MEMORY, segments: [...segments, {gpa: gpa(PLACES.code), bytes}], registers, irqchip};
  const ports = {exitPort: undefined, powerOffPort: undefined, capturePorts: [0xe9]};
  return runOnKvm({image, ports, limits: LIMITS, ...options});
}
const captured = (result: KvmRunResult): string => Buffer.from(result.captured.get(0xe9) ?? []).toString();

/** cli; the gate of `vector` leads to `handler`; ICW1 to ICW4 put IRQ 0 at 20h; `mask`. */
const prepared = (vector: number, handler: string, mask: string): string =>
  `fa 31c0 8ed8 c706 ${(vector * 4).toString(16)}00 ${handler} 8c0e ${(vector * 4 + 2).toString(16)}00
   b011 e620 b020 e621 b004 e621 b001 e621 b0${mask} e621`.replaceAll('\n', '');

/** Counter 0: mode 2, divisor 2048. sti; hlt; cli; mov al, bl; out 0e9h, al; hlt. The handler: mov bl, 'T'; iret. */
const WAIT_FOR_TICK = `${prepared(0x20, '3780', 'fe')} b034 e643 b000 e640 b008 e640 fb f4 fa 88d8 e6e9 f4 b354 cf`;
/** OUT2; IER: received data. sti; hlt; cli; hlt. The handler: in al, dx; out 0e9h, al; iret. */
const WAIT_FOR_BYTE = `${prepared(0x24, '3380', 'ef')} bafc03 b008 ee baf903 b001 ee fb f4 fa f4 baf803 ec e6e9 cf`;

describe.skipIf(skipKvmTests())('interrupts on real KVM', {timeout: 30_000}, () => {
  test("the kernel's timer wakes a guest from HLT; its ports are no exits", () => {
    const result = run('kernel', WAIT_FOR_TICK);
    expect([captured(result), result.outcome, [...result.unknownPorts]]).toEqual(['T', {kind: 'halted'}, []]);
    expect(result.exits).toMatchObject({io: 1});
    expect(result.exits['hlt']).toBeUndefined();
  });

  test('without an irqchip nobody answers at those ports, and HLT ends the run', () => {
    const result = run(undefined, WAIT_FOR_TICK);
    expect([captured(result), result.outcome, result.exits['hlt']]).toEqual(['', {kind: 'halted'}, 1]);
    expect([...result.unknownPorts.keys()]).toEqual(expect.arrayContaining([0x20, 0x21, 0x40, 0x43]));
  });

  test('a byte that arrives at the serial port interrupts through IRQ 4', () => {
    const result = run('kernel', WAIT_FOR_BYTE, {serialInput: Uint8Array.of(0x6b)});
    expect([captured(result), result.outcome]).toEqual(['k', {kind: 'halted'}]);
  });

  test('HLT with interrupts off is the end, long before the limit', () => {
    const result = run('kernel', 'fa f4', {limits: {...LIMITS, milliseconds: 20_000}}); // cli; hlt
    expect(result.outcome).toEqual({kind: 'halted'});
    expect(result.seconds).toBeLessThan(5);
  });

  test('HLT with interrupts on waits, and the watchdog ends it at the limit', () => {
    const result = run('kernel', 'fb f4', {limits: {...LIMITS, milliseconds: 200}}); // sti; hlt
    expect(result.outcome).toEqual({kind: 'limit', limit: 'milliseconds'});
  });

  test('a line cannot be driven where there is no irqchip: ENXIO, in words', () => {
    const machine = new KvmVirtualMachine({memoryBytes: MEMORY, deadline: 100});
    try {
      expect(() => {
        machine.setIrq(4, 1);
      }).toThrow('KVM_IRQ_LINE failed (ENXIO): the VM has no interrupt controller: create one first.');
    } finally {
      machine.close();
    }
  });
});
