import {describe, expect, test} from 'vitest';
import {gpa, hpa} from '@hyperscope/base';
import {walkPageTables} from '@hyperscope/machine';
import type {PagingRules, Translation} from '@hyperscope/machine';
import {
  COALESCED_MMIO_PAGE,
  GUEST_RAM,
  HOST_PAGE_TABLES,
  KVM_RUN_PAGE,
  KVM_RUN_WINDOW,
  PIO_DATA_PAGE,
} from '../host/host-layout.js';
import {TEST_PORTS, realModeImage, runToEnd} from '../testing/run-guest.js';
import {HypervisorRun} from './hypervisor-run.js';
import {hvaOf, notedMemorySlots} from './memory-slots.js';
import {vtxEpt} from './vmx/vtx-ept.js';

const MEMORY = 0x30_0000;
const ROM = 0xffff_0000;
const HLT = 0xf4;
const PAGE = 4096;

function start(nestedPage: '4K' | '2M'): HypervisorRun {
  const image = realModeImage([HLT]);
  const rom = {gpa: gpa(ROM), bytes: new Uint8Array(0x1_0000).fill(HLT)};
  return new HypervisorRun(
    {
      image: {...image, memoryBytes: MEMORY, segments: [...image.segments, rom]},
      ports: TEST_PORTS,
      profile: undefined,
      costModel: undefined,
      nestedPage,
    },
    vtxEpt(),
  );
}

/** The processor's own walk of the host's tables, as a write of QEMU's would have it. */
function hostTranslation(run: HypervisorRun, linear: bigint): Translation {
  const {memory} = run.machine;
  const rules: PagingRules = {
    mode: '4-level',
    cr3: BigInt(HOST_PAGE_TABLES),
    physicalAddressBits: 39,
    gigabytePages: false,
    pse36: true,
    noExecute: true,
    writeProtect: true,
    pageSizeExtensions: true,
    globalPages: true,
    smep: false,
    smap: false,
    alignmentFlag: false,
    pointers: undefined,
  };
  const tables = {
    read: (at: number, bytes: 4 | 8): bigint => memory.read(hpa(at), bytes),
    write: (): undefined => undefined,
  };
  const found = walkPageTables(linear, 'write', 'user', rules, tables, []);
  if (found.kind !== 'translation') throw new Error(`HVA ${linear.toString(16)} is not mapped for QEMU`);
  return found;
}

describe.each(['4K', '2M'] as const)('the host maps guest RAM by pages of %s', nestedPage => {
  const run = start(nestedPage);
  const {slots} = run.host;

  test('every page of every slot lies where its host-virtual address leads', () => {
    expect(slots.map(slot => slot.access)).toEqual(['read-write', 'read-write', 'read-only']);
    for (const slot of slots) {
      for (let at = slot.gpa; at < slot.gpa + slot.bytes; at += PAGE)
        expect(hostTranslation(run, hvaOf(slot, at)).address).toBe(run.host.guestToHost(at));
    }
  });

  test('no page is larger than those by which KVM maps it, and none can be executed', () => {
    const translations = slots.slice(0, 1).map(slot => hostTranslation(run, hvaOf(slot, 0x1000)));
    expect(translations[0]).toMatchObject({pageBits: nestedPage === '4K' ? 12 : 21, noExecute: true, user: true});
  });
});

test('kvm_run and its two other pages are mapped one behind the other', () => {
  const run = start('4K');
  const pages = [0n, 1n, 2n].map(page => hostTranslation(run, KVM_RUN_WINDOW + page * 4096n).address);
  expect(pages).toEqual([KVM_RUN_PAGE, PIO_DATA_PAGE, COALESCED_MMIO_PAGE]);
});

test('KVM knows of slots from the ioctl on, by host-virtual addresses', () => {
  const run = start('4K');
  expect(notedMemorySlots(run.machine.memory.bytes)).toEqual([]);
  runToEnd(run);
  expect(notedMemorySlots(run.machine.memory.bytes)).toEqual(
    run.host.slots.map(({gpa, bytes, hva, access}) => ({gpa, bytes, hva, access})),
  );
  expect(run.host.slots[0]?.host).toBe(GUEST_RAM);
});
