import {describe, expect, test} from 'vitest';
import type {Instruction} from '../instruction.js';
import {formSamples} from '../testing/form-samples.js';
import {microcodeOf} from '../testing/instructions.js';
import {recordMicrocode} from '../microcode/microcode.js';
import {classify} from './classify.js';
import type {Classification} from './classify.js';
import {decode} from './decode.js';
import {recordStrictMicrocode} from './strict.js';

/** Classifications by mnemonic, over every form, mode and operand shape; far and system forms have names of their own. */
function classifications(
  classified: (instruction: Instruction) => Classification = instruction => classify(recordMicrocode(instruction)),
): ReadonlyMap<string, readonly Classification[]> {
  const found = new Map<string, Classification[]>();
  for (const {codeSize, bytes} of formSamples()) {
    const result = decode(bytes, codeSize);
    if (result.kind !== 'instruction') continue;
    const {form} = result.instruction;
    const kind =
      form.operandTypes.find(type => ['sreg', 'cr', 'dr', 'm16:V', 'ptr16:Z'].includes(type)) ??
      (/^[CDEFGS]S$/.test(form.operandTypes[0] ?? '') ? 'sreg' : undefined);
    const name = kind === undefined ? form.mnemonic : `${form.mnemonic} ${kind}`;
    found.set(name, [...(found.get(name) ?? []), classified(result.instruction)]);
  }
  return found;
}

const ALL = classifications();
const some = (name: string, holds: (c: Classification) => boolean): boolean => (ALL.get(name) ?? []).some(holds);
const every = (name: string, holds: (c: Classification) => boolean): boolean =>
  (ALL.get(name) ?? []).length > 0 && (ALL.get(name) ?? []).every(holds);

