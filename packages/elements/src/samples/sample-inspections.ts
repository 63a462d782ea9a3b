// What each panel of the inspector shows at a moment of the scripted run, in small: for stories and tests of the elements.

import type {InspectionContents} from '@hyperscope/trace';
import {SAMPLE_SHADOW} from './sample-shadow.js';
import {SAMPLE_TRANSLATION} from './sample-translation.js';
import {SAMPLE_WALK} from './sample-walk.js';

const bytes = (text: string): Uint8Array => Uint8Array.from(text, character => character.charCodeAt(0) & 0xff);
const raw = (...values: readonly number[]): Uint8Array => Uint8Array.from(values);

const GDT_ENTRY = {present: true, dpl: 0, target: undefined, ist: undefined, changed: false} as const;

export const SAMPLE_INSPECTIONS: InspectionContents = {
  memory: {
    space: 'gva',
    address: 0x8000n,
    bytes: bytes('\x66\xba\xf8\x03\xb0Hello from ring 0\n\0\0\0\0\0\0\0\0\0\0'.padEnd(64, '\0')),
    stretches: [
      {offset: 0, length: 48, gpa: 0x8000, hva: 0x7ffe_0000_8000n, hpa: 0x100_8000, missing: undefined},
      {
        offset: 48,
        length: 16,
        gpa: undefined,
        hva: undefined,
        hpa: undefined,
        missing: 'the guest’s page tables map nothing here',
      },
    ],
    changed: [5, 6],
    rewritten: [7],
    marks: [{offset: 4, length: 1, label: 'RIP'}],
  },
  writer: {
    space: 'gva',
    address: 0x8005n,
    step: {index: 3, who: 'guest-kernel', kind: 'instruction', rip: 0x8000n, length: 4, cycle: 10},
    before: 0,
    after: 0x48,
    sentence: 'Step 4, the guest kernel, mov byte [0x8005], 0x48, wrote it: 0x00 became 0x48.',
  },
  walk: {
    walk: SAMPLE_WALK,
    path: [
      {space: 'gva', address: SAMPLE_WALK.linear, by: ''},
      {space: 'gpa', address: 0x8000n, by: 'the guest’s page tables'},
      {space: 'hva', address: 0x7ffe_0000_8000n, by: 'memory slot 0'},
      {space: 'hpa', address: 0x100_8000n, by: 'the host’s page tables'},
    ],
    end: undefined,
    sentences: [
      'A fetch of 0x8000 is guest-physical 0x8000 by the guest’s tables and host-physical 0x1008000 by EPT; 24 table entries are read.',
    ],
    guestPhysical: 0x8000,
    hostPhysical: 0x100_8000,
    shadow: SAMPLE_SHADOW,
  },
  descriptors: {
    sets: [
      {
        owner: 'guest',
        title: 'The guest’s own',
        tables: [
          {
            name: 'GDT',
            base: 0xa000n,
            limit: 39,
            empty: 1,
            cut: 0,
            fields: [],
            why: undefined,
            entries: [
              {
                ...GDT_ENTRY,
                index: 1,
                bytes: raw(0xff, 0xff, 0, 0, 0, 0x9b, 0xaf, 0),
                type: 'code, readable, 64-bit',
                base: 0n,
                limit: 0xffff_ffffn,
                marks: ['CS'],
              },
              {
                ...GDT_ENTRY,
                index: 3,
                bytes: raw(0x67, 0, 0x84, 0xa2, 0, 0x8b, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
                type: 'busy 64-bit TSS',
                base: 0xa284n,
                limit: 0x67n,
                marks: ['TR'],
                changed: true,
              },
            ],
          },
          {
            name: 'IDT',
            base: 0xa058n,
            limit: 0xfff,
            empty: 242,
            cut: 0,
            fields: [],
            why: undefined,
            entries: [
              {
                ...GDT_ENTRY,
                index: 14,
                bytes: raw(0x62, 0x80, 0x10, 0, 1, 0x8e, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
                type: '64-bit interrupt gate',
                base: undefined,
                limit: undefined,
                target: {selector: 0x10, offset: 0x8062n},
                ist: 1,
                marks: ['#PF page fault'],
              },
            ],
          },
          {
            name: 'TSS',
            base: 0xa284n,
            limit: 0x67,
            empty: 0,
            cut: 0,
            entries: [],
            why: undefined,
            fields: [
              {name: 'RSP0', value: 0x9000n, address: true, changed: false},
              {name: 'I/O map base', value: 0x68n, address: false, changed: false},
            ],
          },
        ],
      },
      {
        owner: 'processor',
        title: 'The VMM’s, which the processor uses',
        tables: [
          {
            name: 'GDT',
            base: 0xffe2_0000n,
            limit: 0xffff,
            empty: 0,
            cut: 0,
            entries: [],
            fields: [],
            why: 'No memory is mapped where its register points.',
          },
        ],
      },
    ],
  },
  fault: {
    linear: 0x8000n,
    sentences: [
      {
        step: 51,
        text: 'The guest kernel: the fetch from GVA 0x8000 was refused. Read 9, the EPT PT entry for GPA 0x1fa000, where the guest’s PDPT lies, is 0x0, not present.',
      },
      {step: 51, text: 'The processor left the guest: EPT violation (48).'},
      {
        step: 55,
        text: 'KVM answered: first touch of a 4 KiB page of RAM: KVM maps it and the guest repeats the access.',
      },
    ],
  },
  lookups: {
    from: 41,
    steps: 1,
    hits: {execute: 1, read: 0, write: 0},
    walks: {execute: 0, read: 0, write: 1},
    rows: [
      {linear: 0x800an, access: 'execute', answer: 'hit'},
      {linear: 0x9000n, access: 'write', answer: 'walk'},
    ],
    sentence: 'The last step needed 2 translations: the TLB answered 1, tables were walked for 1.',
  },
  tlb: {
    identifierName: 'VPID',
    capacity: 256,
    sentence: '3 of 256 places are taken; the processor can use 2 of them now. One is stale.',
    rows: [
      {
        linear: 0x8000n,
        space: 'gva',
        whose: 'VPID 1',
        physical: 0x100_8000,
        pageBits: 21,
        rights: ['writable', 'dirty'],
        identifier: 1,
        root: 0x10_0000,
        pcid: undefined,
        global: false,
        current: true,
        state: 'fresh',
        why: 'A walk of the tables gives the same now.',
        changedAt: undefined,
      },
      {
        linear: 0x4000_0000n,
        space: 'gva',
        whose: 'VPID 1',
        physical: 0x101_0000,
        pageBits: 12,
        rights: ['user', 'writable'],
        identifier: 1,
        root: 0x10_0000,
        pcid: 3,
        global: true,
        current: true,
        state: 'stale',
        why: 'The page is not writable any more, in the TLB it still is. Step 4, guest kernel, and qword [rax], -3, changed the PT entry at GPA 0x5000: 0x10003 became 0x10001. In the 2 steps since then there was no INVLPG for this page (a load of CR3 would leave it: the page is global), or the entry would be gone. Until there is, the processor may use what it remembers, and that is legal.',
        changedAt: 3,
      },
      {
        linear: 0xffff_8880_0000_1000n,
        space: 'hva',
        whose: 'host',
        physical: 0x1000,
        pageBits: 30,
        rights: [],
        identifier: 0,
        root: undefined,
        pcid: undefined,
        global: false,
        current: false,
        state: 'unchecked',
        why: 'The tables it was read from are not in use now: no register names them.',
        changedAt: undefined,
      },
    ],
  },
  devices: [
    {
      name: 'pic',
      title: 'Interrupt controllers (two 8259A)',
      place: 'ports 20h, 21h, a0h, a1h',
      size: 32,
      changed: true,
      rows: [
        {name: 'first: IMR', value: '0xfe', meaning: 'let through: IRQ 0 timer', changed: true, was: '0xff'},
        {name: 'first: IRR', value: '0x00', meaning: 'requested: none', changed: false, was: undefined},
      ],
    },
    {
      name: 'exit-port',
      title: 'Exit port',
      place: '',
      size: 8,
      changed: false,
      rows: [
        {
          name: 'state',
          value: '00 00 00 00 00 00 00 00',
          meaning: '8 bytes, as they lie in the record',
          changed: false,
          was: undefined,
        },
      ],
    },
  ],
  'kvm-run': {
    loop: {
      files: [
        {
          level: 'system',
          name: '/dev/kvm',
          madeBy: undefined,
          isThere: true,
          calls: [{name: 'KVM_CREATE_VM', count: 1, last: 1, isUnderWay: false}],
        },
        {
          level: 'VM',
          name: 'anon_inode:kvm-vm',
          madeBy: 'KVM_CREATE_VM',
          isThere: true,
          calls: [
            {name: 'KVM_SET_USER_MEMORY_REGION', count: 2, last: 2, isUnderWay: false},
            {name: 'KVM_CREATE_VCPU', count: 1, last: 3, isUnderWay: false},
          ],
        },
        {
          level: 'vCPU',
          name: 'anon_inode:kvm-vcpu:0',
          madeBy: 'KVM_CREATE_VCPU',
          isThere: true,
          calls: [{name: 'KVM_RUN', count: 3, last: 5, isUnderWay: true}],
        },
      ],
      answered: {kvm: 5, userSpace: 2},
    },
    page: {
      at: {hva: 0x7fff_f7ff_a000n, hpa: 0x7000},
      step: 6,
      reason: 'KVM_EXIT_IO',
      spent: false,
      sentence: 'KVM_EXIT_IO: out 0x48, port 0x3f8 (the first serial port), 1 × 8 bits.',
      rows: [
        {offset: 8, size: 4, name: 'exit_reason', value: '2', meaning: 'KVM_EXIT_IO', from: 'exit'},
        {offset: 13, size: 1, name: 'if_flag', value: '0', meaning: 'the guest’s RFLAGS.IF', from: 'guest state'},
        {offset: 34, size: 2, name: 'io.port', value: '0x3f8', meaning: 'the first serial port', from: 'exit'},
        {offset: 40, size: 8, name: 'io.data_offset', value: '0x1000', meaning: 'where the bytes lie', from: 'layout'},
      ],
    },
  },
  statistics: {
    steps: 22,
    cycles: 13_000,
    actors: [
      {who: 'guest-kernel', steps: 8, instructions: 8, cycles: 900},
      {who: 'hypervisor', steps: 10, instructions: 0, cycles: 8100},
      {who: 'vmm', steps: 4, instructions: 0, cycles: 4000},
    ],
    exits: [
      {reason: 'I/O instruction', count: 2, answered: 2, cycles: 11_200, least: 5400, most: 5800},
      {reason: 'HLT', count: 1, answered: 0, cycles: 0, least: 0, most: 0},
    ],
    groups: [
      {
        title: 'Address translation',
        counters: [{name: 'page walks', value: 5, meaning: 'accesses that the TLB could not answer'}],
      },
    ],
  },
  vcpu: {
    holder: 'The processor holds',
    sentence: '2 of 3 are not what the guest believes.',
    rows: [
      {
        register: 'CPL',
        guest: 0n,
        processor: 1n,
        difference: [],
        differs: true,
        why: 'ring compression',
        changed: false,
      },
      {
        register: 'CR0',
        guest: 0x11n,
        processor: 0x8001_0011n,
        difference: ['+WP', '+PG'],
        differs: true,
        why: 'paging and write protection are the VMM’s',
        changed: true,
      },
      {register: 'EFER', guest: 0x500n, processor: 0x500n, difference: [], differs: false, why: '', changed: false},
    ],
  },
  translation: SAMPLE_TRANSLATION,
  'entry-checks': {
    how: 'VMLAUNCH',
    verdict: 'refused',
    sentence: 'VMLAUNCH would be refused: 1 of 161 checks does not hold.',
    groups: [
      {title: 'Host state', made: 29, failed: []},
      {
        title: 'Guest state',
        made: 97,
        failed: [
          {
            rule: 'bit 1 of RFLAGS is 1',
            values: [['GUEST_RFLAGS', '0x0']],
            source: 'SDM vol. 3C, "Checks on Guest RIP, RFLAGS, and SSP"',
            cause: 'RFLAGS was left 0: write 2.',
          },
        ],
      },
    ],
  },
};
