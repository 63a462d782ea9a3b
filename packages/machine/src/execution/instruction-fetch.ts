// Fetch and decode, with what was decoded before remembered by physical address. Memory tells by page versions when a
// byte of a page has changed; then the bytes are compared, so that code which rewrites itself runs as rewritten.

import {decode} from '@hyperscope/isa';
import type {CodeSize, DecodeResult, Microcode} from '@hyperscope/isa';
import {hpa, hexBytes} from '@hyperscope/base';
import {CR0, CR4, RIP, SEGMENT} from '../cpu/cell-indexes.js';
import {check, fault, shown} from '../cpu/faults.js';
import {CR0_EM, CR0_TS, CR4_OSFXSR, low} from '../cpu/modes.js';
import type {Processor} from '../cpu/processor.js';
import type {Fault, Trouble} from '../cpu/trouble.js';
import {linearAddress} from '../mmu/segmentation.js';

const MAXIMUM_LENGTH = 15;
const CACHE_LIMIT = 65_536;
const CODE_SIZE_INDEX = {16: 0, 32: 1, 64: 2} as const;

interface Remembered {
  readonly microcode: Microcode;
  version: number;
}

export class InstructionFetch {
  readonly #cpu: Processor;
  readonly #cache = new Map<number, Remembered>();

  constructor(cpu: Processor) {
    this.#cpu = cpu;
  }

  /** The microcode of the instruction at CS:RIP. */
  next(codeSize: CodeSize): Microcode | Trouble {
    const cpu = this.#cpu;
    const rip = cpu.registers.cells[RIP] ?? 0n;
    const linear = linearAddress(cpu.registers, 'CS', rip, 1, 'execute');
    if (typeof linear !== 'bigint') return linear;
    const physical = cpu.mmu.translate(linear, 'execute', cpu.privilege);
    if (typeof physical !== 'number') return physical;
    const key = physical * 4 + CODE_SIZE_INDEX[codeSize];
    const known = this.#cache.get(key);
    const microcode =
      known !== undefined && this.#isCurrent(known, physical)
        ? known.microcode
        : this.#decode(linear, physical, codeSize, key);
    if (!('operations' in microcode)) return microcode;
    return this.#beyondLimit(rip, microcode.instruction.bytes.length, codeSize) ?? microcode;
  }

