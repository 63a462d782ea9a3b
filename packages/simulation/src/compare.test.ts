// Comparisons of whole runs. They live here because only a simulation has two runs to compare.

import {describe, expect, test} from 'vitest';
import {Playhead, Recorder, compareRecords} from '@hyperscope/trace';
import type {Comparison, HostFingerprint, RunRecord} from '@hyperscope/trace';
import type {VmExit} from '@hyperscope/vmm';
import {assembleGuest} from '@hyperscope/guests';
import {SimulationHost} from './simulation-host.js';
import {SHIPPED} from './shipped.js';

const host = new SimulationHost(SHIPPED);
const LONG_MODE = {
  id: 'test',
  title: 'test',
  teaches: '',
  loadAddress: 0x8000,
  mode: 'long',
  memoryMiB: 2,
  programs: [],
  expectedSerial: '',
} as const;

/** Runs 64-bit assembly to its HLT. */
function runOf(source: string, technique: string): RunRecord {
  const assembly = assembleGuest({...LONG_MODE, source: `bits 64\norg 0x8000\n${source}`});
  const session = host.open({guest: {...LONG_MODE, bytes: assembly.bytes, lines: assembly.lines}, technique});
  session.run(100_000);
  return session.record;
}

const FINGERPRINT: HostFingerprint = {
  flavour: 'pretended',
  kernel: '',
  vendor: '',
  apiVersion: 12,
  recordedOn: '2026-11-22',
  probes: {},
};

/** The exits of a bare run as a recording of real KVM would have them, with something changed in each state. */
function asKvm(
  bare: RunRecord,
  change: (cells: (name: string, value?: bigint) => bigint) => void,
  host = FINGERPRINT,
): RunRecord {
  const playhead = new Playhead(bare);
  const kept = bare.header.banks.filter(bank => bank.name === 'registers' || bank.name === 'memory');
  const banks = kept.map(bank => ({name: bank.name, bytes: playhead.bank(bank.name)?.slice() ?? new Uint8Array(0)}));
  const recorder = new Recorder(
    {...bare.header, engine: 'kvm', technique: 'kvm', machine: undefined, host, banks: kept},
    banks,
    {compared: ['registers', 'memory']},
  );
  const registers = new BigUint64Array(banks[0]?.bytes.buffer ?? new ArrayBuffer(0));
  const cell = (name: string, value?: bigint): bigint => {
    const index = bare.header.cells.indexOf(name);
    if (value !== undefined) registers[index] = value;
    return registers[index] ?? 0n;
  };
  for (let i = 0; i < bare.events.length; i++) {
    const event = bare.events.at(i);
    const exit: VmExit | undefined =
      event?.kind === 'halt'
        ? {reason: 'hlt'}
        : event?.kind === 'port'
          ? {
              reason: 'io',
              direction: event.direction,
              port: event.port,
              width: event.width,
              count: 1,
              data: Uint8Array.of(event.value),
            }
          : undefined;
    if (exit === undefined) continue;
    recorder.beginStep();
    playhead.seek(bare.events.stepOf(i) + 1);
    for (const bank of banks) bank.bytes.set(playhead.bank(bank.name) ?? []);
    change(cell);
    recorder.hypervisorEvent({kind: 'kvm-exit', exit});
    recorder.endStep({who: 'guest-kernel', kind: 'kvm-exit', rip: 0n, length: 1, cycle: i}, i + 1);
  }
  return recorder.record;
}

const classes = (comparison: Comparison): readonly string[] =>
  comparison.differences.map(each => `${each.what} ${each.class}`);
const unchanged = (): void => undefined;

describe('the same guest on bare metal and on VT-x with EPT', {timeout: 60_000}, () => {
  // A guest that adapts does other things on another machine.
  const underHypervisors = host.guests().filter(({needs, adapts}) => needs === undefined && adapts === undefined);
  test.each(underHypervisors.map(guest => guest.id))(
    '%s: every event matches, and every difference is explained',
    id => {
      const [a, b] = ['vtx-ept', 'bare'].map(technique => {
        const session = host.open({guest: id, technique});
        session.run(1_000_000);
        return session.record;
      });
      if (a === undefined || b === undefined) throw new Error('two runs');
      const comparison = compareRecords(a, b);
      expect(comparison.unexplained).toBe(0);
      expect(comparison.events.every(event => event.a !== undefined && event.b !== undefined)).toBe(true);
      expect(comparison.exits.every(row => row.class === 'no-hypervisor')).toBe(true);
      expect(comparison.a.serial).toBe(comparison.b.serial);
    },
  );
});

