// Every basic exit reason that one core can show: a guest that causes it, what the VMCS tells of it, and, where a control decides,
// that nothing of it happens without that control. SDM vol. 3C, "Basic Exit Reasons", "Exit Qualification", "Format of the VM-Exit
// Instruction-Information Field".

import {hpa} from '@hyperscope/base';
import {EXIT_REASONS} from '@hyperscope/isa';
import type {ExitReasonName, VmcsFieldName} from '@hyperscope/isa';
import {describe, expect, test} from 'vitest';
import {MODERN_INTEL} from '../cpu/profiles-intel64.js';
import {exitOf, withPin, withPrimary, withSecondary} from './testing/exits.js';
import {machineWithGuest, machineWithLongGuest} from './testing/vmx-machine.js';
import type {VmxMachine} from './testing/vmx-machine.js';

interface Told {
  readonly qualification?: bigint;
  readonly length?: number;
  readonly information?: number;
  readonly interruption?: number;
  readonly errorCode?: number;
  readonly linear?: bigint;
  readonly physical?: bigint;
  readonly rip?: bigint;
}
interface ExitCase {
  readonly reason: ExitReasonName;
  readonly what: string;
  readonly code: readonly number[];
  readonly told: Told;
  /** Asks for the exit; without it the guest goes on to the HLT behind its code. Absent where nothing can prevent the exit. */
  readonly asks?: (made: VmxMachine) => unknown;
  /** Done in both runs. */
  readonly prepares?: (made: VmxMachine) => unknown;
  readonly mode?: 'real' | 'long';
  /** What ends the run without the control: HLT, if nothing is said. */
  readonly otherwise?: ExitReasonName;
}

const HLT = 0xf4;
const START = 0x8000n;
const set =
  (name: VmcsFieldName, value: bigint) =>
  ({vmcs}: VmxMachine): void =>
    vmcs.set(name, value);
const cells =
  (values: Readonly<Record<string, bigint>>) =>
  ({machine}: VmxMachine): void => {
    for (const name of ['RAX', 'RBX', 'RCX', 'RDX', 'RSI', 'RDI', 'R9'] as const)
      if (values[name] !== undefined) machine.registers.set(name, values[name]);
  };
const primary =
  (...names: Parameters<typeof withPrimary> extends [VmxMachine, ...infer N] ? N : never) =>
  (made: VmxMachine): VmxMachine =>
    withPrimary(made, ...names);
const secondary =
  (...names: Parameters<typeof withSecondary> extends [VmxMachine, ...infer N] ? N : never) =>
  (made: VmxMachine): VmxMachine =>
    withSecondary(made, ...names);
const pin =
  (...names: Parameters<typeof withPin> extends [VmxMachine, ...infer N] ? N : never) =>
  (made: VmxMachine): VmxMachine =>
    withPin(made, ...names);
const all =
  (...steps: readonly ((made: VmxMachine) => unknown)[]) =>
  (made: VmxMachine): void => {
    for (const step of steps) step(made);
  };
const cr4 =
  (bit: number) =>
  ({vmcs}: VmxMachine): void =>
    vmcs.set('GUEST_CR4', vmcs.get('GUEST_CR4') | (1n << BigInt(bit)));
/** Where an exception of the guest would lead without an exit: HLT at 9000h, through the real-mode table. */
const handler =
  (vector: number) =>
  ({machine}: VmxMachine): void => {
    machine.memory.write(hpa(4 * vector), 4, 0x9000n);
    machine.memory.load(hpa(0x9000), Uint8Array.of(HLT));
  };
const EXCEPTIONS = (vector: number) => set('EXCEPTION_BITMAP', 1n << BigInt(vector));

/** Memory operand [RBX+RCX*4+10h] of 64-bit code: scale 4, 64-bit address, DS, index RCX, base RBX. */
const SIB_64 = 2 | (2 << 7) | (3 << 15) | (1 << 18) | (3 << 23);
/** [1000h] with a 16-bit address: no index, no base, DS. */
const DISP_16 = (3 << 15) | (1 << 22) | (1 << 27);

