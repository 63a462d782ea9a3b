// The panels of the inspector in every state.

import {
  AddressBox,
  AddressPath,
  DescriptorTables,
  DeviceList,
  EntryDoctor,
  FaultStory,
  IoctlLoopView,
  KvmRunView,
  MemoryView,
  StatisticsView,
  TlbLookups,
  TlbView,
  TranslationCacheView,
  VirtualCpuView,
} from '../panels/index.js';
import {SAMPLE_INSPECTIONS as SAMPLES} from '../samples/index.js';
import {made, type Stories} from './story.js';

/** As many entries as a full TLB has. */
const spentPage = () => {
  const {page} = SAMPLES['kvm-run'];
  return page === undefined ? undefined : {...page, spent: true};
};

export const FULL_TLB = {
  ...SAMPLES.tlb,
  rows: Array.from({length: 86}, () => SAMPLES.tlb.rows.map(row => ({...row, state: 'fresh' as const}))).flat(),
};

export const PANEL_STORIES: Stories = {
  'memory that is asked for': () => new MemoryView(),
  'memory with a chosen byte': () => made(new MemoryView(), {memory: SAMPLES.memory, selected: 0x8005n}),
  'memory with its writer': () =>
    made(new MemoryView(), {memory: SAMPLES.memory, selected: 0x8005n, writer: SAMPLES.writer}),
  'memory that is not there': () =>
    made(new MemoryView(), {
      memory: {
        ...SAMPLES.memory,
        stretches: [
          {
            offset: 0,
            length: 64,
            gpa: undefined,
            hva: undefined,
            hpa: undefined,
            missing: 'no memory is installed here',
          },
        ],
      },
      selected: 0x8000n,
    }),
  'an address box': () => made(new AddressBox(), {address: 0x8000n}),
  'the way of an address': () => made(new AddressPath(), {content: SAMPLES.walk}),
  'an address that leads nowhere': () =>
    made(new AddressPath(), {
      content: {
        path: SAMPLES.walk.path.slice(0, 2),
        end: 'no memory slot has this address: a device is there, or nobody',
      },
    }),
  'the last refused access': () => made(new FaultStory(), {content: SAMPLES.fault, index: 52}),
  'tables that are asked for': () => new DescriptorTables(),
  'descriptor tables of two owners': () => made(new DescriptorTables(), {content: SAMPLES.descriptors}),
  'a TLB that is asked for': () => new TlbView(),
  'an empty TLB': () => made(new TlbView(), {content: {...SAMPLES.tlb, rows: [], sentence: 'The TLB is empty.'}}),
  'a TLB with a stale entry': () => made(new TlbView(), {content: SAMPLES.tlb}),
  'lookups that are counted': () => made(new TlbLookups(), {most: 4096}),
  'lookups of a step': () => made(new TlbLookups(), {content: SAMPLES.lookups, most: 4096}),
  'lookups of many steps': () =>
    made(new TlbLookups(), {
      content: {
        ...SAMPLES.lookups,
        steps: 4096,
        rows: [],
        hits: {execute: 4078, read: 1034, write: 310},
        walks: {execute: 12, read: 7, write: 5},
        sentence:
          'The last 4096 steps needed 5446 translations: the TLB answered 5422 (99.6 %), tables were walked for 24.',
      },
      most: 4096,
    }),
  'no lookups in a file': () =>
    made(new TlbLookups(), {why: 'A recording has no machine to run steps again.', most: 9}),
  'devices that are asked for': () => new DeviceList(),
  'no devices': () => made(new DeviceList(), {devices: []}),
  'devices of which one changed': () => made(new DeviceList(), {devices: SAMPLES.devices}),
  'kvm_run that is asked for': () => new KvmRunView(),
  'kvm_run after an exit': () => made(new KvmRunView(), {content: SAMPLES['kvm-run']}),
  'kvm_run that is spent': () => made(new KvmRunView(), {content: {...SAMPLES['kvm-run'], page: spentPage()}}),
  'kvm_run that has not come back': () => made(new KvmRunView(), {content: {...SAMPLES['kvm-run'], page: undefined}}),
  'ioctls that a recording does not tell': () => new IoctlLoopView(),
  'ioctls on three files': () => made(new IoctlLoopView(), {loop: SAMPLES['kvm-run'].loop}),
  'statistics that are counted': () => new StatisticsView(),
  statistics: () => made(new StatisticsView(), {content: SAMPLES.statistics}),
  'a virtual CPU that is asked for': () => new VirtualCpuView(),
  'a virtual CPU beside the real one': () => made(new VirtualCpuView(), {content: SAMPLES.vcpu}),
  'a translation cache that is asked for': () => new TranslationCacheView(),
  'an empty translation cache': () =>
    made(new TranslationCacheView(), {content: {...SAMPLES.translation, fragments: [], block: undefined}}),
  'a translation cache': () => made(new TranslationCacheView(), {content: SAMPLES.translation}),
  'a doctor at work': () => new EntryDoctor(),
  'a refused entry': () => made(new EntryDoctor(), {content: SAMPLES['entry-checks']}),
};