describe('the classification, against the published lists', () => {
  // Robin and Irvine, "Analysis of the Intel Pentium's Ability to Support a Secure Virtual Machine Monitor" (2000): sensitive
  // and unprivileged.
  test.each([
    'SGDT',
    'SIDT',
    'SLDT',
    'SMSW',
    'STR',
    'PUSHF',
    'PUSHFD',
    'PUSHFQ',
    'POPF',
    'POPFD',
    'POPFQ',
    'PUSH sreg',
    'POP sreg',
    'MOV sreg',
    'CALL m16:V',
    'CALL ptr16:Z',
    'JMP m16:V',
    'JMP ptr16:Z',
    'INT',
    'RETF',
    'LAR',
    'LSL',
    'VERR',
    'VERW',
  ])("%s is one of Robin and Irvine's: sensitive and unprivileged", name =>
    expect(every(name, c => c.sensitive && !c.privileged)).toBe(true),
  );

  test('of theirs, INT n alone hands control to the system: the others are holes', () => {
    expect(every('INT', c => c.systemCall && !c.stealth)).toBe(true);
    expect(LISTED.filter(name => !every(name, c => c.stealth))).toEqual(['INT']);
  });

  test('six instructions enter the system by design', () => {
    const calls = [...ALL.keys()].filter(name => some(name, c => c.systemCall));
    expect(calls.toSorted()).toEqual(['INT', 'INT1', 'INT3', 'INTO', 'SYSCALL', 'SYSENTER']);
  });

  // What the same questions find beyond their list, and why it is right that they do.
  const BEYOND: readonly string[] = [
    'IRET',
    'IRETD',
    'IRETQ', // the other way out of a handler; textbooks add it to the list
    'LDS m16:V',
    'LES m16:V',
    'LSS m16:V',
    'LFS m16:V',
    'LGS m16:V', // like MOV Sreg
    'CPUID', // shows CR4.OSXSAVE and whether the local APIC is on
    'RDTSCP',
    'RDPID', // shows which processor runs it
    'XGETBV', // shows what the system has enabled in XCR0
    'XSAVE',
    'XSAVE64',
    'XSAVEOPT',
    'XSAVEOPT64',
    'XSAVEC',
    'XSAVEC64', // so do these: XCR0 decides what of the area is written
    'XRSTOR',
    'XRSTOR64', // and what of the registers is loaded or initialized
    'RDTSC', // shows the real time, unless CR4.TSD
  ];
  const LISTED = ['SGDT', 'SIDT', 'SLDT', 'SMSW', 'STR', 'INT', 'RETF', 'LAR', 'LSL', 'VERR', 'VERW'];

  test('nothing else is sensitive and unprivileged, except what is named here with a reason', () => {
    const stealthy = [...ALL.keys()].filter(name => some(name, c => c.stealth));
    const unexpected = stealthy.filter(
      name =>
        !BEYOND.includes(name) &&
        !LISTED.includes(name) &&
        !/^(PUSHF|POPF)|^(PUSH|POP|MOV) sreg|^(CALL|JMP) (m16|ptr)/.test(name),
    );
    expect(unexpected).toEqual([]);
    expect(BEYOND.filter(name => !stealthy.includes(name))).toEqual([]);
  });

  test.each([
    'MOV',
    'ADD',
    'ADC',
    'SUB',
    'SBB',
    'CMP',
    'AND',
    'OR',
    'XOR',
    'NOT',
    'TEST',
    'SHL',
    'SHR',
    'SAR',
    'ROL',
    'RCL',
    'INC',
    'DEC',
    'NEG',
    'MUL',
    'IMUL',
    'DIV',
    'IDIV',
    'LEA',
    'PUSH',
    'POP',
    'PUSHA',
    'CALL',
    'RET',
    'JMP',
    'Jcc',
    'LOOP',
    'MOVSB',
    'STOSD',
    'CMPSB',
    'LAHF',
    'SAHF',
    'CLC',
    'STD',
    'XCHG',
    'CMPXCHG',
    'BT',
    'BSF',
    'SETcc',
    'CMOVcc',
    'NOP',
    'ENTER',
    'LEAVE',
    'XLATB',
    'LFENCE',
  ])('%s is innocuous', name => expect(every(name, c => !c.sensitive && !c.privileged)).toBe(true));

  test.each([
    'LGDT',
    'LIDT',
    'LLDT',
    'LTR',
    'LMSW',
    'CLTS',
    'MOV cr',
    'MOV dr',
    'HLT',
    'RDMSR',
    'WRMSR',
    'INVLPG',
    'INVD',
    'WBINVD',
    'SWAPGS',
    'VMXON',
    'VMXOFF',
    'VMCLEAR',
    'VMPTRLD',
    'VMPTRST',
    'VMREAD',
    'VMWRITE',
    'VMLAUNCH',
    'VMRESUME',
    'VMCALL',
    'INVEPT',
    'INVVPID',
  ])('%s is sensitive and privileged', name =>
    expect(every(name, c => c.sensitive && c.privileged && c.privilegedWhen === undefined)).toBe(true),
  );

  test.each(['CLI', 'STI', 'IN', 'OUT', 'INSB', 'OUTSD'])('%s traps when CPL > IOPL', name =>
    expect(every(name, c => c.sensitive && c.privileged && c.privilegedWhen === 'CPL > IOPL')).toBe(true),
  );

  test.each(['SGDT', 'SIDT', 'SLDT', 'SMSW', 'STR'])('%s traps when CR4.UMIP is set', name =>
    expect(every(name, c => c.privilegedWhen === 'CR4.UMIP = 1')).toBe(true),
  );

  test('with UMIP those five leave the list, and nothing else changes', () => {
    const withUmip = classifications(instruction => classify(recordMicrocode(instruction), {umip: 'on'}));
    const holes = (of: typeof ALL): readonly string[] =>
      [...of.keys()].filter(name => (of.get(name) ?? []).some(c => c.stealth));
    const left = new Set(holes(withUmip));
    expect(holes(ALL).filter(name => !left.has(name))).toEqual(['SGDT', 'SIDT', 'SLDT', 'STR', 'SMSW']);
  });

  test.each(['STAC', 'CLAC', 'MONITOR', 'MWAIT'])('%s traps with #UD below ring 0: privileged', name =>
    expect(every(name, c => c.privileged && c.privilegedWhen === undefined && !c.stealth)).toBe(true),
  );

  test('RDPMC traps unless the system permits it', () =>
    expect(every('RDPMC', c => c.privileged && c.privilegedWhen === 'CR4.PCE = 0')).toBe(true));
});

