// Which lines of the opcode table the fuzzer leaves out, and why. Rules speak of instructions, never of single programs.
// A rule with a quirk holds only on hosts whose fingerprint shows that quirk; one without holds everywhere.

import type {Instruction, OpcodeForm} from '@hyperscope/isa';
import type {FuzzMode} from './fuzz-image.js';

export interface FormRule {
  readonly id: string;
  /** The host's quirk that makes the rule necessary; undefined: the rule holds on every host. */
  readonly quirk: string | undefined;
  readonly reason: string;
  readonly modes: readonly FuzzMode[];
  excludes(form: OpcodeForm): boolean;
}

const ALL: readonly FuzzMode[] = ['real', 'protected', 'long', 'ring3'];
const RING_0: readonly FuzzMode[] = ['real', 'protected', 'long'];
const LONG: readonly FuzzMode[] = ['long', 'ring3'];
const RING_3: readonly FuzzMode[] = ['ring3'];

const mnemonics = (text: string): ((form: OpcodeForm) => boolean) => {
  const names = new Set(text.split(' '));
  return form => names.has(form.mnemonic);
};
const syntaxes = (...list: readonly string[]): ((form: OpcodeForm) => boolean) => {
  const names = new Set(list);
  return form => names.has(form.syntax);
};

/** MMX and SSE: an operand, or the feature, says so. */
export const isVector = ({operandTypes}: OpcodeForm): boolean =>
  operandTypes.some(type => /^(x?mm(\/m\d+)?|reg(Xmm|Mm))$/.test(type));

/** What KVM's emulator does not have in any mode. */
export const isUnknownToEmulator = mnemonics(
  'INT1 BOUND ARPL AAA AAS DAA LAR LSL VERR VERW POPCNT CRC32 MOVBE ADCX ADOX ANDN BLSR BLSMSK BLSI BEXTR BZHI ' +
    'PEXT PDEP MULX RORX SARX SHLX SHRX CMPXCHG16B STAC CLAC CLWB UD0 UD1 ENTER WAIT',
);