const EVENTS: readonly ExitCase[] = [
  {
    reason: 'EXCEPTION_NMI',
    what: '#UD',
    code: [0x0f, 0x0b],
    asks: EXCEPTIONS(6),
    prepares: handler(6),
    told: {interruption: 0x8000_0306},
  },
  {
    reason: 'EXCEPTION_NMI',
    what: '#DE',
    code: [0xf6, 0xf1],
    asks: EXCEPTIONS(0),
    prepares: handler(0),
    told: {interruption: 0x8000_0300},
  },
  {
    reason: 'EXCEPTION_NMI',
    what: 'INT3: a software exception has a length',
    code: [0xcc],
    asks: EXCEPTIONS(3),
    prepares: handler(3),
    told: {interruption: 0x8000_0603, length: 1},
  },
  {
    reason: 'EXCEPTION_NMI',
    what: 'INT3 behind a prefix',
    code: [0x26, 0xcc],
    asks: EXCEPTIONS(3),
    prepares: handler(3),
    told: {interruption: 0x8000_0603, length: 2},
  },
  {
    reason: 'EXCEPTION_NMI',
    what: 'INTO',
    code: [0xb0, 0x7f, 0x04, 0x01, 0xce],
    asks: EXCEPTIONS(4),
    prepares: handler(4),
    told: {interruption: 0x8000_0604, length: 1, rip: 0x8004n},
  },
  {
    reason: 'EXCEPTION_NMI',
    what: 'INT1: a privileged software exception',
    code: [0xf1],
    asks: EXCEPTIONS(1),
    prepares: handler(1),
    told: {interruption: 0x8000_0501, length: 1},
  },
  {
    reason: 'EXCEPTION_NMI',
    what: 'BOUND is no software exception',
    code: [0x62, 0x06, 0x00, 0x10],
    asks: EXCEPTIONS(5),
    prepares: all(handler(5), cells({RAX: 0x7fffn})),
    told: {interruption: 0x8000_0305},
  },
  {
    reason: 'EXCEPTION_NMI',
    what: '#PF: the address is the qualification',
    mode: 'long',
    code: [0xa0, 0, 0, 0x20, 0, 0, 0, 0, 0],
    asks: EXCEPTIONS(14),
    told: {interruption: 0x8000_0b0e, errorCode: 0, qualification: 0x20_0000n},
    otherwise: 'TRIPLE_FAULT',
  },
  {
    reason: 'EXCEPTION_NMI',
    what: '#GP with its error code',
    mode: 'long',
    code: [0x8e, 0xd8],
    asks: EXCEPTIONS(13),
    prepares: cells({RAX: 0x18n}),
    told: {interruption: 0x8000_0b0d, errorCode: 0x18},
    otherwise: 'TRIPLE_FAULT',
  },
  {
    reason: 'EXCEPTION_NMI',
    what: 'an NMI',
    code: [0x90, HLT],
    asks: pin('NMI exiting'),
    prepares: all(handler(2), ({machine}) => machine.pins.raiseNmi()),
    told: {interruption: 0x8000_0202},
  },
  {
    reason: 'EXTERNAL_INTERRUPT',
    what: 'without acknowledgement: the vector stays with the controller',
    code: [0x90, HLT],
    asks: pin('external-interrupt exiting'),
    prepares: ({machine}) => machine.requestInterrupt(0x40),
    told: {interruption: 0},
  },
  {
    reason: 'EXTERNAL_INTERRUPT',
    what: 'acknowledged',
    code: [0x90, HLT],
    asks: pin('external-interrupt exiting'),
    prepares: all(({machine}) => machine.requestInterrupt(0x40), set('VM_EXIT_CONTROLS', 0x33_effbn)),
    told: {interruption: 0x8000_0040},
  },
  {
    reason: 'TRIPLE_FAULT',
    what: 'a table without entries',
    code: [0x0f, 0x0b],
    prepares: set('GUEST_IDTR_LIMIT', 0n),
    told: {},
  },
  {
    reason: 'INTERRUPT_WINDOW',
    what: 'behind STI’s shadow',
    code: [0xfb, 0x90, HLT],
    asks: primary('interrupt-window exiting'),
    told: {rip: 0x8002n},
  },
  {
    reason: 'NMI_WINDOW',
    what: 'no NMI blocked',
    code: [0x90, HLT],
    asks: primary('NMI-window exiting'),
    prepares: pin('NMI exiting', 'virtual NMIs'),
    told: {},
  },
  {
    reason: 'MONITOR_TRAP_FLAG',
    what: 'one instruction',
    code: [0x90, 0x90, HLT],
    asks: primary('monitor trap flag'),
    told: {rip: 0x8001n},
  },
  {
    reason: 'VMX_PREEMPTION_TIMER_EXPIRED',
    what: 'a value of 0',
    code: [0x90, HLT],
    asks: pin('activate VMX-preemption timer'),
    told: {},
  },
];