  /**
   * The microcode of the instruction at a physical address of RAM, where it ends in the same page: asking changes nothing.
   * Undefined for every other.
   */
  within(physical: number, codeSize: CodeSize): Microcode | undefined {
    const key = physical * 4 + CODE_SIZE_INDEX[codeSize];
    const known = this.#cache.get(key);
    if (known !== undefined && this.#isCurrent(known, physical)) return known.microcode;
    const first = this.#bytesAt(physical, Math.min(MAXIMUM_LENGTH, 4096 - (physical & 0xfff)));
    const result = decode(first, codeSize, 0, this.#cpu.instructionFeatures);
    if (result.kind !== 'instruction') return undefined;
    const microcode = this.#cpu.record(result.instruction);
    this.#remember(key, microcode, physical);
    return microcode;
  }

  #isCurrent(known: Remembered, physical: number): boolean {
    const version = this.#cpu.memory.pageVersions[Math.floor(physical / 4096)];
    if (known.version === version) return true;
    const {bytes} = known.microcode.instruction;
    for (let i = 0; i < bytes.length; i++) {
      if (this.#cpu.memory.bytes[physical + i] !== bytes[i]) return false;
    }
    known.version = version ?? 0;
    return true;
  }

  #decode(linear: bigint, physical: number, codeSize: CodeSize, key: number): Microcode | Trouble {
    const inPage = Math.min(MAXIMUM_LENGTH, 4096 - (physical & 0xfff));
    const first = this.#bytesAt(physical, inPage);
    const result = decode(first, codeSize, 0, this.#cpu.instructionFeatures);
    if (result.kind === 'instruction') {
      const microcode = this.#cpu.record(result.instruction);
      if (this.#cpu.memory.isRam(physical, inPage)) this.#remember(key, microcode, physical);
      return microcode;
    }
    if (result.kind !== 'truncated') return this.#refused(result);
    return this.#decodeAcross(linear, first, codeSize);
  }

  /** An instruction that runs into the next page: its bytes come from two translations, so it is not remembered. */
  #decodeAcross(linear: bigint, first: Uint8Array, codeSize: CodeSize): Microcode | Trouble {
    const cpu = this.#cpu;
    const offset = (cpu.registers.cells[RIP] ?? 0n) + BigInt(first.length);
    const beyond = this.#beyondLimit(offset, 1, codeSize);
    if (beyond !== undefined) return beyond;
    const second = cpu.mmu.translate(
      BigInt.asUintN(cpu.linearAddressBits, linear + BigInt(first.length)),
      'execute',
      cpu.privilege,
    );
    if (typeof second !== 'number') return second;
    const rest = this.#bytesAt(second, MAXIMUM_LENGTH - first.length);
    const result = decode(new Uint8Array([...first, ...rest]), codeSize, 0, cpu.instructionFeatures);
    return result.kind === 'instruction' ? this.#cpu.record(result.instruction) : this.#refused(result);
  }

  #refused(result: Exclude<DecodeResult, {kind: 'instruction'}>): Trouble {
    switch (result.kind) {
      case 'undefined':
        return fault('#UD', undefined, [
          check(
            'the bytes are an instruction in this mode',
            false,
            [
              ['bytes', hexBytes(result.bytes)],
              ['why not', result.why],
            ],
            'SDM vol. 2, "Opcode Map"',
          ),
        ]);
      case 'unsupported':
        return this.#absentUnit(result) ?? {kind: 'unsupported', what: result.what, bytes: result.bytes};
      default:
        return fault('#GP', 0, [
          check('the instruction has at most 15 bytes', false, [], 'SDM vol. 2, "Instruction Format"'),
        ]);
    }
  }

  /** What a system asks for with CR0.EM and CR0.TS comes before the question whether the instruction is simulated. */
  #absentUnit({unit, bytes}: Extract<DecodeResult, {kind: 'unsupported'}>): Fault | undefined {
    if (unit === undefined) return undefined;
    const cr0 = low(this.#cpu.registers, CR0);
    const values = [['bytes', hexBytes(bytes)], shown('CR0', cr0)] as const;
    const source = 'SDM vol. 3A, "Interrupt 7—Device Not Available Exception (#NM)"';
    if ((cr0 & CR0_EM) !== 0)
      return fault(unit === 'x87' ? '#NM' : '#UD', undefined, [check('CR0.EM = 0', false, values, source)]);
    if (unit === 'SSE' && (low(this.#cpu.registers, CR4) & CR4_OSFXSR) === 0)
      return fault('#UD', undefined, [check('CR4.OSFXSR = 1', false, values, 'SDM vol. 3A, "Control Registers"')]);
    if ((cr0 & CR0_TS) !== 0) return fault('#NM', undefined, [check('CR0.TS = 0', false, values, source)]);
    return undefined;
  }

  #remember(key: number, microcode: Microcode, physical: number): void {
    if (this.#cache.size >= CACHE_LIMIT) this.#cache.clear();
    this.#cache.set(key, {microcode, version: this.#cpu.memory.pageVersions[Math.floor(physical / 4096)] ?? 0});
  }

  #bytesAt(physical: number, length: number): Uint8Array {
    const {memory} = this.#cpu;
    if (memory.isRam(physical, length)) return memory.bytes.slice(physical, physical + length);
    return Uint8Array.from({length}, (_, i) => Number(memory.read(hpa(physical + i), 1)));
  }

  /** Outside 64-bit mode every byte of the instruction lies within CS. */
  #beyondLimit(rip: bigint, length: number, codeSize: CodeSize): Fault | undefined {
    if (codeSize === 64) return undefined;
    const limit = low(this.#cpu.registers, SEGMENT.CS.limit);
    const last = Number(rip) + length - 1;
    if (last <= limit) return undefined;
    return fault('#GP', 0, [
      check(
        'the instruction lies within the limit of CS',
        false,
        [shown('last byte', last), shown('CS limit', limit)],
        'SDM vol. 3A, "Limit Checking"',
      ),
    ]);
  }
}
