// VMCSs on a machine with VT-x: VMLAUNCH with changed fields, against the rule table.

import {VMCS_FIELDS} from '@hyperscope/isa';
import type {VmcsFieldName} from '@hyperscope/isa';
import {bits, hpa, keysOf} from '@hyperscope/base';
import {VMX_CAPABILITIES, Vmcs, VmxInstructions, WESTMERE, readVmxCapabilityMsr} from '@hyperscope/machine';
import type {Machine, ProcessorProfile} from '@hyperscope/machine';
import {BenchMachine} from './bench-machine.js';
import type {Attempt, Change, ControlBlockBench, FieldWidth} from './control-block-bench.js';
import type {VmcsFacts} from './vmcs-facts.js';
import {PLACES, VMCS_GUESTS} from './vmcs-guests.js';
import {CONTROL_AND_HOST_RULES} from './vmcs-rules-controls.js';
import {GUEST_RULES} from './vmcs-rules-guest.js';

const FAILED_ENTRY = 0x8000_0000n;
const INVALID_GUEST_STATE = 33n;
const MSR_LOADING = 34n;

export class VmcsBench implements ControlBlockBench<VmcsFieldName> {
  readonly title = 'VMCS';
  readonly fields: readonly FieldWidth<VmcsFieldName>[] = VMCS_FIELDS.filter(
    ({area}) => area !== 'exit-information',
  ).map(({name, width}) => ({name, bits: width === 'natural' ? 64 : width}));
  readonly guests: readonly [string, ...string[]];
  readonly #bench: BenchMachine;
  readonly #saved: ReadonlyMap<string, ReturnType<BenchMachine['save']>>;
  readonly #vmcs: Vmcs;
  readonly #vmx: VmxInstructions;
  readonly #facts: VmcsFacts;

  constructor(profile: ProcessorProfile) {
    this.#bench = new BenchMachine(profile);
    const {machine} = this.#bench;
    this.#vmcs = new Vmcs(machine.memory, PLACES.vmcs);
    this.#vmx = new VmxInstructions(machine);
    this.#facts = factsOf(this.#bench, this.#vmcs, profile);
    const [first = '', ...others] = keysOf(VMCS_GUESTS);
    this.guests = [first, ...others];
    startRootOperation(machine, this.#vmx);
    const started = this.#bench.save();
    this.#saved = new Map(this.guests.map(guest => [guest, this.#prepare(guest, started)]));
  }

  #prepare(guest: string, started: ReturnType<BenchMachine['save']>): ReturnType<BenchMachine['save']> {
    this.#bench.restore(started);
    const fields = VMCS_GUESTS[guest] ?? {};
    for (const {name} of VMCS_FIELDS) this.#vmcs.set(name, fields[name] ?? 0n);
    return this.#bench.save();
  }
  #restore(guest: string): void {
    const saved = this.#saved.get(guest);
    if (saved !== undefined) this.#bench.restore(saved);
  }

  before(guest: string, field: VmcsFieldName): bigint {
    this.#restore(guest);
    return this.#vmcs.get(field);
  }

  attempt(guest: string, changes: readonly Change<VmcsFieldName>[]): Attempt {
    this.#restore(guest);
    for (const {field, value} of changes) this.#vmcs.set(field, value);
    const rules = [...CONTROL_AND_HOST_RULES, ...GUEST_RULES].filter(({holds}) => !holds(this.#facts));
    const group = (['controls', 'host', 'guest'] as const).find(each => rules.some(rule => rule.group === each));
    this.#vmx.enter('VMLAUNCH');
    const attempt = {
      expected: group ?? 'entered',
      broken: rules.map(({group: of, rule}) => `${of}: ${rule}`),
      seen: this.#seen(),
      named: this.#named(),
    } as const;
    this.#bench.runGuest();
    return attempt;
  }

  #seen(): Attempt['seen'] {
    const {events} = this.#bench;
    const failed = events.find(event => event.kind === 'vmx-instruction' && event.outcome === 'VMfailValid');
    if (failed?.kind === 'vmx-instruction')
      return failed.error === 7 ? 'controls' : failed.error === 8 ? 'host' : 'something else';
    const reason = this.#vmcs.get('EXIT_REASON');
    if (reason === FAILED_ENTRY + INVALID_GUEST_STATE) return 'guest';
    if (reason === FAILED_ENTRY + MSR_LOADING) return 'msr-loading';
    return events.some(({kind}) => kind === 'vm-entry') ? 'entered' : 'something else';
  }
  #named(): readonly string[] {
    const failed = this.#bench.events.flatMap(event =>
      event.kind === 'vmx-instruction' || event.kind === 'vm-entry-failure' ? event.checks : [],
    );
    return failed.filter(({holds}) => !holds).flatMap(({rule, values}) => [rule, ...values.map(([name]) => name)]);
  }
}

/** In 64-bit ring 0 and VMX root operation, a clear VMCS current; the tables that the guests walk. */
function startRootOperation(machine: Machine, vmx: VmxInstructions): void {
  const {registers: r, memory} = machine;
  r.set('CR0', 0x8005_0033n);
  r.set('CR4', 0x26a0n);
  r.set('EFER', 0xd01n);
  r.set('FEATURE_CONTROL', 5n);
  r.set('CPL', 0n);
  r.setSegment('CS', {selector: 0x10, base: 0n, limit: 0xffff_ffff, attributes: 0xa09b});
  for (const region of [PLACES.vmxon, PLACES.vmcs, PLACES.otherVmcs])
    memory.write(hpa(region), 4, BigInt(VMX_CAPABILITIES.revision));
  const table = (at: number, entry: bigint): void => memory.write(hpa(at), 8, entry);
  for (const [root, rights] of [
    [PLACES.ept, 7n],
    [PLACES.guestTables, 7n],
  ] as const) {
    table(root, BigInt(root + 0x1000) | rights);
    table(root + 0x1000, BigInt(root + 0x2000) | rights);
    table(root + 0x2000, root === PLACES.ept ? 0xb7n : 0x87n);
  }
  table(PLACES.pointerTable + 0x20, BigInt(PLACES.pointerTable + 0x1000) | 1n);
  table(PLACES.pointerTable + 0x1000, 0x87n);
  memory.write(hpa(PLACES.virtualApic + 0x80), 4, 0x50n);
  memory.load(hpa(PLACES.code), Uint8Array.of(0x90, 0x90, 0xf4));
  vmx.vmxon(PLACES.vmxon);
  vmx.vmclear(PLACES.vmcs);
  vmx.vmptrld(PLACES.vmcs);
}

function factsOf(bench: BenchMachine, vmcs: Vmcs, profile: ProcessorProfile): VmcsFacts {
  return {
    get: field => vmcs.get(field),
    bits: (field, high, low) => bits(vmcs.get(field), high, low),
    bit: (field, index) => vmcs.bit(field, index),
    memory: (address, length) => bench.read(address, length),
    physicalAddressBits: profile.physicalAddressBits,
    processorEfer: 0xd01n,
    msr: index => readVmxCapabilityMsr(profile.vmx ?? VMX_CAPABILITIES, index) ?? 0n,
    vmcsAddress: BigInt(PLACES.vmcs),
  };
}

/** On the processor that runs where none is chosen. */
export const createVmcsBench = (): VmcsBench => new VmcsBench(WESTMERE);
