// The options of `hyperscope run`: one table that is parsed and printed.

import type {Option} from '../terminal/arguments.js';
import {COST_OPTIONS} from './cost-options.js';
import {DEPTH_OPTIONS} from './depth.js';
import {machineNames} from './machines.js';

export const RUN_OPTIONS = {
  on: {
    value: 'TECHNIQUE',
    help: `The machine to run on: ${machineNames()}; or qemu-tcg or qemu-kvm, where QEMU is installed.`,
  },
  as: {
    value: 'KIND',
    help: 'How to load the image: raw, rom (ends at 4 GiB and at 1 MiB), boot, multiboot, elf. Default: the file itself tells.',
  },
  at: {
    value: 'ADDRESS',
    help: 'With --as raw: the guest-physical address of the first byte (default 0), which is where it starts.',
  },
  mode: {
    value: 'MODE',
    help: 'With --as raw: real (default), protected, paged32, long, or xen for a kernel that is ported to Xen.',
  },
  set: {
    value: 'REG=VALUE',
    repeatable: 'repeatable',
    help: 'A register to start with: rip, rsp, rax…, rflags, cs.base, cs.selector. In real mode a base follows from its selector unless it is set too.',
  },
  append: {value: 'TEXT', help: 'Command line for a multiboot kernel.'},
  initrd: {value: 'FILE', help: 'The first multiboot module: what QEMU’s -initrd is for a multiboot kernel.'},
  module: {value: 'FILE', repeatable: 'repeatable', help: 'A multiboot module; may be given several times.'},
  disk: {
    value: 'N:FILE',
    repeatable: 'repeatable',
    help: 'A hard disk behind an IDE controller: 0:FILE and 1:FILE, with --on bare or under a hypervisor of KVM’s kind (vtx-ept, vtx-shadow, svm-npt, svm-shadow); elsewhere the run is refused with status 5. The file is not changed. A booted disk image is disk 0 by itself.',
  },
  memory: {value: 'MIB', help: 'Memory of the guest. Default: what the guest asks for, or 64.'},
  irqchip: {
    value: 'PLACE',
    help: 'Where PIC, APIC and PIT are: kernel (KVM_CREATE_IRQCHIP), or user. Default: what the guest asks for, or user. With --on kvm, user means none.',
  },
  rings: {
    value: 'LAYOUT',
    help: 'With --on trap-and-emulate or control-program: the real rings of VMM, guest kernel and guest user, 0/1/3 or 0/3/3. Default: 0/1/3, and 0/3/3 while the guest is in 64-bit mode, where segment limits cannot hide the VMM from ring 1.',
  },
  user: {
    value: 'NAME=IMAGE',
    repeatable: 'repeatable',
    help: 'With --on control-program: another virtual machine, with a guest or a file of its own: CMS3=cms-count. Up to four in all.',
  },
  share: {
    value: 'NAME=WEIGHT',
    repeatable: 'repeatable',
    help: 'With --on control-program: how much of the processor a virtual machine gets beside the others, 1 (default) to 100: CMS1=3.',
  },
  quantum: {
    value: 'CYCLES',
    help: 'With --on control-program: cycles of a time slice, at least 2000. Default: 50000.',
  },
  'coalesced-mmio': {
    value: 'WHAT',
    help: 'Which writes to video memory KVM, simulated or real, only notes down, for user space to see at its next turn: off, half (the half that the screen does not show; default) or all, as QEMU has it.',
  },
  cpu: {
    value: 'PROFILE,±FEATURE',
    help: 'Processor of a simulated run, with features switched: westmere,+smep,-nx. `--cpu list` shows them, from i386 to modern-intel; +strict makes every sensitive instruction trap outside ring 0.',
  },
  switch: {
    value: 'ID=VALUE',
    repeatable: 'repeatable',
    help: 'A switch of the simulated machine: an execution control, or what its hypervisor is to leave out on purpose (hlt-exiting=off). `--switch list` shows those of --on.',
  },
  ...COST_OPTIONS,
  vendor: {value: 'ID', help: 'The twelve letters of CPUID leaf 0, such as GenuineIntel.'},
  serial: {
    value: 'FILE|-',
    help: 'Where the first serial port goes. Default: standard output (standard error with --json -).',
  },
  'serial-script': {
    value: 'FILE',
    help: 'What to type: lines `wait "text"`, `send "text\\n"` (serial port) and `keys "text\\n"` (keyboard).',
  },
  'stop-serial': {value: 'REGEX', help: 'Stop when the serial output matches.'},
  'capture-port': {
    value: 'PORT=FILE',
    repeatable: 'repeatable',
    help: 'Keep the bytes written to a port: 0xe9=debug.txt.',
  },
  'exit-port': {value: 'PORT', help: "OUT to this port ends the run, as QEMU's isa-debug-exit does (0xf4)."},
  'poweroff-port': {value: 'PORT', help: 'OUT of 0x2000 to this port is power-off (0x604).'},
  'max-instructions': {
    value: 'N',
    help: 'Stop after so many guest instructions; each iteration of a repeated one counts. With --on kvm: after so many exits.',
  },
  timeout: {value: 'SECONDS', help: 'Stop after so much time. Default: never; with --on kvm 60.'},
  'dump-memory': {
    value: 'ADDRESS:LENGTH',
    repeatable: 'repeatable',
    help: 'Put guest-physical memory, as it is at the end, into the result (see --json).',
  },
  record: {value: 'FILE', help: 'Write the record of the run (.hsr): hyperscope show and compare read it.'},
  trace: {value: 'FILE', help: 'Write every event as one line of JSON.'},
  ...DEPTH_OPTIONS,
  json: {value: 'FILE|-', help: 'Write the result as JSON.'},
} as const satisfies Readonly<Record<string, Option>>;

export type RunOptionName = keyof typeof RUN_OPTIONS;
