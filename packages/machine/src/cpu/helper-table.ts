// Every helper that isa names, by its implementation. Where one is missing, this file does not compile.

import {armMonitor, halt, monitorWait} from './monitor.js';
import {HELPERS} from '@hyperscope/isa';
import type {HelperName, Instruction} from '@hyperscope/isa';
import {keysOf} from '@hyperscope/base';
import {INTERRUPT_SHADOW} from './cell-indexes.js';
import {charged} from './control-register-cost.js';
import {clearTaskSwitched, loadCr0, loadCr3, loadCr4, loadCr8, loadMachineStatusWord} from './control-registers.js';
import type {HelperImplementations, VirtualizationUnit} from './core.js';
import {cpuid} from './cpuid.js';
import {loadDebugRegister, readDebugRegister} from './debug-registers.js';
import {farCall, farJump} from './far-transfer.js';
import {farReturn, interruptReturn} from './far-return.js';
import {faultBecause, shown} from './faults.js';
import {randomNumber} from './entropy.js';
import {readAccessRights, readSegmentLimit, verifySegment} from './descriptor-questions.js';
import {invalidatePcid, loadSegmentBase, loadXcr, readPerformanceCounter} from './later-system.js';
import {requireSystemCallMode, syscall, sysenter, sysexit, sysret, swapgs} from './fast-system-call.js';
import {isCanonical, is64Bit} from './modes.js';
import {readMsr, writeMsr} from './msrs.js';
import {checkPortPermission, portIn, portOut} from './port-access.js';
import type {Processor} from './processor.js';
import {castStackShadow, loadLdtr, loadSegment, loadTaskRegister, segmentNumbered} from './segment-load.js';
import {softwareInterrupt} from './software-interrupt.js';
import type {Trouble} from './trouble.js';
import {VECTOR_HELPERS} from './vector-helpers.js';
import {segmentView} from '../mmu/segmentation.js';

/** A helper as the processor runs it: like `HelperImplementation`, with all of the processor at hand. */
export type ProcessorHelper = (
  cpu: Processor,
  instruction: Instruction,
  args: readonly bigint[],
) => bigint | Trouble | undefined;

/** What the virtualization unit implements. */
export type VirtualizationHelperName =
  | 'vmxon'
  | 'vmxoff'
  | 'vmclear'
  | 'vmptrld'
  | 'vmptrst'
  | 'vmread'
  | 'vmwrite'
  | 'vmlaunch'
  | 'vmresume'
  | 'vmcall'
  | 'invept'
  | 'invvpid'
  | 'requireVmxOperation'
  | 'vmrun'
  | 'vmload'
  | 'vmsave'
  | 'setGlobalInterruptFlag'
  | 'invalidatePageOfAsid';
/** A processor has the one set or the other. */
export type VirtualizationHelpers = Partial<Pick<HelperImplementations, VirtualizationHelperName>>;

/** The half of a processor that is for virtualization: what its control blocks do, and its instructions. */
export interface Virtualization {
  readonly unit: VirtualizationUnit;
  readonly helpers: VirtualizationHelpers;
}

/** The helpers by name, for the executor. */
export function helperTable(virtualization: VirtualizationHelpers | undefined): ReadonlyMap<string, ProcessorHelper> {
  const table: Readonly<Record<HelperName, ProcessorHelper>> = {
    ...SEGMENT_HELPERS,
    ...CONTROL_HELPERS,
    ...RUN_HELPERS,
    ...VECTOR_HELPERS,
    ...WITHOUT_VIRTUALIZATION,
    ...virtualization,
  };
  return new Map(keysOf(HELPERS).map(name => [name, table[name]]));
}

const argument = (args: readonly bigint[], index: number): bigint => args[index] ?? 0n;
const number = (args: readonly bigint[], index: number): number => Number(args[index] ?? 0n);