export const FORM_RULES: readonly FormRule[] = [
  {
    id: 'virtualization',
    quirk: undefined,
    reason: 'VMX and SVM instructions: a guest of KVM has them only where nested virtualization is offered.',
    modes: ALL,
    excludes: form =>
      /virtual-machine|Virtual-Machine|VMX|SVM/.test(form.source) ||
      /^(VM|INVEPT|INVVPID|STGI|CLGI|SKINIT|INVLPGA)/.test(form.mnemonic),
  },
  {
    id: 'time-and-chance',
    quirk: undefined,
    reason: "What they give is the host's own: time, randomness, counters, the processor's number.",
    modes: ALL,
    excludes: mnemonics('RDTSC RDTSCP RDPMC RDPID RDRAND RDSEED'),
  },
  {
    id: 'identity',
    quirk: undefined,
    reason: 'CPUID and XGETBV say which processor it is, and the simulated one is another.',
    modes: ALL,
    excludes: mnemonics('CPUID XGETBV'),
  },
  {
    id: 'devices',
    quirk: undefined,
    reason: 'Ports lead out of the processor: to devices, which are compared by running guests.',
    modes: RING_0,
    excludes: form => form.semantics.name === 'IN' || /^(IN|OUT|INS|OUTS)[BWD]?$/.test(form.mnemonic),
  },
  {
    id: 'extended-state',
    quirk: undefined,
    reason:
      'State of the x87 FPU, MXCSR and XSAVE areas: a program of the fuzzer does not begin with one that is known.',
    modes: ALL,
    excludes: ({feature, attributes, mnemonic}) =>
      feature === 'fpu' || attributes.has('noFpu') || /^(FX|XSAVE|XRSTOR|LDMXCSR|STMXCSR|FN|FLD|EMMS)/.test(mnemonic),
  },
  {
    id: 'vector-registers',
    quirk: undefined,
    reason: 'Only ring 3 has vector registers that a program has set itself.',
    modes: RING_0,
    excludes: isVector,
  },
  {
    id: 'ends-the-program',
    quirk: undefined,
    reason: 'HLT ends a program of the fuzzer, and is executed by every one.',
    modes: RING_0,
    excludes: mnemonics('HLT'),
  },
  {
    id: 'foundations',
    quirk: undefined,
    reason: 'It replaces the tables or the mode that the comparison itself stands on.',
    modes: RING_0,
    excludes: form =>
      mnemonics('LGDT LIDT LLDT LTR RSM MONITOR MWAIT XSETBV WRMSR RDMSR SYSENTER SYSEXIT SYSCALL SYSRET INVPCID')(
        form,
      ) || form.syntax === 'MOV dr, rmM',
  },
  {
    id: 'system-calls',
    quirk: undefined,
    reason: 'Where a system call leads is state of the operating system, and not the same for every vendor.',
    modes: RING_3,
    excludes: mnemonics('SYSCALL SYSENTER SYSEXIT MONITOR MWAIT RSM'),
  },
  {
    id: 'emulator-lacks',
    quirk: 'ring-0-sse',
    reason: "KVM's emulator, which runs ring 0 on this host, does not have it: KVM_EXIT_INTERNAL_ERROR.",
    modes: RING_0,
    excludes: isUnknownToEmulator,
  },
  {
    id: 'emulator-lacks-hints',
    quirk: 'ring-0-sse',
    reason: "Of the hint NOPs KVM's emulator knows 0F 18 and 0F 1F only.",
    modes: RING_0,
    excludes: ({pattern: {opcode}}) => opcode[0] === 0x0f && (opcode[1] ?? 0) >= 0x19 && (opcode[1] ?? 0) <= 0x1e,
  },
  {
    id: 'emulator-lacks-in-protected-mode',
    quirk: 'ring-0-int-n',
    reason: "KVM's emulator does not have it outside real mode: KVM_EXIT_INTERNAL_ERROR.",
    modes: ['protected', 'long'],
    excludes: mnemonics('INT INT3 INTO IRET IRETD'),
  },
  {
    id: 'emulator-decimal-flags',
    quirk: 'ring-0-sse',
    reason: "KVM's emulator sets SF and ZF of AAM and AAD by the whole accumulator; the manual, and a real 286, by AL.",
    modes: ['real', 'protected'],
    excludes: mnemonics('AAM AAD'),
  },
  {
    id: 'emulator-counts-zeros',
    quirk: 'ring-0-sse',
    reason: "KVM's emulator executes LZCNT and TZCNT as BSR and BSF, without their prefix.",
    modes: RING_0,
    excludes: mnemonics('LZCNT TZCNT'),
  },
  {
    id: 'host-selectors',
    quirk: 'ring-3-host-selectors',
    reason: "Ring 3 of long mode reads and loads the host's segment selectors, by the host's descriptor table.",
    modes: RING_3,
    excludes: form =>
      form.operandTypes.includes('sreg') ||
      mnemonics('LAR LSL VERR VERW LSS LFS LGS')(form) ||
      syntaxes('POP FS', 'POP GS')(form) ||
      mnemonics('RETF IRET IRETD IRETQ')(form) ||
      (form.mnemonic === 'JMP' || form.mnemonic === 'CALL' ? form.operandTypes.includes('m16:V') : false),
  },
  {
    id: 'software-interrupts',
    quirk: 'ring-3-if-is-1',
    reason: 'INT n in ring 3 of long mode is #UD on this host (INT 3 and INT 4 aside), INT1 leaves RIP at itself.',
    modes: RING_3,
    excludes: mnemonics('INT INT1'),
  },
  {
    id: 'prevented-stores',
    quirk: 'ring-3-host-selectors',
    reason:
      'SGDT, SIDT, SLDT, STR and SMSW trap in ring 3 where the host has UMIP, and KVM stands in for the processor; they ' +
      'are compared in ring 0.',
    modes: RING_3,
    excludes: mnemonics('SGDT SIDT SLDT STR SMSW'),
  },
  {
    id: 'far-memory',
    quirk: 'ring-0-sse',
    reason: "KVM's emulator does not have far JMP through memory in 64-bit code, and raises #GP for CALL.",
    modes: LONG,
    excludes: form => (form.mnemonic === 'JMP' || form.mnemonic === 'CALL') && form.operandTypes.includes('m16:V'),
  },
];

/** As above, for some instructions of a line: by prefix, width or operands. */
export interface InstructionRule extends Omit<FormRule, 'excludes'> {
  excludes(instruction: Instruction, rflags: bigint): boolean;
}

const TF = 0x100n;
const AC = 0x4_0000n;

