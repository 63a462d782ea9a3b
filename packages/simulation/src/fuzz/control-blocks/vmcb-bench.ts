// VMCBs on a machine with SVM: VMRUN with changed fields, against the rule table.

import {VMCB_FIELDS} from '@hyperscope/isa';
import type {VmcbFieldName} from '@hyperscope/isa';
import {bits, hpa, keysOf} from '@hyperscope/base';
import {AMD_SVM, SvmInstructions, Vmcb} from '@hyperscope/machine';
import type {Machine, ProcessorProfile} from '@hyperscope/machine';
import {BenchMachine} from './bench-machine.js';
import type {Attempt, Change, ControlBlockBench, FieldWidth} from './control-block-bench.js';
import {VMCB_RULES} from './vmcb-rules.js';
import type {VmcbFacts} from './vmcb-rules.js';

const VMCB = 0x2000,
  HOST_SAVE = 0x3000,
  CODE = 0x4000,
  TABLES = 0x8000,
  IOPM = 0xc000,
  MSRPM = 0x1_0000;
/** VME PVI TSD DE PSE PAE MCE PGE PCE OSFXSR OSXMMEXCPT: what a processor of family 10h has. */
const FAMILY_10H_CR4 = 0x7ffn;
const INVALID = 0xffff_ffff_ffff_ffffn;

type Fields = Partial<Readonly<Record<VmcbFieldName, bigint>>>;
const COMMON: Fields = {
  // HLT and shutdown; VMRUN and VMMCALL.
  INTERCEPT_WORD_3: 0x8100_0000n,
  INTERCEPT_WORD_4: 3n,
  IOPM_BASE_PA: BigInt(IOPM),
  MSRPM_BASE_PA: BigInt(MSRPM),
  GUEST_ASID: 1n,
  DR6: 0xffff_0ff0n,
  DR7: 0x400n,
  RFLAGS: 2n,
  RIP: BigInt(CODE),
  RSP: 0x4f00n,
  IDTR_LIMIT: 0xffffn,
  GDTR_LIMIT: 0xffffn,
  G_PAT: 0x0007_0406_0007_0406n,
  ES_ATTRIB: 0x93n,
  SS_ATTRIB: 0x93n,
  DS_ATTRIB: 0x93n,
  ES_LIMIT: 0xffffn,
  CS_LIMIT: 0xffffn,
  SS_LIMIT: 0xffffn,
  DS_LIMIT: 0xffffn,
};
const GUESTS: Readonly<Record<string, Fields>> = {
  'real mode': {...COMMON, CS_ATTRIB: 0x9bn, CR0: 0x10n, EFER: 0x1000n},
  'real mode, nested paging': {
    ...COMMON,
    CS_ATTRIB: 0x9bn,
    CR0: 0x10n,
    EFER: 0x1000n,
    NESTED_CONTROL: 1n,
    N_CR3: BigInt(TABLES),
  },
  '64-bit mode': {...COMMON, CS_ATTRIB: 0x29bn, CR0: 0x8000_0011n, CR3: BigInt(TABLES), CR4: 0x20n, EFER: 0x1500n},
};
/** Written by #VMEXIT, or not of the processor at all. */
const isInput = (name: VmcbFieldName): boolean => !['CPL', 'CLEAN_BITS'].includes(name);

export class VmcbBench implements ControlBlockBench<VmcbFieldName> {
  readonly title = 'VMCB';
  readonly fields: readonly FieldWidth<VmcbFieldName>[] = VMCB_FIELDS.filter(
    ({area, name}) => area !== 'exit' && isInput(name),
  ).map(({name, bytes}) => ({name, bits: 8 * bytes}));
  readonly guests: readonly [string, ...string[]];
  readonly #bench: BenchMachine;
  readonly #vmcb: Vmcb;
  readonly #svm: SvmInstructions;
  readonly #facts: VmcbFacts;
  readonly #saved: ReadonlyMap<string, ReturnType<BenchMachine['save']>>;