const INSTRUCTIONS: readonly ExitCase[] = [
  {reason: 'CPUID', what: '', code: [0x0f, 0xa2], told: {length: 2}},
  {reason: 'HLT', what: '', code: [HLT], told: {length: 1}},
  {reason: 'INVD', what: '', code: [0x0f, 0x08], told: {length: 2}},
  {
    reason: 'INVLPG',
    what: 'the linear address is the qualification',
    code: [0x0f, 0x01, 0x3e, 0x34, 0x12],
    asks: primary('INVLPG exiting'),
    prepares: all(set('GUEST_DS_BASE', 0x100n), set('GUEST_DS_SELECTOR', 0x10n)),
    told: {length: 5, qualification: 0x1334n, linear: 0x1334n},
  },
  {
    reason: 'RDPMC',
    what: '',
    code: [0x0f, 0x33],
    asks: all(primary('RDPMC exiting')),
    prepares: handler(13),
    told: {length: 2},
  },
  {reason: 'RDTSC', what: '', code: [0x0f, 0x31], asks: primary('RDTSC exiting'), told: {length: 2}},
  {
    reason: 'RDTSCP',
    what: 'by the same control',
    code: [0x0f, 0x01, 0xf9],
    asks: primary('RDTSC exiting'),
    prepares: secondary('enable RDTSCP'),
    told: {length: 3},
  },
  {
    reason: 'MWAIT',
    what: 'nothing armed',
    code: [0x0f, 0x01, 0xc9],
    asks: primary('MWAIT exiting'),
    told: {length: 3, qualification: 0n},
  },
  {
    reason: 'MWAIT',
    what: 'bit 0: MONITOR has armed something',
    code: [0x0f, 0x01, 0xc8, 0x0f, 0x01, 0xc9],
    asks: primary('MWAIT exiting'),
    prepares: all(pin('activate VMX-preemption timer'), set('VMX_PREEMPTION_TIMER_VALUE', 1000n)),
    otherwise: 'VMX_PREEMPTION_TIMER_EXPIRED',
    told: {length: 3, qualification: 1n, rip: 0x8003n},
  },
  {reason: 'MONITOR', what: '', code: [0x0f, 0x01, 0xc8], asks: primary('MONITOR exiting'), told: {length: 3}},
  {reason: 'PAUSE', what: '', code: [0xf3, 0x90], asks: primary('PAUSE exiting'), told: {length: 2}},
  {reason: 'WBINVD', what: '', code: [0x0f, 0x09], asks: secondary('WBINVD exiting'), told: {length: 2}},
  {reason: 'XSETBV', what: '', mode: 'long', code: [0x0f, 0x01, 0xd1], prepares: cr4(18), told: {length: 3}},
  {
    reason: 'RDRAND',
    what: 'RDRAND R9',
    mode: 'long',
    code: [0x49, 0x0f, 0xc7, 0xf1],
    asks: secondary('RDRAND exiting'),
    told: {length: 4, information: (9 << 3) | (2 << 11)},
  },
  {
    reason: 'RDRAND',
    what: 'RDRAND BX',
    mode: 'long',
    code: [0x66, 0x0f, 0xc7, 0xf3],
    asks: secondary('RDRAND exiting'),
    told: {length: 4, information: 3 << 3},
  },
  {
    reason: 'RDSEED',
    what: 'RDSEED ECX',
    mode: 'long',
    code: [0x0f, 0xc7, 0xf9],
    asks: secondary('RDSEED exiting'),
    told: {length: 3, information: (1 << 3) | (1 << 11)},
  },
  {
    reason: 'INVPCID',
    what: 'operand and register',
    mode: 'long',
    code: [0x66, 0x0f, 0x38, 0x82, 0x54, 0x8b, 0x10],
    asks: primary('INVLPG exiting'),
    prepares: all(secondary('enable INVPCID'), cells({RBX: 0x1000n, RDX: 2n})),
    told: {length: 7, qualification: 0x10n, information: (SIB_64 | (2 << 28)) >>> 0},
  },
];

