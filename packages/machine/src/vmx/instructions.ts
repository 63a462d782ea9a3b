// The VMX instructions, as helpers that microcode invokes. What is common to them (#UD outside VMX operation, exit in
// non-root operation, #GP(0) above CPL 0) is microcode; here is what each of them does.
// SDM vol. 3C, "VMX Instruction Reference".

import {bit, hex, hpa} from '@hyperscope/base';
import {vmcsFieldByEncoding} from '@hyperscope/isa';
import type {HelperName, Instruction} from '@hyperscope/isa';
import type {Core, HelperImplementation} from '../cpu/core.js';
import {check, faultBecause, shown} from '../cpu/faults.js';
import type {Trouble} from '../cpu/trouble.js';
import {hasRealModeSegments, is64Bit, isLongMode} from '../cpu/modes.js';
import type {Check} from '../observer.js';
import {capabilitiesOf} from './capabilities.js';
import {CheckList} from './check-list.js';
import {checkEptPointer} from './entry-checks-controls.js';
import {currentVmcs, fail, failInvalid, succeed} from './outcome.js';
import {forgetEptMappings, forgetVpidMappings} from './translations.js';
import {enterGuest} from './vm-entry.js';
import {NO_POINTER, Vmcs} from './vmcs.js';

const source = (name: string): string => `SDM vol. 3C, "${name}"`;
const CR4_VMXE = 13;
const LOCKED_AND_VMXON_OUTSIDE_SMX = 5n;

/** #UD unless in VMX operation and in a mode that has the VMX instructions. */
function requireVmxOperation(core: Core, instruction: Instruction): Trouble | undefined {
  const r = core.registers;
  const where = 'SDM vol. 3C, "VMX Instruction Reference"';
  if (r.get('VMX_OPERATION') === 0n)
    return faultBecause('#UD', undefined, 'the processor is in VMX operation', [shown('VMX_OPERATION', 0)], where);
  // VMCALL is there for guests of every mode: it exits before the mode is looked at.
  if (instruction.mnemonic === 'VMCALL' && r.get('VMX_OPERATION') === 2n) return undefined;
  if (hasRealModeSegments(r))
    return faultBecause(
      '#UD',
      undefined,
      'protected mode, and not virtual-8086 mode',
      [shown('CR0', r.get('CR0'))],
      where,
    );
  if (isLongMode(r) && !is64Bit(r))
    return faultBecause('#UD', undefined, 'not compatibility mode', [shown('EFER', r.get('EFER'))], where);
  return undefined;
}

/** An address that can be a VMXON region or a VMCS: 4 KiB aligned, within the physical-address width. */
function regionCheck(core: Core, name: string, address: bigint): Check {
  const width = core.profile.physicalAddressBits;
  const holds = (address & 0xfffn) === 0n && address >> BigInt(width) === 0n;
  return check(
    `the address is aligned to 4 KiB and has at most ${width} bits`,
    holds,
    [shown('address', address)],
    source(name),
  );
}

function revisionCheck(core: Core, name: string, address: bigint): Check {
  const word = core.memory.read(hpa(Number(address)), 4);
  const {revision} = capabilitiesOf(core.profile);
  return check(
    'the first word of the region is the revision identifier of IA32_VMX_BASIC, bit 31 clear',
    Number(word) === revision,
    [shown('first word', word), shown('revision identifier', revision)],
    source(name),
  );
}

export function vmxon(core: Core, address: bigint): Trouble | undefined {
  const r = core.registers;
  const operands = [['address', hex(address)]] as const;
  const name = source('VMXON');
  if (r.get('VMX_OPERATION') === 1n) {
    return void fail(core, 'VMXON', 15, operands, [
      check('the processor is not in VMX root operation yet', false, [], name),
    ]);
  }
  if (!bit(r.get('CR4'), CR4_VMXE))
    return faultBecause('#UD', undefined, 'CR4.VMXE = 1', [shown('CR4', r.get('CR4'))], name);
  const {cr0, cr4} = capabilitiesOf(core.profile);
  if ((cr0.must & ~r.get('CR0')) !== 0n)
    return faultBecause(
      '#GP',
      0,
      'CR0: PE, NE and PG are 1, as IA32_VMX_CR0_FIXED0 asks',
      [shown('CR0', r.get('CR0'))],
      name,
    );
  if ((cr4.must & ~r.get('CR4')) !== 0n)
    return faultBecause('#GP', 0, 'CR4: the bits of IA32_VMX_CR4_FIXED0 are 1', [shown('CR4', r.get('CR4'))], name);
  if ((r.get('FEATURE_CONTROL') & LOCKED_AND_VMXON_OUTSIDE_SMX) !== LOCKED_AND_VMXON_OUTSIDE_SMX) {
    return faultBecause(
      '#GP',
      0,
      'IA32_FEATURE_CONTROL: locked (bit 0), with VMXON outside SMX enabled (bit 2)',
      [shown('IA32_FEATURE_CONTROL', r.get('FEATURE_CONTROL'))],
      name,
    );
  }
  const checks = [regionCheck(core, 'VMXON', address)];
  if (checks[0]?.holds === true) checks.push(revisionCheck(core, 'VMXON', address));
  if (checks.some(c => !c.holds)) return void failInvalid(core, 'VMXON', operands, checks);
  r.set('VMX_OPERATION', 1n);
  r.set('VMXON_POINTER', address);
  r.set('CURRENT_VMCS', NO_POINTER);
  succeed(core, 'VMXON', operands, checks);
  return undefined;
}