  constructor(profile: ProcessorProfile) {
    this.#bench = new BenchMachine(profile);
    const {machine} = this.#bench;
    this.#vmcb = new Vmcb(machine.memory, VMCB);
    this.#svm = new SvmInstructions(machine);
    this.#facts = factsOf(this.#bench, this.#vmcb, profile);
    const [first = '', ...others] = keysOf(GUESTS);
    this.guests = [first, ...others];
    startHost(machine);
    const started = this.#bench.save();
    this.#saved = new Map(this.guests.map(guest => [guest, this.#prepare(guest, started)]));
  }

  #prepare(guest: string, started: ReturnType<BenchMachine['save']>): ReturnType<BenchMachine['save']> {
    this.#bench.restore(started);
    const fields = GUESTS[guest] ?? {};
    for (const {name} of VMCB_FIELDS) this.#vmcb.set(name, fields[name] ?? 0n);
    return this.#bench.save();
  }
  #restore(guest: string): void {
    const saved = this.#saved.get(guest);
    if (saved !== undefined) this.#bench.restore(saved);
  }

  before(guest: string, field: VmcbFieldName): bigint {
    this.#restore(guest);
    return this.#vmcb.get(field);
  }

  attempt(guest: string, changes: readonly Change<VmcbFieldName>[]): Attempt {
    this.#restore(guest);
    for (const {field, value} of changes) this.#vmcb.set(field, value);
    const rules = VMCB_RULES.filter(({holds}) => !holds(this.#facts));
    this.#svm.vmrun(VMCB);
    const {events} = this.#bench;
    const failure = events.find(event => event.kind === 'vm-entry-failure');
    const isInvalid = this.#vmcb.get('EXITCODE') === INVALID;
    const attempt = {
      expected: rules.length > 0 ? 'guest' : 'entered',
      broken: rules.map(({rule}) => rule),
      seen: isInvalid ? 'guest' : events.some(({kind}) => kind === 'vm-entry') ? 'entered' : 'something else',
      named: failure?.checks.flatMap(({rule, values}) => [rule, ...values.map(([name]) => name)]) ?? [],
    } as const;
    this.#bench.runGuest();
    return attempt;
  }
}

function startHost(machine: Machine): void {
  const {registers: r, memory} = machine;
  r.set('CR0', 0x8005_0033n);
  r.set('CR3', BigInt(TABLES));
  r.set('CR4', 0x20n);
  r.set('EFER', 0x1501n);
  r.set('CPL', 0n);
  r.setSegment('CS', {selector: 0x10, base: 0n, limit: 0xffff_ffff, attributes: 0xa09b});
  r.set('VM_HSAVE_PA', BigInt(HOST_SAVE));
  r.set('RIP', BigInt(CODE + 0x100));
  memory.write(hpa(TABLES), 8, BigInt(TABLES + 0x1000) | 7n);
  memory.write(hpa(TABLES + 0x1000), 8, BigInt(TABLES + 0x2000) | 7n);
  memory.write(hpa(TABLES + 0x2000), 8, 0x87n);
  memory.load(hpa(CODE), Uint8Array.of(0x90, 0x90, 0xf4));
}

function factsOf(bench: BenchMachine, vmcb: Vmcb, profile: ProcessorProfile): VmcbFacts {
  return {
    get: field => vmcb.get(field),
    bits: (field, high, low) => bits(vmcb.get(field), high, low),
    bit: (field, index) => vmcb.bit(field, index),
    memory: (address, length) => bench.read(address, length),
    physicalAddressBits: profile.physicalAddressBits,
    processorEfer: 0x1501n,
    supportedCr4: FAMILY_10H_CR4,
    hasNestedPaging: true,
    hostHasPaging: true,
  };
}

/** On the project's processor of AMD. */
export const createVmcbBench = (): VmcbBench => new VmcbBench(AMD_SVM);