const REGISTERS: readonly ExitCase[] = [
  {
    reason: 'CR_ACCESS',
    what: 'MOV CR0, EBX',
    code: [0x0f, 0x22, 0xc3],
    asks: set('CR0_GUEST_HOST_MASK', 8n),
    prepares: cells({RBX: 0x38n}),
    told: {length: 3, qualification: 0x300n},
  },
  {
    reason: 'CR_ACCESS',
    what: 'MOV CR4, EDX',
    code: [0x0f, 0x22, 0xe2],
    asks: set('CR4_GUEST_HOST_MASK', 4n),
    prepares: cells({RDX: 0x2004n}),
    told: {length: 3, qualification: 0x204n},
  },
  {
    reason: 'CR_ACCESS',
    what: 'MOV CR3, ECX',
    code: [0x0f, 0x22, 0xd9],
    asks: primary('CR3-load exiting'),
    told: {length: 3, qualification: 0x103n},
  },
  {
    reason: 'CR_ACCESS',
    what: 'MOV ESI, CR3',
    code: [0x0f, 0x20, 0xde],
    asks: primary('CR3-store exiting'),
    told: {length: 3, qualification: 0x613n},
  },
  {
    reason: 'CR_ACCESS',
    what: 'MOV CR8, R9',
    mode: 'long',
    code: [0x45, 0x0f, 0x22, 0xc1],
    asks: primary('CR8-load exiting'),
    told: {length: 4, qualification: 0x908n},
  },
  {
    reason: 'CR_ACCESS',
    what: 'MOV RDX, CR8',
    mode: 'long',
    code: [0x44, 0x0f, 0x20, 0xc2],
    asks: primary('CR8-store exiting'),
    told: {length: 4, qualification: 0x218n},
  },
  {
    reason: 'CR_ACCESS',
    what: 'CLTS',
    code: [0x0f, 0x06],
    asks: all(set('CR0_GUEST_HOST_MASK', 8n), set('CR0_READ_SHADOW', 8n)),
    told: {length: 2, qualification: 0x20n},
  },
  {
    reason: 'CR_ACCESS',
    what: 'LMSW BX: the source is told',
    code: [0x0f, 0x01, 0xf3],
    asks: set('CR0_GUEST_HOST_MASK', 8n),
    prepares: cells({RBX: 0x1238n}),
    told: {length: 3, qualification: 0x1238_0030n},
  },
  {
    reason: 'CR_ACCESS',
    what: 'LMSW [1000h]: and that it was memory, where',
    code: [0x0f, 0x01, 0x36, 0x00, 0x10],
    asks: set('CR0_GUEST_HOST_MASK', 8n),
    prepares: ({machine}) => machine.memory.write(hpa(0x1000), 2, 8n),
    told: {length: 5, qualification: 0x8_0070n, linear: 0x1000n},
  },
  {
    reason: 'DR_ACCESS',
    what: 'MOV DR6, EBX',
    code: [0x0f, 0x23, 0xf3],
    asks: primary('MOV-DR exiting'),
    told: {length: 3, qualification: 0x306n},
  },
  {
    reason: 'DR_ACCESS',
    what: 'MOV ECX, DR7',
    code: [0x0f, 0x21, 0xf9],
    asks: primary('MOV-DR exiting'),
    told: {length: 3, qualification: 0x117n},
  },
  {
    reason: 'GDTR_IDTR_ACCESS',
    what: 'SGDT [1000h]',
    code: [0x0f, 0x01, 0x06, 0x00, 0x10],
    asks: secondary('descriptor-table exiting'),
    told: {length: 5, qualification: 0x1000n, information: DISP_16},
  },
  {
    reason: 'GDTR_IDTR_ACCESS',
    what: 'SIDT [1000h]',
    code: [0x0f, 0x01, 0x0e, 0x00, 0x10],
    asks: secondary('descriptor-table exiting'),
    told: {length: 5, qualification: 0x1000n, information: DISP_16 | (1 << 28)},
  },
  {
    reason: 'GDTR_IDTR_ACCESS',
    what: 'LGDT [1000h], 32-bit operands',
    code: [0x66, 0x0f, 0x01, 0x16, 0x00, 0x10],
    asks: secondary('descriptor-table exiting'),
    told: {length: 6, qualification: 0x1000n, information: DISP_16 | (1 << 11) | (2 << 28)},
  },
  {
    reason: 'GDTR_IDTR_ACCESS',
    what: 'LIDT [RBX+RCX*4+10h]',
    mode: 'long',
    code: [0x0f, 0x01, 0x5c, 0x8b, 0x10],
    asks: secondary('descriptor-table exiting'),
    prepares: cells({RBX: 0x1000n}),
    told: {length: 5, qualification: 0x10n},
  },
  {
    reason: 'LDTR_TR_ACCESS',
    what: 'SLDT EDX',
    mode: 'long',
    code: [0x0f, 0x00, 0xc2],
    asks: secondary('descriptor-table exiting'),
    told: {length: 3, qualification: 0n},
  },
  {
    reason: 'LDTR_TR_ACCESS',
    what: 'LLDT BX',
    mode: 'long',
    code: [0x0f, 0x00, 0xd3],
    asks: secondary('descriptor-table exiting'),
    told: {length: 3},
  },
  {
    reason: 'IO_INSTRUCTION',
    what: 'IN AL, 71h',
    code: [0xe4, 0x71],
    asks: primary('unconditional I/O exiting'),
    told: {length: 2, qualification: 0x71_0048n},
  },
  {
    reason: 'IO_INSTRUCTION',
    what: 'OUT DX, EAX',
    code: [0x66, 0xef],
    asks: primary('unconditional I/O exiting'),
    prepares: cells({RDX: 0x3f8n}),
    told: {length: 2, qualification: 0x3f8_0003n},
  },
  {
    reason: 'IO_INSTRUCTION',
    what: 'REP INSB',
    code: [0xf3, 0x6c],
    asks: primary('unconditional I/O exiting'),
    prepares: all(
      cells({RDX: 0x60n, RDI: 0x1234n, RCX: 1n}),
      set('GUEST_ES_SELECTOR', 0x10n),
      set('GUEST_ES_BASE', 0x100n),
    ),
    told: {length: 2, qualification: 0x60_0038n, linear: 0x1334n, information: 0},
  },
  {
    reason: 'IO_INSTRUCTION',
    what: 'OUTSW from FS',
    code: [0x64, 0x6f],
    asks: primary('unconditional I/O exiting'),
    prepares: cells({RDX: 0x80n, RSI: 0x1000n}),
    told: {length: 2, qualification: 0x80_0011n, linear: 0x1000n, information: 4 << 15},
  },
  {
    reason: 'IO_INSTRUCTION',
    what: 'OUTSB with a 32-bit address',
    code: [0x67, 0x6e],
    asks: primary('unconditional I/O exiting'),
    prepares: cells({RDX: 0x80n, RSI: 0x1000n}),
    told: {length: 2, qualification: 0x80_0010n, linear: 0x1000n, information: (1 << 7) | (3 << 15)},
  },
  {reason: 'RDMSR', what: 'without a bitmap', code: [0x0f, 0x32], prepares: cells({RCX: 0x174n}), told: {length: 2}},
  {reason: 'WRMSR', what: 'without a bitmap', code: [0x0f, 0x30], prepares: cells({RCX: 0x174n}), told: {length: 2}},
];

