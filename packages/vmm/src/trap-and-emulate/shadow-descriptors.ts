// The shadow GDT and LDT: the only descriptor tables that the processor sees while the guest runs. Each code or data segment of
// the guest's own table is here with its DPL pushed to the guest's real ring and its limit cut off below the VMM; system
// descriptors and gates are not (their loads trap, and a far transfer through them must). A register whose contents no
// descriptor explains any more, because the guest changed its table since, gets a descriptor of the VMM's (segment
// irreversibility). The tables follow LGDT, LLDT and every trap; what a guest writes into its table is seen at the next one.

import {hpa} from '@hyperscope/base';
import type {DescriptorRegister, SegmentRegister} from '@hyperscope/isa';
import {SEGMENT_REGISTERS} from '@hyperscope/isa';
import type {SegmentValues} from '@hyperscope/machine';
import {
  compressed,
  descriptorOf,
  dplOf,
  isCodeOrData,
  isPresent,
  isUnusable,
  sameSegment,
  segmentFrom,
} from './descriptors.js';
import {realRing} from './rings.js';
import {GUEST_SELECTORS_END, PRIVATE_SELECTORS, SHADOW_GDT, SHADOW_LDT, inWindow} from './vmm-layout.js';
import type {Vmm} from './vmm.js';

const TABLE_INDICATOR = 4;
const FLAT_DATA: SegmentValues = {selector: 0, base: 0n, limit: 0xffff_ffff, attributes: 0xc093};
const LDT_END = 0x1_0000;

export function virtualSegment(vmm: Vmm, register: DescriptorRegister): SegmentValues {
  const {vcpu} = vmm;
  return {
    selector: vcpu.number(`${register}.selector`),
    base: vcpu.get(`${register}.base`),
    limit: vcpu.number(`${register}.limit`),
    attributes: vcpu.number(`${register}.attributes`),
  };
}

export class ShadowDescriptors {
  readonly #vmm: Vmm;

  constructor(vmm: Vmm) {
    this.#vmm = vmm;
  }

  /** The guest's own descriptor of a selector; undefined outside its table. `virtual.load()` must have been called. */
  guestDescriptor(selector: number): bigint | undefined {
    const {vcpu, virtual} = this.#vmm;
    const offset = selector & 0xfff8;
    const inLdt = (selector & TABLE_INDICATOR) !== 0;
    if (inLdt && isUnusable(virtualSegment(this.#vmm, 'LDTR'))) return undefined;
    if (offset === 0 && !inLdt) return undefined;
    const limit = inLdt ? vcpu.number('LDTR.limit') : vcpu.number('GDTR.limit');
    const base = inLdt ? vcpu.get('LDTR.base') : vcpu.get('GDTR.base');
    if (offset + 7 > limit) return undefined;
    return virtual.readTable(BigInt.asUintN(this.#vmm.isGuestLong ? 64 : 32, base + BigInt(offset)), 8);
  }

  /** Takes over a whole table of the guest's anew. */
  rebuild(table: 'GDT' | 'LDT'): void {
    const {vcpu, virtual} = this.#vmm;
    virtual.load();
    const isLdt = table === 'LDT';
    const end = isLdt ? LDT_END : GUEST_SELECTORS_END;
    const usable = !isLdt || !isUnusable(virtualSegment(this.#vmm, 'LDTR'));
    const limit = usable ? vcpu.number(isLdt ? 'LDTR.limit' : 'GDTR.limit') : -1;
    for (let offset = 0; offset < end; offset += 8) {
      const selector = offset | (isLdt ? TABLE_INDICATOR : 0);
      const raw = offset + 7 <= limit ? this.guestDescriptor(selector) : undefined;
      this.#put(selector, raw === undefined ? 0n : this.#shadowOf(raw));
    }
  }

  /** The selector to load so that the processor's register holds what the virtual one does, compressed. */
  place(register: SegmentRegister): number {
    const vmm = this.#vmm;
    const values = virtualSegment(vmm, register);
    const ring = vmm.guestRing;
    const isRings = register === 'CS' || register === 'SS';
    if (isUnusable(values)) {
      if (register !== 'SS') return values.selector & 3;
      return this.own(register, compressed(FLAT_DATA, ring, 'everywhere'), ring);
    }
    const dpl = isRings ? ring : realRing(dplOf(values), vmm.layout);
    const rpl = isRings ? ring : Math.min(values.selector & 3, dpl);
    const raw = this.#explains(values);
    if (raw === undefined) return this.own(register, compressed(values, dpl, this.#reach), rpl);
    this.#put(values.selector, this.#shadowOf(raw));
    return (values.selector & ~3) | rpl;
  }

  /** What the shadow table has for a selector: what the processor would load. */
  shadow(selector: number): bigint {
    return this.#vmm.machine.memory.read(hpa(this.#placeOf(selector)), 8);
  }

  /** The guest's descriptor, where it still says what the register holds. */
  #explains(values: SegmentValues): bigint | undefined {
    const beyond = (values.selector & TABLE_INDICATOR) === 0 && values.selector >= GUEST_SELECTORS_END;
    const raw = beyond ? undefined : this.guestDescriptor(values.selector);
    if (raw === undefined || !isCodeOrData(raw) || !isPresent(raw)) return undefined;
    return sameSegment(segmentFrom(raw, values.selector), values) ? raw : undefined;
  }

  get #reach(): 'below the window' | 'everywhere' {
    return this.#vmm.layout === '0/1/3' ? 'below the window' : 'everywhere';
  }

  #shadowOf(raw: bigint): bigint {
    if (!isCodeOrData(raw)) return 0n;
    const values = segmentFrom(raw, 0);
    const pushed = compressed(values, realRing(dplOf(values), this.#vmm.layout), this.#reach);
    const present = isPresent(raw) ? pushed.attributes : pushed.attributes & ~0x80;
    return descriptorOf({...pushed, attributes: present});
  }

  /** A selector of the VMM's own for a register, with these values behind it. */
  own(register: SegmentRegister, values: SegmentValues, rpl: number): number {
    const selector = PRIVATE_SELECTORS + 8 * SEGMENT_REGISTERS.indexOf(register);
    this.#put(selector, descriptorOf(values));
    return selector | rpl;
  }

  #put(selector: number, raw: bigint): void {
    const {memory} = this.#vmm.machine;
    const at = hpa(this.#placeOf(selector));
    if (memory.read(at, 8) !== raw) memory.write(at, 8, raw);
  }

  #placeOf(selector: number): number {
    const table = (selector & TABLE_INDICATOR) === 0 ? SHADOW_GDT : SHADOW_LDT;
    return inWindow(table + (selector & 0xfff8), this.#vmm.place);
  }
}