const SEGMENT_HELPERS = {
  loadSegment: (cpu, i, args) => loadSegmentRegister(cpu, i, args),
  loadGdtr: (cpu, _, args) => loadTable(cpu, 'GDTR', args),
  loadIdtr: (cpu, _, args) => loadTable(cpu, 'IDTR', args),
  loadLdtr: (cpu, _, args) => loadLdtr(cpu, number(args, 0)),
  loadTaskRegister: (cpu, _, args) => loadTaskRegister(cpu, number(args, 0)),
  farJump: (cpu, _, args) => farJump(cpu, number(args, 0), argument(args, 1)),
  farCall: (cpu, i, args) => farCall(cpu, number(args, 0), argument(args, 1), i.width),
  farReturn: (cpu, i, args) => farReturn(cpu, i.width, number(args, 0)),
  interruptReturn: (cpu, i) => interruptReturn(cpu, i.width),
  softwareInterrupt: (cpu, i, args) => softwareInterrupt(cpu, i, number(args, 0)),
  requireSystemCallMode: (cpu, i) => requireSystemCallMode(cpu, i),
  syscall: cpu => syscall(cpu),
  sysret: (cpu, i) => sysret(cpu, i),
  swapgs: cpu => swapgs(cpu),
  sysenter: cpu => sysenter(cpu),
  sysexit: (cpu, i) => sysexit(cpu, i),
  readAccessRights: (cpu, _, args) => readAccessRights(cpu, number(args, 0)),
  readSegmentLimit: (cpu, _, args) => readSegmentLimit(cpu, number(args, 0)),
  verifyRead: (cpu, _, args) => verifySegment(cpu, number(args, 0), 'read'),
  verifyWrite: (cpu, _, args) => verifySegment(cpu, number(args, 0), 'write'),
  loadSegmentBase: (cpu, _, args) => loadSegmentBase(cpu, segmentNumbered(number(args, 0)), argument(args, 1)),
} as const satisfies Readonly<Record<string, ProcessorHelper>>;

const CONTROL_HELPERS = {
  readCr0: cpu => (cpu.isGuest && cpu.unit !== undefined ? cpu.unit.visibleCr0(cpu) : cpu.registers.get('CR0')),
  readCr4: cpu => (cpu.isGuest && cpu.unit !== undefined ? cpu.unit.visibleCr4(cpu) : cpu.registers.get('CR4')),
  readCr8: cpu => (cpu.isGuest ? cpu.unit?.readTaskPriority?.(cpu) : undefined) ?? cpu.registers.get('CR8'),
  loadCr0: (cpu, _, args) => charged(cpu, 'CR0', loadCr0(cpu, argument(args, 0))),
  loadCr2: (cpu, _, args) => {
    cpu.registers.set('CR2', argument(args, 0));
    return undefined;
  },
  loadCr3: (cpu, _, args) => charged(cpu, 'CR3', loadCr3(cpu, argument(args, 0))),
  loadCr4: (cpu, _, args) => charged(cpu, 'CR4', loadCr4(cpu, argument(args, 0))),
  loadCr8: (cpu, _, args) => charged(cpu, 'CR8', loadCr8(cpu, argument(args, 0))),
  loadMachineStatusWord: (cpu, _, args) => loadMachineStatusWord(cpu, argument(args, 0)),
  clearTaskSwitched: cpu => clearTaskSwitched(cpu),
  readDebugRegister: (cpu, _, args) => readDebugRegister(cpu, number(args, 0)),
  loadDebugRegister: (cpu, _, args) => loadDebugRegister(cpu, number(args, 0), argument(args, 1)),
  readMsr: (cpu, _, args) => readMsr(cpu, number(args, 0)),
  writeMsr: (cpu, _, args) => writeMsr(cpu, number(args, 0), argument(args, 1)),
  readTimeStampCounter: cpu =>
    (cpu.isGuest ? cpu.unit?.visibleTimeStampCounter?.(cpu) : undefined) ?? cpu.registers.get('TSC'),
  readPerformanceCounter: (cpu, _, args) => readPerformanceCounter(number(args, 0)),
  loadXcr: (cpu, _, args) => loadXcr(cpu, number(args, 0), argument(args, 1)),
  invalidatePcid: (cpu, _, args) => invalidatePcid(cpu, argument(args, 0), argument(args, 1), argument(args, 2)),
  invalidatePage: (cpu, _, args) => {
    cpu.tlb.flushPage(argument(args, 0));
    return undefined;
  },
  linearAddress: (cpu, _, args) => linearAddressOf(cpu, number(args, 0), argument(args, 1)),
  // No cache is modelled, so there is nothing to write back.
  writeBackCaches: () => undefined,
} as const satisfies Readonly<Record<string, ProcessorHelper>>;