export const INSTRUCTION_RULES: readonly InstructionRule[] = [
  {
    id: 'pushed-selector',
    quirk: undefined,
    reason:
      'PUSH of a segment register with a 32-bit operand: processors either extend it with zeros or write 16 bits only ' +
      '(SDM vol. 2, "PUSH—Push Word, Doubleword, or Quadword Onto the Stack").',
    modes: ['real', 'protected'],
    excludes: ({form, width}) =>
      form.mnemonic === 'PUSH' && width === 32 && /^[C-GS]S$|^ES$/.test(form.operandTypes[0] ?? ''),
  },
  {
    id: 'wide-interrupt',
    quirk: 'ring-0-int-n',
    reason:
      "INT with 66h in real mode: KVM's emulator pushes 32-bit FLAGS, CS and IP; the manual always pushes 16 bits " +
      '(SDM vol. 2, "INT n/INTO/INT3/INT1", REAL-ADDRESS-MODE).',
    modes: ['real'],
    excludes: ({form, prefixes}) => form.mnemonic.startsWith('INT') && prefixes.operandSize,
  },
  {
    id: 'stepped-interrupt',
    quirk: 'ring-0-int-n',
    reason:
      "INT n with RFLAGS.TF set: KVM's emulator raises #DB at the handler; a processor clears TF on the way and raises " +
      'none (SDM vol. 3B, "Single-Step Exception Condition").',
    modes: ['real'],
    excludes: ({form}, rflags) => (rflags & TF) !== 0n && form.mnemonic.startsWith('INT'),
  },
  {
    id: 'wide-selector-store',
    quirk: 'ring-0-sse',
    reason:
      "A selector stored to memory: KVM's emulator writes 8 bytes with REX.W, and checks the limit for all of a wider " +
      'operand; the manual says 16 bits whatever the operand size (SDM vol. 2, "MOV—Move", "SLDT", "STR").',
    modes: RING_0,
    excludes: ({form, operands, width}) =>
      operands[0]?.kind === 'memory' &&
      (form.operandTypes.includes('sreg') ? width === 64 : mnemonics('SLDT STR')(form) && width !== 16),
  },
  {
    id: 'no-single-step',
    quirk: 'ring-0-sse',
    reason: "Single-stepping (RFLAGS.TF) over a fence or RDFSBASE and its kin: KVM's emulator raises no #DB behind it.",
    modes: RING_0,
    excludes: ({form}, rflags) =>
      (rflags & TF) !== 0n && mnemonics('LFENCE MFENCE SFENCE RDFSBASE RDGSBASE WRFSBASE WRGSBASE')(form),
  },
  {
    id: 'enter-in-the-middle',
    quirk: undefined,
    reason:
      'ENTER that faults (here: #AC, with RFLAGS.AC set) where it copies frame pointers: a processor has stored what it ' +
      'pushed before, below a stack pointer that has not moved; the simulator stores all or nothing.',
    modes: ALL,
    excludes: ({form}, rflags) => (rflags & AC) !== 0n && form.mnemonic === 'ENTER',
  },
  {
    id: 'movsxd-16',
    quirk: undefined,
    reason:
      'MOVSXD with a 16-bit operand in memory: Intel reads 16 bits, AMD 32 (SDM vol. 2, "MOVSX/MOVSXD"; APM vol. 3, ' +
      '"MOVSXD"), which shows where the second half faults.',
    modes: LONG,
    excludes: ({form, width, operands}) => form.mnemonic === 'MOVSXD' && width === 16 && operands[1]?.kind === 'memory',
  },
  {
    id: 'compare-and-exchange-zeroes',
    quirk: 'cmpxchg-zeroes-upper',
    reason: 'CMPXCHG of two 32-bit registers zeroes the upper half of the destination although it does not match.',
    modes: ['long'],
    excludes: ({form, width, operands}) =>
      form.mnemonic === 'CMPXCHG' && width === 32 && operands[0]?.kind === 'register',
  },
];

/** The rule that leaves an instruction out, although its line is compared. */
export function ruleForInstruction(
  instruction: Instruction,
  rflags: bigint,
  mode: FuzzMode,
  quirks: ReadonlySet<string>,
): InstructionRule | undefined {
  return INSTRUCTION_RULES.find(
    rule =>
      rule.modes.includes(mode) &&
      (rule.quirk === undefined || quirks.has(rule.quirk)) &&
      rule.excludes(instruction, rflags),
  );
}

/** The rule that leaves a line out in a mode on a host with these quirks. */
export function ruleFor(form: OpcodeForm, mode: FuzzMode, quirks: ReadonlySet<string>): FormRule | undefined {
  return FORM_RULES.find(
    rule => rule.modes.includes(mode) && (rule.quirk === undefined || quirks.has(rule.quirk)) && rule.excludes(form),
  );
}