export function vmxoff(core: Core): void {
  core.registers.set('VMX_OPERATION', 0n);
  core.registers.set('VMXON_POINTER', NO_POINTER);
  core.registers.set('CURRENT_VMCS', NO_POINTER);
  succeed(core, 'VMXOFF', []);
}

function notVmxonPointer(core: Core, name: string, address: bigint): Check {
  const pointer = core.registers.get('VMXON_POINTER');
  return check(
    'the address is not that of the VMXON region',
    address !== pointer,
    [shown('address', address), shown('VMXON pointer', pointer)],
    source(name),
  );
}

export function vmclear(core: Core, address: bigint): void {
  const operands = [['address', hex(address)]] as const;
  const region = regionCheck(core, 'VMCLEAR', address);
  if (!region.holds) return fail(core, 'VMCLEAR', 2, operands, [region]);
  const other = notVmxonPointer(core, 'VMCLEAR', address);
  if (!other.holds) return fail(core, 'VMCLEAR', 3, operands, [region, other]);
  new Vmcs(core.memory, Number(address)).launchState = 'clear';
  if (core.registers.get('CURRENT_VMCS') === address) core.registers.set('CURRENT_VMCS', NO_POINTER);
  succeed(core, 'VMCLEAR', operands, [region, other]);
}

export function vmptrld(core: Core, address: bigint): void {
  const operands = [['address', hex(address)]] as const;
  const region = regionCheck(core, 'VMPTRLD', address);
  if (!region.holds) return fail(core, 'VMPTRLD', 9, operands, [region]);
  const other = notVmxonPointer(core, 'VMPTRLD', address);
  if (!other.holds) return fail(core, 'VMPTRLD', 10, operands, [region, other]);
  const revision = revisionCheck(core, 'VMPTRLD', address);
  if (!revision.holds) return fail(core, 'VMPTRLD', 11, operands, [region, other, revision]);
  core.registers.set('CURRENT_VMCS', address);
  succeed(core, 'VMPTRLD', operands, [region, other, revision]);
}

export function vmptrst(core: Core): bigint {
  const pointer = core.registers.get('CURRENT_VMCS');
  succeed(core, 'VMPTRST', [['current-VMCS pointer', hex(pointer)]]);
  return pointer;
}

const currentCheck = (core: Core, name: string): Check =>
  check(
    'there is a current VMCS',
    core.registers.get('CURRENT_VMCS') !== NO_POINTER,
    [shown('CURRENT_VMCS', core.registers.get('CURRENT_VMCS'))],
    source(name),
  );

/** Gives undefined, and leaves the destination alone, where it fails. */
export function vmread(core: Core, encoding: bigint): bigint | undefined {
  const vmcs = currentVmcs(core);
  if (vmcs === undefined)
    return void failInvalid(core, 'VMREAD', [['encoding', hex(encoding)]], [currentCheck(core, 'VMREAD')]);
  const value = encoding > 0xffffn ? undefined : vmcs.read(Number(encoding));
  if (value === undefined) {
    return void fail(
      core,
      'VMREAD',
      12,
      [['encoding', hex(encoding)]],
      [check('the encoding names a VMCS field', false, [shown('encoding', encoding)], source('VMREAD'))],
    );
  }
  succeed(
    core,
    'VMREAD',
    core.observed
      ? [
          ['field', fieldName(encoding)],
          ['value', hex(value)],
        ]
      : [],
  );
  return value;
}

export function vmwrite(core: Core, encoding: bigint, value: bigint): void {
  const vmcs = currentVmcs(core);
  const operands = core.observed
    ? ([
        ['field', fieldName(encoding)],
        ['value', hex(value)],
      ] as const)
    : [];
  if (vmcs === undefined) return failInvalid(core, 'VMWRITE', operands, [currentCheck(core, 'VMWRITE')]);
  const field = encoding > 0xffffn ? undefined : vmcsFieldByEncoding(Number(encoding));
  if (field === undefined)
    return fail(core, 'VMWRITE', 12, operands, [
      check('the encoding names a VMCS field', false, [shown('encoding', encoding)], source('VMWRITE')),
    ]);
  if (field.area === 'exit-information') {
    return fail(core, 'VMWRITE', 13, operands, [
      check(
        'the field is not one of the read-only VM-exit information fields',
        false,
        [['field', field.name]],
        source('VMWRITE'),
      ),
    ]);
  }
  vmcs.write(field, bit(encoding, 0) ? 'high' : 'whole', value);
  succeed(core, 'VMWRITE', operands);
}