describe('a classification', () => {
  test('tells POPF from CLI in a sentence', () => {
    expect(classify(microcodeOf('9d')).sentence).toBe(
      'sensitive, not privileged: it can change what belongs to the system, and in ring 3 it does not trap',
    );
    expect(classify(microcodeOf('fa')).sentence).toBe(
      'sensitive and privileged: it can change what belongs to the system, and below ring 0 it traps (when CPL > IOPL)',
    );
  });

  test('holds apart what POPF may change from what PUSHF shows: only the second is visible to a user program', () => {
    const [popf, pushf] = [classify(microcodeOf('9d')), classify(microcodeOf('9c'))];
    expect(popf).toMatchObject({controlSensitive: true, behaviourSensitive: false, userSensitive: false});
    expect(pushf).toMatchObject({controlSensitive: false, locationSensitive: true, modeSensitive: false});
    expect(pushf.userSensitive).toBe(true);
  });

  test.each([
    ['8c c8', 'MOV EAX, CS', true, false],
    ['8c d8', 'MOV EAX, DS', false, true],
    ['0f 02 c8', 'LAR', true, true],
    ['0f 00 c0', 'SLDT', false, true],
    ['cf', 'IRET', true, false],
  ])('%s (%s): mode sensitive %s, location sensitive %s', (code, _name, mode, location) =>
    expect(classify(microcodeOf(code, 32))).toMatchObject({modeSensitive: mode, locationSensitive: location}),
  );

  test('lists the places where a hypervisor can step in', () => {
    expect(classify(microcodeOf('0f 22 d8')).exits).toEqual(['MOV to CR3']);
    expect(classify(microcodeOf('0f a2')).exits).toEqual(['CPUID']);
    expect(classify(microcodeOf('48 01 c8')).exits).toEqual([]);
  });
});

describe('the strict processor', () => {
  const strict = classifications(instruction => classify(recordStrictMicrocode(instruction)));
  const named = (of: typeof ALL, holds: (c: Classification) => boolean): readonly string[] =>
    [...of.keys()].filter(name => (of.get(name) ?? []).some(holds));

  test("has no sensitive instruction that is not privileged: Popek and Goldberg's premise", () => {
    expect(named(strict, c => c.stealth)).toEqual([]);
    expect(named(strict, c => c.sensitive && !c.systemCall && c.privilegedWhen !== undefined)).toEqual([]);
    expect(named(ALL, c => c.stealth)).toContain('POPF');
  });

  test('traps nothing that is innocuous, and leaves system calls as they are', () => {
    const innocuous = new Set(named(ALL, c => !c.sensitive));
    const privileged = named(strict, c => c.privileged).filter(name => innocuous.has(name));
    expect(privileged).toEqual(named(ALL, c => !c.sensitive && c.privileged));
    expect(named(strict, c => c.systemCall && c.privileged)).toEqual([]);
  });
});

test('values that share their parts are looked at once: ENTER with the deepest nesting is classified in milliseconds', () => {
  const enter = decode(Uint8Array.of(0xc8, 0x7e, 0x4b, 0x1f), 64);
  const start = performance.now();
  const found = enter.kind === 'instruction' ? classify(recordMicrocode(enter.instruction)) : undefined;
  expect(found?.stealth).toBe(false);
  // Looked at anew on every path it took minutes: a page that met these bytes behind a program stood still.
  expect(performance.now() - start).toBeLessThan(2000);
});