const MEMORY: readonly ExitCase[] = [
  {
    reason: 'EPT_VIOLATION',
    what: 'a read',
    code: [0x67, 0xa0, 0, 0, 0x20, 0],
    prepares: all(set('GUEST_DS_LIMIT', 0xffff_ffffn), set('GUEST_DS_ACCESS_RIGHTS', 0x8093n)),
    told: {qualification: 0x181n, linear: 0x20_0000n, physical: 0x20_0000n},
  },
  {
    reason: 'EPT_MISCONFIGURATION',
    what: 'writable and not readable',
    code: [HLT],
    prepares: ({machine}) => machine.memory.write(hpa(0x1_2000), 8, 0xb2n),
    told: {physical: 0x8000n},
  },
];

/** All of them exit at every CPL and whatever the controls say. */
const VMX_INSTRUCTIONS: readonly ExitCase[] = [
  {reason: 'VMCALL', what: '', code: [0x0f, 0x01, 0xc1], told: {length: 3}},
  {reason: 'VMLAUNCH', what: '', mode: 'long', code: [0x0f, 0x01, 0xc2], told: {length: 3}},
  {reason: 'VMRESUME', what: '', mode: 'long', code: [0x0f, 0x01, 0xc3], told: {length: 3}},
  {reason: 'VMXOFF', what: '', mode: 'long', code: [0x0f, 0x01, 0xc4], told: {length: 3}},
  {
    reason: 'VMCLEAR',
    what: '[RBX+RCX*4+10h]',
    mode: 'long',
    code: [0x66, 0x0f, 0xc7, 0x74, 0x8b, 0x10],
    told: {length: 6, qualification: 0x10n, information: SIB_64},
  },
  {
    reason: 'VMPTRLD',
    what: '[RBX+RCX*4+10h]',
    mode: 'long',
    code: [0x0f, 0xc7, 0x74, 0x8b, 0x10],
    told: {length: 5, qualification: 0x10n, information: SIB_64},
  },
  {
    reason: 'VMPTRST',
    what: '[RIP+100h]: the displacement is resolved',
    mode: 'long',
    code: [0x0f, 0xc7, 0x3d, 0, 1, 0, 0],
    told: {length: 7, qualification: 0x8107n, information: ((2 << 7) | (3 << 15) | (1 << 22) | (1 << 27)) >>> 0},
  },
  {
    reason: 'VMXON',
    what: '[RBX+RCX*4-10h]',
    mode: 'long',
    code: [0xf3, 0x0f, 0xc7, 0x74, 0x8b, 0xf0],
    told: {length: 6, qualification: 0xffff_ffff_ffff_fff0n, information: SIB_64},
  },
  {
    reason: 'VMREAD',
    what: 'RBX, RDX',
    mode: 'long',
    code: [0x0f, 0x78, 0xd3],
    told: {length: 3, qualification: 0n, information: (3 << 3) | (1 << 10) | (2 << 28)},
  },
  {
    reason: 'VMREAD',
    what: '[RBX+RCX*4+10h], RDX',
    mode: 'long',
    code: [0x0f, 0x78, 0x54, 0x8b, 0x10],
    told: {length: 5, qualification: 0x10n, information: SIB_64 | (2 << 28)},
  },
  {
    reason: 'VMWRITE',
    what: 'RDX, RBX',
    mode: 'long',
    code: [0x0f, 0x79, 0xd3],
    told: {length: 3, qualification: 0n, information: (3 << 3) | (1 << 10) | (2 << 28)},
  },
  {
    reason: 'VMWRITE',
    what: 'RDX, [RBX+RCX*4+10h]',
    mode: 'long',
    code: [0x0f, 0x79, 0x54, 0x8b, 0x10],
    told: {length: 5, qualification: 0x10n, information: SIB_64 | (2 << 28)},
  },
  {
    reason: 'INVEPT',
    what: 'RDX, [RBX+RCX*4+10h]',
    mode: 'long',
    code: [0x66, 0x0f, 0x38, 0x80, 0x54, 0x8b, 0x10],
    told: {length: 7, qualification: 0x10n, information: SIB_64 | (2 << 28)},
  },
  {
    reason: 'INVVPID',
    what: 'RDX, [RBX+RCX*4+10h]',
    mode: 'long',
    code: [0x66, 0x0f, 0x38, 0x81, 0x54, 0x8b, 0x10],
    told: {length: 7, qualification: 0x10n, information: SIB_64 | (2 << 28)},
  },
];