function fieldName(encoding: bigint): string {
  const field = vmcsFieldByEncoding(Number(encoding & 0xffffn));
  if (field === undefined) return hex(encoding, 4);
  return bit(encoding, 0) ? `${field.name} (high half)` : field.name;
}

/** VMCALL in root operation calls the SMM-transfer monitor, which does not exist here. In a guest it exits before it gets here. */
export function vmcall(core: Core): void {
  fail(core, 'VMCALL', 1, [], [check('VMCALL is executed in VMX non-root operation', false, [], source('VMCALL'))]);
}

/** SDM vol. 3C, "INVEPT": type 1 forgets one EPT pointer's translations, type 2 those of all. */
export function invept(core: Core, type: bigint, descriptorLow: bigint, descriptorHigh: bigint): void {
  const operands = [
    ['type', String(type)],
    ['EPT pointer', hex(descriptorLow)],
  ] as const;
  const checks = [
    check(
      'the type is 1 (single context) or 2 (all contexts)',
      type === 1n || type === 2n,
      [['type', String(type)]],
      source('INVEPT'),
    ),
  ];
  if (type === 1n) {
    checks.push(
      check(
        'descriptor: bits 127:64 are 0',
        descriptorHigh === 0n,
        [shown('descriptor[127:64]', descriptorHigh)],
        source('INVEPT'),
      ),
    );
    checks.push(...eptPointerChecks(core, descriptorLow));
  }
  if (checks.some(c => !c.holds)) return fail(core, 'INVEPT', 28, operands, checks);
  forgetEptMappings(core, type, descriptorLow);
  succeed(core, 'INVEPT', operands, checks);
}

function eptPointerChecks(core: Core, pointer: bigint): readonly Check[] {
  const list = new CheckList(source('INVEPT'), 'all');
  const {physicalAddressBits} = core.profile;
  const physical = (address: bigint): boolean => address >> BigInt(physicalAddressBits) === 0n;
  checkEptPointer({capabilities: capabilitiesOf(core.profile), physical}, list, pointer);
  return list.checks;
}

/** SDM vol. 3C, "INVVPID": 0 an address, 1 a VPID, 2 all, 3 a VPID without globals. descriptor[15:0] is the VPID, [127:64] the address. */
export function invvpid(core: Core, type: bigint, descriptorLow: bigint, descriptorHigh: bigint): void {
  const vpid = descriptorLow & 0xffffn;
  const operands = [
    ['type', String(type)],
    ['VPID', String(vpid)],
  ] as const;
  const checks = [check('the type is 0, 1, 2 or 3', type <= 3n, [['type', String(type)]], source('INVVPID'))];
  if (type !== 2n)
    checks.push(
      check(
        'descriptor: VPID ≠ 0, bits 63:16 are 0',
        vpid !== 0n && descriptorLow >> 16n === 0n,
        [shown('descriptor[63:0]', descriptorLow)],
        source('INVVPID'),
      ),
    );
  if (type === 0n)
    checks.push(
      check(
        'descriptor: the linear address is canonical',
        BigInt.asUintN(64, BigInt.asIntN(48, descriptorHigh)) === descriptorHigh,
        [shown('descriptor[127:64]', descriptorHigh)],
        source('INVVPID'),
      ),
    );
  if (checks.some(c => !c.holds)) return fail(core, 'INVVPID', 28, operands, checks);
  forgetVpidMappings(core, type, vpid, descriptorHigh);
  succeed(core, 'INVVPID', operands, checks);
}

const arg = (args: readonly bigint[], index: number): bigint => args[index] ?? 0n;

/** The VMX part of what HELPERS lists. */
export const VMX_HELPERS = {
  requireVmxOperation: (core, instruction) => requireVmxOperation(core, instruction),
  vmxon: (core, _, args) => vmxon(core, arg(args, 0)),
  vmxoff: core => void vmxoff(core),
  vmclear: (core, _, args) => void vmclear(core, arg(args, 0)),
  vmptrld: (core, _, args) => void vmptrld(core, arg(args, 0)),
  vmptrst: core => vmptrst(core),
  vmread: (core, _, args) => vmread(core, arg(args, 0)),
  vmwrite: (core, _, args) => void vmwrite(core, arg(args, 0), arg(args, 1)),
  vmlaunch: core => void enterGuest(core, 'VMLAUNCH'),
  vmresume: core => void enterGuest(core, 'VMRESUME'),
  vmcall: core => void vmcall(core),
  invept: (core, _, args) => void invept(core, arg(args, 0), arg(args, 1), arg(args, 2)),
  invvpid: (core, _, args) => void invvpid(core, arg(args, 0), arg(args, 1), arg(args, 2)),
} satisfies Partial<Record<HelperName, HelperImplementation>>;
