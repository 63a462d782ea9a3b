// A virtual-machine control structure as it lies in memory. Software may know three things of it (SDM vol. 3C, "Format of
// the VMCS Region"); the rest of the layout belongs to the processor, so it is ours and nobody's business:
//
//   +0   VMCS revision identifier (31: shadow-VMCS indicator)
//   +4   VMX-abort indicator
//   +8   launch state: 0 clear, 1 launched            ┐
//   +12  instruction boundaries since VM entry         │
//   +16  time-stamp counter at VM entry                │
//   +24  … at the first PAUSE of a loop, +32 at its last │
//   +64  one 8-byte slot for each field, in the order  │ implementation-specific
//        of isa's list of encodings                    ┘

import {VMCS_FIELDS, vmcsFieldByEncoding, vmcsSlot} from '@hyperscope/isa';
import type {VmcsField, VmcsFieldName} from '@hyperscope/isa';
import {assertExists, hpa} from '@hyperscope/base';
import type {PhysicalMemory} from '../mmu/physical-memory.js';

const REVISION = 0;
const ABORT = 4;
const LAUNCH_STATE = 8;
const BOUNDARIES = 12;
const ENTRY_TIME_STAMP = 16;
const FIRST_PAUSE = 24;
const LAST_PAUSE = 32;

/** No VMCS, no VMXON region: the pointer's value outside their use. */
export const NO_POINTER = 0xffff_ffff_ffff_ffffn;

const SLOT: ReadonlyMap<number, number> = new Map(VMCS_FIELDS.map(field => [field.encoding, vmcsSlot(field.name)]));
const bitsOf = (field: VmcsField): number => (field.width === 'natural' ? 64 : field.width);

/** One look-up for a name: where the field lies, and how wide it is. */
const BY_NAME: ReadonlyMap<VmcsFieldName, {readonly offset: number; readonly bits: number}> = new Map(
  VMCS_FIELDS.map(field => [field.name, {offset: vmcsSlot(field.name), bits: bitsOf(field)}]),
);
const placeOf = (name: VmcsFieldName): {readonly offset: number; readonly bits: number} =>
  assertExists(BY_NAME.get(name), 'a field of the list');

export class Vmcs {
  readonly address: number;
  readonly #memory: PhysicalMemory;

  /** `address`: host-physical, 4 KiB aligned. */
  constructor(memory: PhysicalMemory, address: number) {
    this.#memory = memory;
    this.address = address;
  }

  get revision(): number {
    return Number(this.#memory.read(hpa(this.address + REVISION), 4));
  }
  get launchState(): 'clear' | 'launched' {
    return this.#memory.read(hpa(this.address + LAUNCH_STATE), 4) === 1n ? 'launched' : 'clear';
  }
  set launchState(state: 'clear' | 'launched') {
    this.#memory.write(hpa(this.address + LAUNCH_STATE), 4, state === 'launched' ? 1n : 0n);
  }
  /** For the monitor trap flag. */
  get boundariesSinceEntry(): number {
    return Number(this.#memory.read(hpa(this.address + BOUNDARIES), 4));
  }
  set boundariesSinceEntry(count: number) {
    this.#memory.write(hpa(this.address + BOUNDARIES), 4, BigInt(count));
  }
  /** For the VMX-preemption timer. */
  get entryTimeStamp(): bigint {
    return this.#memory.read(hpa(this.address + ENTRY_TIME_STAMP), 8);
  }
  set entryTimeStamp(cycles: bigint) {
    this.#memory.write(hpa(this.address + ENTRY_TIME_STAMP), 8, cycles);
  }
  /** For PAUSE-loop exiting: time stamps; 0 since the VM entry for none. */
  get pauseLoop(): {readonly first: bigint; readonly last: bigint} {
    const read = (offset: number): bigint => this.#memory.read(hpa(this.address + offset), 8);
    return {first: read(FIRST_PAUSE), last: read(LAST_PAUSE)};
  }
  set pauseLoop({first, last}: {readonly first: bigint; readonly last: bigint}) {
    this.#memory.write(hpa(this.address + FIRST_PAUSE), 8, first);
    this.#memory.write(hpa(this.address + LAST_PAUSE), 8, last);
  }
  set abortIndicator(reason: number) {
    this.#memory.write(hpa(this.address + ABORT), 4, BigInt(reason));
  }

  get(name: VmcsFieldName): bigint {
    return this.#memory.read(hpa(this.address + placeOf(name).offset), 8);
  }
  /** Stores a field, cut to its width. */
  set(name: VmcsFieldName, value: bigint): void {
    const {offset, bits} = placeOf(name);
    this.#memory.write(hpa(this.address + offset), 8, BigInt.asUintN(bits, value));
  }
  bit(name: VmcsFieldName, index: number): boolean {
    return ((this.get(name) >> BigInt(index)) & 1n) === 1n;
  }

  /** As VMREAD: by encoding, the high half of a 64-bit field for an odd one; undefined where no such field exists. */
  read(encoding: number): bigint | undefined {
    const slot = SLOT.get(encoding & ~1);
    if (vmcsFieldByEncoding(encoding) === undefined || slot === undefined) return undefined;
    const value = this.#memory.read(hpa(this.address + slot), 8);
    return (encoding & 1) === 1 ? value >> 32n : value;
  }
  /** As VMWRITE, to a field that exists: the value is cut to the field's width. */
  write(field: VmcsField, half: 'whole' | 'high', value: bigint): void {
    const slot = this.address + (SLOT.get(field.encoding) ?? 0);
    if (half === 'high') this.#memory.write(hpa(slot + 4), 4, BigInt.asUintN(32, value));
    else this.#memory.write(hpa(slot), 8, BigInt.asUintN(bitsOf(field), value));
  }
}
