// A virtual-machine control block as it lies in memory: fields by name, and segments in the VMCB's own form.
//
//   attributes in a VMCB   7:0 type, S, DPL, P · 8 AVL · 9 L · 10 D/B · 11 G
//   attributes in a cell   7:0 type, S, DPL, P · 12 AVL · 13 L · 14 D/B · 15 G · 16 unusable
//
// APM vol. 2, appendix B, "VMCB Layout".

import {vmcbField} from '@hyperscope/isa';
import type {DescriptorRegister, VmcbFieldName} from '@hyperscope/isa';
import {hpa} from '@hyperscope/base';
import type {Hpa} from '@hyperscope/base';
import type {RegisterFile} from '../cpu/register-file.js';
import type {PhysicalMemory} from '../mmu/physical-memory.js';

const SAVE_AREA = 0x400;
const PRESENT = 0x80;
const UNUSABLE = 0x1_0000;

export class Vmcb {
  readonly address: number;
  readonly #memory: PhysicalMemory;

  readonly #saveAreaShift: number;

  /** `address`: host-physical, 4 KiB aligned. `saveAreaShift`: how far above its place the state-save area lies. */
  constructor(memory: PhysicalMemory, address: number, saveAreaShift = 0) {
    this.#memory = memory;
    this.address = address;
    this.#saveAreaShift = saveAreaShift;
  }
  #place(offset: number): Hpa {
    return hpa(this.address + (offset < SAVE_AREA ? offset : offset + this.#saveAreaShift));
  }

  get(name: VmcbFieldName): bigint {
    const {offset, bytes} = vmcbField(name);
    return this.#memory.read(this.#place(offset), bytes);
  }
  /** Stores a field, cut to its width. */
  set(name: VmcbFieldName, value: bigint): void {
    const {offset, bytes} = vmcbField(name);
    this.#memory.write(this.#place(offset), bytes, BigInt.asUintN(8 * bytes, value));
  }
  bit(name: VmcbFieldName, index: number): boolean {
    return ((this.get(name) >> BigInt(index)) & 1n) === 1n;
  }

  /** The register's visible and hidden parts, from its 16 bytes. A segment that is not present cannot be used. */
  loadSegment(registers: RegisterFile, name: DescriptorRegister): void {
    const attributes = Number(this.get(`${name}_ATTRIB`));
    const wide = (attributes & 0xff) | ((attributes & 0xf00) << 4);
    registers.setSegment(name, {
      selector: Number(this.get(`${name}_SELECTOR`)),
      base: this.get(`${name}_BASE`),
      limit: Number(this.get(`${name}_LIMIT`)),
      attributes: (attributes & PRESENT) === 0 ? wide | UNUSABLE : wide,
    });
  }
  saveSegment(registers: RegisterFile, name: DescriptorRegister): void {
    const wide = Number(registers.segment(name, 'attributes'));
    const attributes = (wide & UNUSABLE) === 0 ? (wide & 0xff) | ((wide >> 4) & 0xf00) : 0;
    this.set(`${name}_SELECTOR`, registers.segment(name, 'selector'));
    this.set(`${name}_ATTRIB`, BigInt(attributes));
    this.set(`${name}_LIMIT`, registers.segment(name, 'limit'));
    this.set(`${name}_BASE`, registers.segment(name, 'base'));
  }
  loadTable(registers: RegisterFile, name: 'GDTR' | 'IDTR'): void {
    registers.set(`${name}.base`, this.get(`${name}_BASE`));
    registers.set(`${name}.limit`, this.get(`${name}_LIMIT`) & 0xffffn);
  }
  saveTable(registers: RegisterFile, name: 'GDTR' | 'IDTR'): void {
    this.set(`${name}_BASE`, registers.get(`${name}.base`));
    this.set(`${name}_LIMIT`, registers.get(`${name}.limit`));
  }
}
