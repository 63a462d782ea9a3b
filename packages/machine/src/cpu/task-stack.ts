// The stacks of the inner rings, as the TSS names them. SDM vol. 3A, "Stack Switching", "64-Bit Mode Stack Behavior".

import {Checklist, shown} from './faults.js';
import {isLongMode} from './modes.js';
import type {Processor} from './processor.js';
import type {Trouble} from './trouble.js';

export interface TaskStack {
  readonly kind: 'task-stack';
  /** Undefined in IA-32e mode: SS becomes null there. */
  readonly selector: number | undefined;
  readonly pointer: bigint;
}

const SOURCE = 'SDM vol. 3A, "Task-State Segment (TSS)"';

/** SSn:ESPn, or RSPn in IA-32e mode, for a ring below 3. */
export function taskStack(cpu: Processor, ring: number): TaskStack | Trouble {
  if (isLongMode(cpu.registers)) return longStack(cpu, 4 + 8 * ring, `RSP${ring}`);
  const is32 = (cpu.registers.number('TR.attributes') & 8) !== 0;
  const offset = is32 ? 4 + 8 * ring : 2 + 4 * ring;
  const bytes = is32 ? 4 : 2;
  const outside = outsideTss(cpu, offset, bytes + 2, `SS${ring}:ESP${ring}`);
  if (outside !== undefined) return outside;
  const base = cpu.registers.get('TR.base');
  const pointer = cpu.mmu.read(base + BigInt(offset), bytes, 'implicit');
  if (typeof pointer !== 'bigint') return pointer;
  const selector = cpu.mmu.read(base + BigInt(offset + bytes), 2, 'implicit');
  return typeof selector === 'bigint' ? {kind: 'task-stack', selector: Number(selector), pointer} : selector;
}

/** IST1 to IST7 of a 64-bit TSS. */
export function interruptStack(cpu: Processor, index: number): TaskStack | Trouble {
  return longStack(cpu, 0x24 + 8 * (index - 1), `IST${index}`);
}

function longStack(cpu: Processor, offset: number, name: string): TaskStack | Trouble {
  const outside = outsideTss(cpu, offset, 8, name);
  if (outside !== undefined) return outside;
  const pointer = cpu.mmu.read(BigInt.asUintN(64, cpu.registers.get('TR.base') + BigInt(offset)), 8, 'implicit');
  return typeof pointer === 'bigint' ? {kind: 'task-stack', selector: undefined, pointer} : pointer;
}

function outsideTss(cpu: Processor, offset: number, bytes: number, name: string): Trouble | undefined {
  const checks = new Checklist(SOURCE);
  const limit = cpu.registers.number('TR.limit');
  const inside = checks.require(
    `${name} lies within the TSS`,
    offset + bytes - 1 <= limit,
    shown('TSS limit', limit),
    shown('offset', offset),
  );
  return inside ? undefined : checks.fault('#TS', cpu.registers.number('TR.selector') & 0xfffc);
}