describe('against a recording of KVM', {timeout: 60_000}, () => {
  const AND_THEN_OUT = 'mov ebx, 5\nand ebx, 4\nout 0x80, al\nhlt';

  test('nothing differs when nothing was changed', () => {
    const comparison = compareRecords(runOf(AND_THEN_OUT, 'vtx-ept'), asKvm(runOf(AND_THEN_OUT, 'bare'), unchanged));
    expect(classes(comparison)).toEqual([]);
    expect(comparison.exits.filter(row => row.verdict === 'matched').map(row => [row.reason, row.a])).toEqual([
      ['KVM_EXIT_IO', 1],
      ['KVM_EXIT_HLT', 1],
    ]);
    expect(comparison.exits.filter(row => row.verdict !== 'matched').map(row => row.class)).toEqual([
      'kept-inside-kvm',
    ]);
    expect(comparison.unexplained).toBe(0);
  });
  test('a wrong register is unexplained, and told once', () => {
    const real = asKvm(runOf(AND_THEN_OUT, 'bare'), cell => {
      cell('RBX', 7n);
    });
    const comparison = compareRecords(runOf(AND_THEN_OUT, 'vtx-ept'), real);
    expect(classes(comparison)).toEqual(['RBX unexplained']);
    expect(comparison.first).toMatchObject({what: 'RBX', a: '0x4', b: '0x7'});
    expect(comparison.unexplained).toBe(1);
  });
  test('AF after AND is undefined; ZF is not', () => {
    const flip = (bit: bigint) =>
      asKvm(runOf(AND_THEN_OUT, 'bare'), cell => {
        cell('RFLAGS', cell('RFLAGS') ^ bit);
      });
    expect(classes(compareRecords(runOf(AND_THEN_OUT, 'vtx-ept'), flip(0x10n)))).toEqual(['RFLAGS undefined-flags']);
    expect(classes(compareRecords(runOf(AND_THEN_OUT, 'vtx-ept'), flip(0x40n)))).toEqual(['RFLAGS unexplained']);
  });
  test('what was computed from CPUID may differ, also through memory; what was not may not', () => {
    const source =
      'xor eax, eax\ncpuid\nmov [0x9000], ebx\nmov esi, [0x9000]\nadd esi, 1\nmov edi, 3\nxor ebx, ebx\nout 0x80, al\nhlt';
    const real = asKvm(runOf(source, 'bare'), cell => {
      for (const name of ['RAX', 'RSI', 'RDI', 'RBX']) cell(name, cell(name) + 1n);
    });
    expect(classes(compareRecords(runOf(source, 'vtx-ept'), real)).toSorted()).toEqual([
      'RAX cpuid',
      'RBX unexplained',
      'RDI unexplained',
      'RSI cpuid',
    ]);
  });
  test('a known quirk excuses only where the fingerprint shows it, and only what it must', () => {
    const broken = (bare: RunRecord, probes: HostFingerprint['probes']): RunRecord =>
      asKvm(
        bare,
        cell => {
          cell('DS.selector', 0x2bn);
        },
        {...FINGERPRINT, probes},
      );
    const found = (a: RunRecord, b: RunRecord): ReadonlySet<string> => new Set(classes(compareRecords(a, b)));
    const [rings, ringsBare] = ['vtx-ept', 'bare'].map(technique => {
      const session = host.open({guest: 'rings', technique});
      session.run(100_000);
      return session.record;
    });
    if (rings === undefined || ringsBare === undefined) throw new Error('two runs');
    expect(found(rings, broken(ringsBare, {}))).toContain('DS.selector unexplained');
    expect(found(rings, broken(ringsBare, {cpl3_ds_selector: '0'}))).toContain('DS.selector host-quirk');
    // A guest that never reaches ring 3 cannot blame a quirk of ring 3.
    expect(found(runOf(AND_THEN_OUT, 'vtx-ept'), broken(runOf(AND_THEN_OUT, 'bare'), {cpl3_ds_selector: '0'}))).toEqual(
      new Set(['DS.selector unexplained']),
    );
  });
  test('an instruction that the emulator of the host lacks ends the real run, and excuses only what comes behind it', () => {
    const source = 'mov eax, 16\nout 0x80, al\nlar ecx, eax\nout 0x81, al\nhlt';
    const bare = runOf(source, 'bare');
    const lar = [...bare.steps()].findIndex(({rip}) => rip === 0x8007n);
    const stopped = (probes: HostFingerprint['probes'], at: number): RunRecord => {
      const first = asKvm(runOf('mov eax, 16\nout 0x80, al\nhlt', 'bare'), unchanged);
      const playhead = new Playhead(bare);
      playhead.seek(at);
      const banks = first.header.banks.map(({name}) => ({
        name,
        bytes: playhead.bank(name)?.slice() ?? new Uint8Array(0),
      }));
      const recorder = new Recorder({...first.header, host: {...FINGERPRINT, probes}}, banks);
      recorder.beginStep();
      const data = Uint8Array.of(16);
      recorder.hypervisorEvent({
        kind: 'kvm-exit',
        exit: {reason: 'io', direction: 'out', port: 0x80, width: 8, count: 1, data},
      });
      recorder.endStep({who: 'guest-kernel', kind: 'kvm-exit', rip: 0x8005n, length: 2, cycle: 0}, 1);
      recorder.beginStep();
      recorder.hypervisorEvent({
        kind: 'kvm-exit',
        exit: {reason: 'internal-error', suberror: 1, instruction: undefined},
      });
      recorder.endStep({who: 'guest-kernel', kind: 'kvm-exit', rip: 0x8007n, length: 0, cycle: 1}, 2);
      return recorder.record;
    };
    const here = runOf(source, 'vtx-ept');
    expect(compareRecords(here, stopped({cpl0_sse: 'INTERNAL_ERROR'}, lar)).unexplained).toBe(0);
    expect(compareRecords(here, stopped({cpl0_sse: 'ok'}, lar)).unexplained).toBeGreaterThan(0);
    // What differed before the instruction is not the emulator's.
    expect(compareRecords(here, stopped({cpl0_sse: 'INTERNAL_ERROR'}, 0)).unexplained).toBeGreaterThan(0);
  });
  test('what KVM answers inside is compared where it was traced: the leaves of CPUID, in order', () => {
    const source =
      'xor eax, eax\ncpuid\nmov eax, 1\ncpuid\nxor eax, eax\nxor ebx, ebx\nxor ecx, ecx\nxor edx, edx\nhlt';
    const traced = (leaves: readonly number[]): RunRecord => {
      const told = asKvm(runOf(source, 'bare'), unchanged);
      const playhead = new Playhead(told);
      const banks = told.header.banks.map(({name}) => ({
        name,
        bytes: playhead.bank(name)?.slice() ?? new Uint8Array(0),
      }));
      const recorder = new Recorder(told.header, banks);
      recorder.beginStep();
      for (const leaf of leaves)
        recorder.hypervisorEvent({
          kind: 'inside-kvm',
          name: 'kvm_cpuid',
          text: `function 0x${leaf.toString(16)}, index 0x0`,
        });
      recorder.hypervisorEvent({kind: 'inside-kvm', name: 'statistics', text: 'exits 3'});
      playhead.seek(told.length);
      for (const bank of banks) bank.bytes.set(playhead.bank(bank.name) ?? []);
      recorder.hypervisorEvent({kind: 'kvm-exit', exit: {reason: 'hlt'}});
      recorder.endStep({who: 'guest-kernel', kind: 'kvm-exit', rip: 0n, length: 1, cycle: 0}, 1);
      return recorder.record;
    };
    const here = runOf(source, 'vtx-ept');
    const inside = (leaves: readonly number[]) =>
      compareRecords(here, traced(leaves)).differences.filter(({where}) => where === 'inside-kvm');
    expect(inside([0, 1])).toEqual([]);
    expect(inside([0, 0, 1])).toEqual([]); // KVM's emulator looked at the vendor, too
    expect(inside([0, 7])).toMatchObject([{class: 'unexplained', a: 'CPUID leaf 0x1', b: 'CPUID leaf 0x7'}]);
    expect(inside([0])).toMatchObject([{class: 'unexplained', a: 'CPUID leaf 0x1', b: 'nothing'}]);
    expect(compareRecords(traced([0]), here).differences.map(({a, b}) => [a, b])).toContainEqual([
      'nothing',
      'CPUID leaf 0x1',
    ]);
  });
  test('another output is unexplained, and named', () => {
    const comparison = compareRecords(
      runOf('mov al, 1\nout 0x80, al\nhlt', 'vtx-ept'),
      asKvm(runOf('mov al, 2\nout 0x80, al\nhlt', 'bare'), unchanged),
    );
    expect(comparison.differences.filter(each => each.where === 'sequence').map(each => each.what)).toEqual([
      'out 0x01, port 0x80',
      'out 0x02, port 0x80',
    ]);
    expect(comparison.unexplained).toBeGreaterThan(0);
  });
});