const CASES = [...EVENTS, ...INSTRUCTIONS, ...REGISTERS, ...MEMORY, ...VMX_INSTRUCTIONS];

function made(each: ExitCase): VmxMachine {
  const code = [...each.code, HLT];
  const built = each.mode === 'long' ? machineWithLongGuest(code, MODERN_INTEL) : machineWithGuest(code);
  each.prepares?.(built);
  return built;
}
const numberOf = (name: ExitReasonName): number => EXIT_REASONS.find(each => each.name === name)?.number ?? -1;

describe('asked for', () => {
  test.each(CASES.map(each => [`${each.reason} ${each.what}`, each] as const))('%s', (_, each) => {
    const built = made(each);
    each.asks?.(built);
    const exit = exitOf(built);
    const {vmcs} = built;
    const {told} = each;
    expect(exit?.reason).toBe(numberOf(each.reason));
    expect({
      reason: vmcs.get('EXIT_REASON'),
      qualification: vmcs.get('EXIT_QUALIFICATION'),
      length: Number(vmcs.get('VM_EXIT_INSTRUCTION_LENGTH')),
      interruption: Number(vmcs.get('VM_EXIT_INTERRUPTION_INFORMATION')),
      errorCode: Number(vmcs.get('VM_EXIT_INTERRUPTION_ERROR_CODE')),
      linear: vmcs.get('GUEST_LINEAR_ADDRESS'),
      rip: vmcs.get('GUEST_RIP'),
    }).toEqual({
      reason: BigInt(numberOf(each.reason)),
      qualification: told.qualification ?? 0n,
      length: told.length ?? 0,
      interruption: told.interruption ?? 0,
      errorCode: told.errorCode ?? 0,
      linear: told.linear ?? (each.reason === 'EPT_MISCONFIGURATION' ? vmcs.get('GUEST_LINEAR_ADDRESS') : 0n),
      rip: told.rip ?? START,
    });
    if (told.information !== undefined)
      expect(Number(vmcs.get('VM_EXIT_INSTRUCTION_INFORMATION'))).toBe(told.information >>> 0);
    if (told.physical !== undefined) expect(vmcs.get('GUEST_PHYSICAL_ADDRESS')).toBe(told.physical);
    // Whatever the exit is, it has reasons that can be read.
    expect(exit?.checks.length).toBeGreaterThan(0);
  });
});

