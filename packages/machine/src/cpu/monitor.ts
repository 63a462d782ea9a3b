// HLT, MONITOR and MWAIT: how a processor waits. MWAIT waits as HLT does, unless the line that MONITOR named has changed since.
// One processor and devices without DMA: while it waits nobody can write the line, so only interrupts end the wait.
// A store of the value that was there already goes unnoticed. SDM vol. 2, "MONITOR—Set Up Monitor Address", "MWAIT—Monitor Wait".

import {hpa} from '@hyperscope/base';
import {ACTIVITY} from './cell-indexes.js';
import type {Processor} from './processor.js';
import type {Trouble} from './trouble.js';

const HALTED = 1n;
const LINE_BYTES = 64;
const ARMED = 1;

export function halt(cpu: Processor): undefined {
  cpu.registers.cells[ACTIVITY] = HALTED;
  cpu.emit({kind: 'halt'});
}

export function armMonitor(cpu: Processor, linear: bigint): Trouble | undefined {
  const address = cpu.mmu.translate(linear, 'read', cpu.privilege);
  if (typeof address !== 'number') return address;
  const line = address - (address % LINE_BYTES);
  cpu.registers.set('MONITORED_LINE', BigInt(line + ARMED));
  cpu.registers.set('MONITORED_BYTES', bytesOf(cpu, line));
  return undefined;
}

/** `extensions` bit 0: an interrupt ends the wait though IF masks it. Then it is not known what would, so there is no wait. */
export function monitorWait(cpu: Processor, extensions: number): undefined {
  const line = cpu.registers.number('MONITORED_LINE');
  cpu.registers.set('MONITORED_LINE', 0n);
  if (line === 0 || bytesOf(cpu, line - ARMED) !== cpu.registers.get('MONITORED_BYTES')) return;
  if ((extensions & 1) !== 0 && !cpu.registers.flag('IF')) return;
  halt(cpu);
}

/** FNV-1a over the line, by quadwords. */
function bytesOf(cpu: Processor, line: number): bigint {
  let hash = 0xcbf2_9ce4_8422_2325n;
  for (let at = 0; at < LINE_BYTES; at += 8)
    hash = BigInt.asUintN(64, (hash ^ cpu.memory.read(hpa(line + at), 8)) * 0x100_0000_01b3n);
  return hash;
}
