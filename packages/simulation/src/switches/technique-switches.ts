// How a hypervisor does its work, where there is more than one right way.

import {RING_LAYOUTS} from '@hyperscope/vmm';
import {on, onHardware, onVtx} from './switch.js';
import type {Switch} from './switch.js';

const GROUP = 'technique';

const rings: Switch = {
  id: 'rings',
  title: 'Rings of VMM, guest kernel and guest user',
  group: GROUP,
  sentence: 'Where the guest’s kernel goes when the VMM takes ring 0.',
  values: [
    {
      id: 'own',
      title: 'by the guest’s mode',
      sentence: '0/1/3 while segment limits can hide the VMM; 0/3/3 in 64-bit mode, where they are ignored.',
    },
    {
      id: '0/1/3',
      title: '0/1/3',
      sentence: 'The kernel in ring 1, which is supervisor for paging: only segment limits keep it from the VMM.',
    },
    {
      id: '0/3/3',
      title: '0/3/3',
      sentence: 'Kernel and user both in ring 3: two shadow page tables keep the user from the kernel.',
    },
  ],
  initial: 'own',
  isOffered: on('trap-and-emulate', 'control-program'),
  set: (value, settings) => {
    const layout = RING_LAYOUTS.find(each => each === value);
    return layout === undefined ? settings : {...settings, rings: layout};
  },
};

const leafTables: Switch = {
  id: 'leaf-tables',
  title: 'Writes to the guest’s leaf page tables',
  group: GROUP,
  sentence: 'What shadow paging does when the guest edits a page table of level 1.',
  values: [
    {
      id: 'unsync',
      title: 'let through until a flush',
      sentence: 'As in KVM: the table goes out of step, and is brought up to date at INVLPG or MOV to CR3.',
    },
    {
      id: 'trapped',
      title: 'each one trapped',
      sentence: 'As in 2006: the table stays write-protected, and every write to it leaves the guest.',
    },
  ],
  initial: 'unsync',
  isOffered: on('vtx-shadow', 'svm-shadow', 'trap-and-emulate'),
  set: (value, settings) => (value === 'trapped' ? {...settings, leafTables: 'trapped'} : settings),
};

const nestedPage: Switch = {
  id: 'nested-page',
  title: 'Pages of the nested tables',
  group: GROUP,
  sentence: 'By which size EPT or NPT maps the guest’s memory at a first touch.',
  values: [
    {id: '4K', title: '4 KiB', sentence: 'Every page that the guest touches costs one exit, at its own address.'},
    {id: '2M', title: '2 MiB', sentence: 'One exit maps five hundred and twelve pages.'},
  ],
  initial: '4K',
  isOffered: on('vtx-ept', 'svm-npt'),
  set: (value, settings) => (value === '2M' ? {...settings, nestedPage: '2M'} : settings),
};

const coalescedMmio: Switch = {
  id: 'coalesced-mmio',
  title: 'Coalesced writes to video memory',
  group: GROUP,
  sentence: 'Which writes KVM only notes down, for user space to see at its next turn.',
  values: [
    {id: 'half', title: 'the half that no screen shows'},
    {id: 'off', title: 'none', sentence: 'Every write goes to user space by itself.'},
    {id: 'all', title: 'all', sentence: 'As QEMU has it.'},
  ],
  initial: 'half',
  isOffered: onHardware,
  set: (value, settings) => (value === 'off' || value === 'all' ? {...settings, coalescedMmio: value} : settings),
};

const irqchip: Switch = {
  id: 'irqchip',
  title: 'Interrupt controllers',
  group: GROUP,
  sentence: 'Where PIC, APIC and timer are: KVM_CREATE_IRQCHIP puts them into the kernel.',
  values: [
    {id: 'own', title: 'as the guest asks'},
    {id: 'kernel', title: 'in the kernel', sentence: 'KVM itself waits at HLT and delivers the timer’s interrupt.'},
    {id: 'user', title: 'in user space', sentence: 'HLT and every access to a controller rise to QEMU.'},
  ],
  initial: 'own',
  isOffered: onHardware,
  set: (value, settings) => (value === 'kernel' || value === 'user' ? {...settings, irqchip: value} : settings),
};

const INTERRUPTED = [
  {id: 'guest-user', title: 'the guest’s program', sentence: 'Non-root, ring 3: a VM exit.'},
  {
    id: 'guest-kernel',
    title: 'the guest’s kernel',
    sentence: 'Non-root, ring 0: a VM exit, whatever the guest’s IF says.',
  },
  {id: 'hypervisor', title: 'KVM', sentence: 'Root, ring 0: through the host’s IDT. No exit, since no guest runs.'},
  {id: 'vmm', title: 'QEMU', sentence: 'Root, ring 3: through the host’s IDT into ring 0, as with any program.'},
] as const;

const hostInterrupt: Switch = {
  id: 'host-interrupt',
  title: 'An interrupt for the host, while this one runs',
  group: GROUP,
  sentence:
    'A network card of the host’s interrupts once, as soon as the chosen one has the processor after the first VM entry.',
  values: [{id: 'none', title: 'nobody: the card is silent'}, ...INTERRUPTED],
  initial: 'none',
  isOffered: onHardware,
  set: (value, settings) => {
    const found = INTERRUPTED.find(({id}) => id === value);
    return found === undefined ? settings : {...settings, hostInterrupt: found.id};
  },
};

const signal: Switch = {
  id: 'signal',
  title: 'A signal for the vCPU’s thread',
  group: GROUP,
  sentence: 'Whether another thread of QEMU kicks this one (SIG_IPI), which makes KVM_RUN return −EINTR.',
  values: [
    {id: 'none', title: 'none'},
    {
      id: 'first-run',
      title: 'pending at the first KVM_RUN',
      sentence: 'KVM_RUN returns before the guest was entered: there was no VM exit.',
    },
  ],
  initial: 'none',
  isOffered: onHardware,
  set: (value, settings) => (value === 'first-run' ? {...settings, signal: 'first-run'} : settings),
};

/** #DB, which KVM has in the exception bitmap of every guest. */
const DEBUG_EXCEPTION = 1;

const guestDebug: Switch = {
  id: 'guest-debug',
  title: 'KVM_SET_GUEST_DEBUG',
  group: GROUP,
  sentence: 'Whether user space steps the guest, as QEMU does for gdb.',
  values: [
    {id: 'off', title: 'not asked for'},
    {
      id: 'single-step',
      title: 'single-step',
      sentence: 'KVM sets RFLAGS.TF, #DB exits, and KVM_RUN returns with KVM_EXIT_DEBUG after each instruction.',
    },
  ],
  initial: 'off',
  isOffered: onVtx,
  set: (value, settings) =>
    value === 'single-step'
      ? {
          ...settings,
          guestDebug: 'single-step',
          controls: {...settings.controls, exceptions: [...settings.controls.exceptions, DEBUG_EXCEPTION]},
        }
      : settings,
};

export const TECHNIQUE_SWITCHES: readonly Switch[] = [
  rings,
  leafTables,
  nestedPage,
  coalescedMmio,
  irqchip,
  signal,
  guestDebug,
  hostInterrupt,
];