describe('not asked for', () => {
  const conditional = CASES.filter(({asks}) => asks !== undefined);
  test.each(conditional.map(each => [`${each.reason} ${each.what}`, each] as const))('%s', (_, each) => {
    expect(exitOf(made(each), 100)?.reason).toBe(numberOf(each.otherwise ?? 'HLT'));
  });
});

/** Reasons that have no case here, with why, or with the test that has it. */
const ELSEWHERE: Partial<Readonly<Record<ExitReasonName, string>>> = {
  INIT: 'no other processor sends INIT, and the local APIC does not send it to itself',
  SIPI: 'no other processor sends one',
  IO_SMI: 'there is no SMM',
  SMI: 'there is no SMM',
  RSM: 'it exits in SMM only; elsewhere it is #UD',
  GETSEC: 'no profile has SMX, so it is #UD',
  TASK_SWITCH: 'guest-events.test.ts, by JMP, CALL, IRET, INT n and exception',
  VMENTRY_FAILURE_GUEST_STATE: 'entry-checks.test.ts',
  VMENTRY_FAILURE_MSR: 'msr-lists.test.ts',
  VMENTRY_FAILURE_MCA: 'no machine check strikes',
  TPR_THRESHOLD: 'virtual-apic.test.ts',
  APIC_ACCESS: 'not announced',
  VIRTUALIZED_EOI: 'not announced',
  APIC_WRITE: 'not announced',
  VMFUNC: 'not announced',
  ENCLS: 'not announced',
  PML_LOGFULL: 'not announced',
  XSAVES: 'not announced',
  XRSTORS: 'not announced',
  PCONFIG: 'not announced',
  SPP: 'not announced',
  UMWAIT: 'not announced',
  TPAUSE: 'not announced',
  LOADIWKEY: 'not announced',
  ENCLV: 'not announced',
  ENQCMD_PASID: 'not announced',
  ENQCMDS_PASID: 'not announced',
  BUS_LOCK: 'not announced',
  INSTRUCTION_TIMEOUT: 'not announced',
  SEAMCALL: 'not announced',
  TDCALL: 'not announced',
  RDMSRLIST: 'not announced',
  WRMSRLIST: 'not announced',
};

test('every basic exit reason has a case, or a reason why it has none', () => {
  const shown = new Set(CASES.map(({reason}) => reason));
  const silent = EXIT_REASONS.filter(({name}) => !shown.has(name) && ELSEWHERE[name] === undefined);
  expect(silent.map(({name}) => name)).toEqual([]);
  expect(EXIT_REASONS.filter(({name}) => shown.has(name) && ELSEWHERE[name] !== undefined)).toEqual([]);
});
