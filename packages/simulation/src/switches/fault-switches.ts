// "Break it": what a hypervisor must not leave out, left out. Each is a line that its own code skips; what happens then is what
// the guest really gets.

import type {WrongField} from '@hyperscope/vmm';
import {on, onHardware, onShadow, onVtx, toggle, withFault} from './switch.js';
import type {Switch} from './switch.js';

const GROUP = 'break it';

/** In working order, a switch of this kind stands on `on`: what is named is done. */
const duty = (
  id: string,
  title: string,
  sentence: string,
  isOffered: Switch['isOffered'],
  flip: Parameters<typeof toggle>[2],
): Switch => toggle({id, title, group: GROUP, sentence, isOffered}, 'on', flip);

const NONE = {id: 'none', title: 'none'} as const;

/** By mnemonic, as our opcode table has them. */
const UNDECODED = {
  software: ['CLI', 'STI', 'HLT', 'OUT', 'LIDT', 'LTR', 'WRMSR', 'SYSRET', 'IRETQ', 'INVLPG', 'CPUID'],
  hardware: ['MOV', 'STOSW', 'MOVSW', 'CMPXCHG'],
} as const;

function decoder(id: string, names: readonly string[], sentence: string, isOffered: Switch['isOffered']): Switch {
  return {
    id,
    title: 'Instruction that the decoder lacks',
    group: GROUP,
    sentence,
    values: [
      {...NONE, title: 'none: it knows them all'},
      ...names.map(name => ({id: name.toLowerCase(), title: name})),
    ],
    initial: NONE.id,
    isOffered,
    set: (value, settings) => (value === NONE.id ? settings : {...settings, undecoded: value.toUpperCase()}),
  };
}

interface Patient {
  readonly id: string;
  readonly title: string;
  readonly sentence: string;
  readonly wrong: WrongField;
}

/** Each breaks one rule. SDM vol. 3C, "Checks on VMX Controls and Host-State Area" and "Checking and Loading Guest State". */
const PATIENTS: readonly Patient[] = [
  {
    id: 'no-tr',
    title: 'TR is unusable',
    sentence: 'Guest state: there is always a task register.',
    wrong: {field: 'GUEST_TR_ACCESS_RIGHTS', value: 0x1_0000n},
  },
  {
    id: 'rflags-bit-1',
    title: 'RFLAGS bit 1 is clear',
    sentence: 'Guest state: bit 1 of RFLAGS is always 1.',
    wrong: {field: 'GUEST_RFLAGS', value: 0n},
  },
  {
    id: 'link-pointer',
    title: 'The VMCS link pointer is no pointer',
    sentence: 'Guest state: all ones, unless VMCS shadowing is used.',
    wrong: {field: 'VMCS_LINK_POINTER', value: 1n},
  },
  {
    id: 'cs-is-data',
    title: 'CS is a data segment that expands down',
    sentence: 'Guest state: CS must hold code.',
    wrong: {field: 'GUEST_CS_ACCESS_RIGHTS', value: 0x97n},
  },
  {
    id: 'host-rip',
    title: 'HOST_RIP is not canonical',
    sentence: 'Host state: it is checked before anything of the guest is looked at.',
    wrong: {field: 'HOST_RIP', value: 1n << 62n},
  },
  {
    id: 'host-cr4',
    title: 'HOST_CR4 without VMXE',
    sentence: 'Host state: in VMX operation CR4.VMXE is fixed to 1.',
    wrong: {field: 'HOST_CR4', value: 0x20n},
  },
  {
    id: 'pin-controls',
    title: 'Pin-based controls are all 0',
    sentence: 'Controls: the bits of the default1 class must be 1, as IA32_VMX_PINBASED_CTLS says.',
    wrong: {field: 'PIN_BASED_VM_EXECUTION_CONTROLS', value: 0n},
  },
];

const wrongField: Switch = {
  id: 'wrong-field',
  title: 'Wrong field in the VMCS',
  group: GROUP,
  sentence: 'Written right before the first VM entry, which checks every field.',
  values: [
    {...NONE, title: 'none: as KVM writes it'},
    ...PATIENTS.map(({id, title, sentence}) => ({id, title, sentence})),
  ],
  initial: NONE.id,
  isOffered: onVtx,
  set: (value, settings) => {
    const patient = PATIENTS.find(each => each.id === value);
    return patient === undefined ? settings : {...settings, wrongField: patient.wrong};
  },
};

export const FAULT_SWITCHES: readonly Switch[] = [
  duty(
    'write-protection',
    'Guest page tables are write-protected',
    'Without it the guest edits its tables unseen, and the shadow keeps leading to the old pages.',
    onShadow,
    withFault('no-write-protection'),
  ),
  duty(
    'user-bit',
    'The shadow keeps the U/S bit',
    'Without it every page that the kernel has touched is open to ring 3.',
    onShadow,
    withFault('no-user-bit'),
  ),
  duty(
    'invalidation',
    'INVLPG and MOV to CR3 reach the shadow',
    'Without it translations that the guest has given up stay in force.',
    onShadow,
    withFault('no-invalidation'),
  ),
  duty(
    'dirty-tracking',
    'The first write to a page is seen',
    'Without it a page is mapped writable at its first read, and the guest’s Dirty bit is never set.',
    onShadow,
    withFault('no-dirty-tracking'),
  ),
  duty(
    'memory-region',
    'QEMU gives the guest memory',
    'Without KVM_SET_USER_MEMORY_REGION no memory slot covers any address: not even the first instruction can be fetched.',
    onHardware,
    withFault('no-memory-region'),
  ),
  duty(
    'vcpu-registers',
    'QEMU sets the vCPU’s registers',
    'Without KVM_SET_SREGS and KVM_SET_REGS it is as after RESET: CS:RIP is F000:FFF0, 16 bytes below 4 GiB.',
    onHardware,
    withFault('no-registers'),
  ),
  duty(
    'second-shadow',
    'A second shadow for the guest’s users',
    'In 0/3/3 kernel and user share ring 3: with one shadow for both, nothing keeps the user from the kernel’s pages.',
    on('trap-and-emulate'),
    withFault('one-shadow'),
  ),
  duty(
    'retranslation',
    'Writes into translated code are noticed',
    'Without it a guest that changes its own code goes on running the old translation.',
    on('binary-translation'),
    withFault('no-retranslation'),
  ),
  duty(
    'own-return-address',
    'CALL pushes the guest’s own return address',
    'Without it the stack holds an address of the translation cache: the guest sees it, and RET leads nowhere.',
    on('binary-translation'),
    withFault('cache-return-address'),
  ),
  decoder(
    'vmm-decoder',
    UNDECODED.software,
    'What traps has to be carried out in software: a guest that uses an instruction which the VMM does not know is lost.',
    on('trap-and-emulate'),
  ),
  decoder(
    'emulator',
    UNDECODED.hardware,
    'VT-x and SVM do not tell which instruction touched a device’s memory: KVM decodes it, or gives up with KVM_EXIT_INTERNAL_ERROR.',
    onHardware,
  ),
  wrongField,
];