const SHADOW_STI = 1n;

const RUN_HELPERS = {
  readRandom: cpu => randomNumber(cpu, 'RDRAND'),
  readSeed: cpu => randomNumber(cpu, 'RDSEED'),
  cpuid: (cpu, _, args) => cpuid(cpu, number(args, 0), number(args, 1)),
  checkPortPermission: (cpu, _, args) => checkPortPermission(cpu, number(args, 0), number(args, 1)),
  portIn: (cpu, _, args) => portIn(cpu, number(args, 0), number(args, 1)),
  portOut: (cpu, _, args) => portOut(cpu, number(args, 0), number(args, 1), number(args, 2)),
  halt: cpu => halt(cpu),
  armMonitor: (cpu, _, args) => armMonitor(cpu, argument(args, 0)),
  monitorWait: (cpu, _, args) => monitorWait(cpu, number(args, 0)),
  enableInterrupts: cpu => enableInterrupts(cpu),
} as const satisfies Readonly<Record<string, ProcessorHelper>>;

/**
 * STI shields the next instruction, but only where IF was 0 before: two in a row shield one (SDM vol. 2, "STI—Set
 * Interrupt Flag").
 */
function enableInterrupts(cpu: Processor): undefined {
  if (!cpu.registers.flag('IF')) cpu.registers.cells[INTERRUPT_SHADOW] = SHADOW_STI;
  cpu.registers.setFlag('IF', true);
}

function loadSegmentRegister(cpu: Processor, instruction: Instruction, args: readonly bigint[]): Trouble | undefined {
  const register = segmentNumbered(number(args, 0));
  const trouble = loadSegment(cpu, register, number(args, 1));
  if (trouble === undefined && register === 'SS' && instruction.mnemonic !== 'LSS') castStackShadow(cpu);
  return trouble;
}

function loadTable(cpu: Processor, table: 'GDTR' | 'IDTR', args: readonly bigint[]): Trouble | undefined {
  const base = argument(args, 1);
  if (is64Bit(cpu.registers) && !isCanonical(base))
    return faultBecause(
      '#GP',
      0,
      'the base of the table is canonical',
      [shown('base', base)],
      'SDM vol. 2, "LGDT/LIDT—Load Global/Interrupt Descriptor Table Register"',
    );
  cpu.registers.set(`${table}.limit`, argument(args, 0) & 0xffffn);
  cpu.registers.set(`${table}.base`, base);
  return undefined;
}

/** As INVLPG forms it: no limit, no rights. */
function linearAddressOf(cpu: Processor, segment: number, offset: bigint): bigint {
  const register = segmentNumbered(segment);
  const {base} = segmentView(cpu.registers, register);
  if (!is64Bit(cpu.registers)) return BigInt.asUintN(32, base + offset);
  return register === 'FS' || register === 'GS' ? BigInt.asUintN(64, base + offset) : BigInt.asUintN(64, offset);
}

const absent: ProcessorHelper = (_, i) =>
  faultBecause(
    '#UD',
    undefined,
    'the processor has a virtualization unit',
    [['instruction', i.mnemonic]],
    i.form.source,
  );

const WITHOUT_VIRTUALIZATION = {
  vmxon: absent,
  vmxoff: absent,
  vmclear: absent,
  vmptrld: absent,
  vmptrst: absent,
  vmread: absent,
  vmwrite: absent,
  vmlaunch: absent,
  vmresume: absent,
  vmcall: absent,
  invept: absent,
  invvpid: absent,
  requireVmxOperation: absent,
  vmrun: absent,
  vmload: absent,
  vmsave: absent,
  setGlobalInterruptFlag: absent,
  invalidatePageOfAsid: absent,
} as const satisfies Readonly<Record<VirtualizationHelperName, ProcessorHelper>>;
