// A machine with SVM for tests: a host in 64-bit ring 0 with its paging on, and a VMCB for a guest that is as plain as
// possible. The host's VMRUN is executed from its bytes.

import {hpa} from '@hyperscope/base';
import type {VmcbFieldName} from '@hyperscope/isa';
import {WESTMERE_COSTS} from '../../cpu/cost-model.js';
import type {ProcessorProfile} from '../../cpu/core.js';
import {withFeature} from '../../cpu/features.js';
import {AMD_SVM} from '../../cpu/profiles-amd.js';
import {Machine} from '../../machine.js';
import type {MachineOptions} from '../../machine.js';
import type {MachineEvent} from '../../observer.js';
import {SVM_HELPERS} from '../instructions.js';
import {createSvmUnit} from '../unit.js';
import {Vmcb} from '../vmcb.js';

export const VMCB = 0x5000;
export const HOST_SAVE = 0x6000;
export const GUEST_CODE = 0x8000;
export const HOST_CODE = 0x9000;
/** The host's page tables: the first 2 MiB are mapped to themselves. */
const HOST_TABLES = 0x1_0000;
/** The nested page tables: the same, for user accesses. */
export const NESTED_TABLES = 0x1_4000;
export const IOPM = 0x2_0000;
export const MSRPM = 0x2_4000;

const VMRUN = [0x0f, 0x01, 0xd8];

export interface SvmMachine {
  readonly machine: Machine;
  readonly vmcb: Vmcb;
  readonly events: MachineEvent[];
  /** Executes the host's VMRUN, then the guest until it has been left. */
  readonly run: () => void;
}

/** A little newer than its namesake: with decode assists. */
export const SVM_PROFILE = withFeature(AMD_SVM, 'decodeAssists', 'on');

/** In the host, before VMRUN; the guest is in real mode at GUEST_CODE and exits at HLT. */
export function svmMachine(
  code: readonly number[] = [0xf4],
  executor?: MachineOptions['executor'],
  profile: ProcessorProfile = SVM_PROFILE,
): SvmMachine {
  const machine = new Machine({
    memoryBytes: 0x20_0000,
    executor,
    profile,
    costModel: WESTMERE_COSTS,
    virtualization: {unit: createSvmUnit(), helpers: SVM_HELPERS},
  });
  const {memory} = machine;
  startHost(machine);
  identityMap(machine, HOST_TABLES, 0x3n);
  identityMap(machine, NESTED_TABLES, 0x7n);
  memory.load(hpa(GUEST_CODE), Uint8Array.from(code));
  memory.load(hpa(HOST_CODE), Uint8Array.from([...VMRUN, 0xf4]));
  const vmcb = new Vmcb(memory, VMCB);
  for (const [name, value] of [...CONTROLS, ...GUEST]) vmcb.set(name, value);
  for (const name of ['ES', 'CS', 'SS', 'DS'] as const) {
    vmcb.set(`${name}_LIMIT`, 0xffffn);
    vmcb.set(`${name}_ATTRIB`, name === 'CS' ? 0x9bn : 0x93n);
  }
  const events: MachineEvent[] = [];
  machine.observe({willWrite: () => undefined, event: event => events.push(event)});
  return {machine, vmcb, events, run: () => runGuest(machine)};
}

function startHost(machine: Machine): void {
  const r = machine.registers;
  r.set('CR0', 0x8005_0033n);
  r.set('CR3', BigInt(HOST_TABLES));
  r.set('CR4', 0x20n);
  // SVME LMA LME SCE
  r.set('EFER', 0x1501n);
  r.set('CPL', 0n);
  r.setSegment('CS', {selector: 0x10, base: 0n, limit: 0xffff_ffff, attributes: 0xa09b});
  r.set('VM_HSAVE_PA', BigInt(HOST_SAVE));
  r.set('RIP', BigInt(HOST_CODE));
  r.set('RSP', 0x7000n);
  r.set('RAX', BigInt(VMCB));
}

function identityMap({memory}: Machine, at: number, rights: bigint): void {
  memory.write(hpa(at), 8, BigInt(at + 0x1000) | rights);
  memory.write(hpa(at + 0x1000), 8, BigInt(at + 0x2000) | rights);
  memory.write(hpa(at + 0x2000), 8, 0x80n | rights);
}

const STEPS = 100;

function runGuest(machine: Machine): void {
  machine.step();
  for (let i = 0; i < STEPS && machine.registers.get('VMX_OPERATION') === 2n; i++) machine.step();
}

const CONTROLS: readonly (readonly [VmcbFieldName, bigint])[] = [
  // HLT and shutdown.
  ['INTERCEPT_WORD_3', (1n << 24n) | (1n << 31n)],
  // VMRUN, VMMCALL.
  ['INTERCEPT_WORD_4', 3n],
  ['IOPM_BASE_PA', BigInt(IOPM)],
  ['MSRPM_BASE_PA', BigInt(MSRPM)],
  ['GUEST_ASID', 1n],
];
const GUEST: readonly (readonly [VmcbFieldName, bigint])[] = [
  ['CR0', 0x10n],
  ['EFER', 0x1000n],
  ['DR6', 0xffff_0ff0n],
  ['DR7', 0x400n],
  ['RFLAGS', 2n],
  ['RIP', BigInt(GUEST_CODE)],
  ['RSP', 0x7c00n],
  ['IDTR_LIMIT', 0x3ffn],
  ['G_PAT', 0x0007_0406_0007_0406n],
];

/** The same with a guest in 64-bit mode, at CPL 0, in the host's page tables. */
export function svmLongMachine(code: readonly number[] = [0xf4], profile?: ProcessorProfile): SvmMachine {
  const made = svmMachine(code, undefined, profile);
  for (const [name, value] of [
    ['CR0', 0x8000_0011n],
    ['CR3', BigInt(HOST_TABLES)],
    ['CR4', 0x20n],
    ['EFER', 0x1500n],
    ['CS_ATTRIB', 0x29bn],
  ] as const)
    made.vmcb.set(name, value);
  return made;
}
