// What the panels are told is what the machine has: bytes, tables, translations and counters are held against other ways to know
// them, and a record played from a file tells the same as the machine that made it.

import {assertExists} from '@hyperscope/base';
import {vmcbField, vmcsSlot} from '@hyperscope/isa';
import {readRecord, writeRecord} from '@hyperscope/trace';
import type {Inspection, InspectionContents, InspectionPanel, InspectionRequest} from '@hyperscope/trace';
import {describe, expect, test} from 'vitest';
import {SimulationHost} from '../../simulation-host.js';
import {PlaybackSession} from '../playback-session.js';
import type {Session} from '../session.js';
import {SHIPPED} from '../../shipped.js';

const host = new SimulationHost(SHIPPED);
/** What a panel shows. */
async function shown<P extends InspectionPanel>(
  session: Pick<Session, 'inspect'>,
  request: InspectionRequest & {readonly panel: P},
): Promise<InspectionContents[P]> {
  const told: Inspection = await session.inspect(request);
  if (!isShown(told, request.panel)) throw new Error(told.content === undefined ? told.why : told.panel);
  return told.content;
}
const isShown = <P extends InspectionPanel>(
  told: Inspection,
  panel: P,
): told is Inspection & {readonly panel: P; readonly content: InspectionContents[P]} =>
  told.panel === panel && told.content !== undefined;

/** Runs that only differ in where their playhead is moved are made once. */
const made = new Map<string, Session>();
function recorded(guest: string, technique: string, steps = 12_000): Session {
  const key = `${guest} on ${technique}, ${steps} steps`;
  const session = made.get(key) ?? host.open({guest, technique});
  if (!made.has(key)) session.run(steps);
  made.set(key, session);
  session.seek(session.record.length);
  return session;
}

const HIDDEN_WRITE = `bits 64
org 0x8000
  mov rax, cr3
  mov rax, [rax]
  and rax, ~0xfff
  mov rax, [rax]
  and rax, ~0xfff
  and qword [rax], ~2     ; the first 2 MiB are read-only from now on: nobody tells the TLB
  nop
  and qword [rax], ~2     ; written again, and nothing changes
  mov rbx, cr3
  mov cr3, rbx
  cli
  hlt
`;

/** The session, and the step that writes the table: the one before NOP. */
function hiddenWrite(): {readonly session: Session; readonly writer: number} {
  const session = host.open({technique: 'bare', guest: {of: 'hello-kvm', source: HIDDEN_WRITE}});
  session.run(20);
  const isBeforeNop = (index: number): boolean => session.record.step(index + 1)?.length === 1;
  const step = [...session.record.steps()].find(({index}) => isBeforeNop(index));
  return {session, writer: assertExists(step, 'the step before NOP').index};
}

describe('the TLB', () => {
  test('an entry whose table was changed is stale until CR3 is loaded, and names the step', async () => {
    const {session, writer} = hiddenWrite();
    session.seek(writer);
    expect((await shown(session, {panel: 'tlb'})).rows.map(row => row.state)).not.toContain('stale');
    session.seek(writer + 1);
    const stale = (await shown(session, {panel: 'tlb'})).rows.filter(row => row.state === 'stale');
    expect(stale.map(row => row.linear)).toContain(0x8000n);
    expect(stale[0]).toMatchObject({changedAt: writer});
    expect(stale[0]?.why).toContain('not writable any more');
    expect(stale[0]?.why).toMatch(
      new RegExp(
        `Step ${writer + 1}, the guest kernel, and .* changed the PD entry at HPA 0x\\w+: 0x\\w+3 became 0x\\w+1`,
      ),
    );
    expect(stale[0]?.why).toContain('Since then there was no INVLPG for this page and no load of CR3');
    session.seek(writer + 3);
    const later = (await shown(session, {panel: 'tlb'})).rows.find(row => row.state === 'stale');
    expect(later).toMatchObject({changedAt: writer});
    expect(later?.why).toContain('In the 2 steps since then');
    session.seek(writer + 5);
    expect((await shown(session, {panel: 'tlb'})).rows.filter(row => row.state === 'stale')).toEqual([]);
  });

  test.each(['bare', 'vtx-ept', 'vtx-shadow', 'svm-npt', 'trap-and-emulate'])(
    'on %s the entries are those that the machine itself would use',
    async technique => {
      const session = recorded('mini-os', technique);
      session.seek(session.record.length);
      const {rows} = await shown(session, {panel: 'tlb'});
      const known = session.driver.run.machine.tlb.entries().map(entry => entry.linearPage);
      const told = rows.filter(row => row.current).map(row => Number(BigInt.asUintN(64, row.linear) >> 12n));
      expect(told.toSorted((a, b) => a - b)).toEqual(known.toSorted((a, b) => a - b));
      expect(rows.filter(row => row.state === 'fresh').length).toBeGreaterThan(0);
    },
  );
});

describe('a walk of any address', () => {
  test.each(['bare', 'vtx-ept', 'svm-npt', 'vtx-shadow'])(
    'on %s it reads what the processor has just read for the same address',
    async technique => {
      const session = recorded('mini-os', technique);
      const walks = [...session.record.events.allOf('page-walk')].filter(({event}) => event.outcome === 'mapped');
      const {step, event} = assertExists(walks.at(-1), 'a walk');
      session.seek(step);
      const looked = (await shown(session, {panel: 'walk', space: 'gva', address: event.linear, access: event.access}))
        .walk;
      expect(looked.outcome).toBe('mapped');
      expect(looked.references.map(({table, level, address}) => ({table, level, address}))).toEqual(
        event.references.map(({table, level, address}) => ({table, level, address})),
      );
    },
  );

  test('an address that the guest’s tables do not have ends in the guest’s own fault', async () => {
    const session = recorded('mini-os', 'vtx-ept');
    const content = await shown(session, {panel: 'walk', space: 'gva', address: 0x7000_0000_0000n, access: 'read'});
    expect(content.walk.outcome).toBe('page-fault');
    expect(content.sentences.join(' ')).toContain('delivered inside the guest');
  });
});

describe('the way of an address through its spaces', () => {
  test.each(['vtx-ept', 'vtx-shadow', 'svm-npt', 'svm-shadow'])(
    'on %s the memory slot and the host’s tables lead where the processor’s tables lead',
    async technique => {
      const session = recorded('hello-kvm', technique);
      const {step} = assertExists([...session.record.events.allOf('vm-exit')].at(-2), 'an exit');
      session.seek(step);
      const address = assertExists(session.moment().next, 'an instruction').rip;
      const {path, end, hostPhysical} = await shown(session, {panel: 'walk', space: 'gva', address, access: 'execute'});
      expect(path.map(station => station.space)).toEqual(['gva', 'gpa', 'hva', 'hpa']);
      expect(path.at(-1)?.address).toBe(BigInt(assertExists(hostPhysical, 'a mapped address')));
      expect(end).toBeUndefined();
      const at = assertExists(path[2], 'its HVA').address;
      const host = await shown(session, {panel: 'walk', space: 'hva', address: at, access: 'read'});
      expect(host.hostPhysical).toBe(hostPhysical);
      const bytes = async (space: 'gva' | 'hva', from: bigint): Promise<Uint8Array> =>
        (await shown(session, {panel: 'memory', space, address: from, length: 32})).bytes;
      expect(await bytes('hva', at)).toEqual(await bytes('gva', address));
    },
  );

  test('before KVM_SET_USER_MEMORY_REGION KVM knows of no slot', async () => {
    const session = recorded('hello-kvm', 'vtx-ept');
    session.seek(0);
    const told = await session.inspect({panel: 'memory', space: 'gpa', address: 0x8000n, length: 8});
    expect(told).toMatchObject({content: {stretches: [{hva: 0x7ffe_0000_8000n, hpa: 0x100_8000}]}});
    const walk = await shown(session, {panel: 'walk', space: 'gva', address: 0x8000n, access: 'read'});
    expect(walk.end).toContain('not been told of any memory slot');
  });

  test.each([
    ['bare', ['gva', 'hpa'], 'no host under this guest'],
    ['trap-and-emulate', ['gva', 'gpa', 'hpa'], 'no process of a host'],
    ['binary-translation', ['gva', 'gpa', 'hpa'], 'no process of a host'],
  ])('on %s nothing is host-virtual', async (technique, spaces, why) => {
    const session = recorded('hello-kvm', technique);
    const {path} = await shown(session, {panel: 'walk', space: 'gva', address: 0x8000n, access: 'read'});
    expect(path.map(station => station.space)).toEqual(spaces);
    expect(await session.inspect({panel: 'memory', space: 'hva', address: 0n, length: 8})).toMatchObject({
      content: undefined,
      why: expect.stringContaining(why),
    });
  });
});

describe('memory', () => {
  test('a stored byte is marked as changed, and its writer is the step that stored it', async () => {
    const {session, writer: wanted} = hiddenWrite();
    session.seek(wanted + 2);
    const {walk} = await shown(session, {panel: 'walk', space: 'gva', address: 0x8000n, access: 'read'});
    const address = BigInt(assertExists(walk.references.at(-1), 'the entry').address);
    const writer = await shown(session, {panel: 'writer', space: 'gpa', address});
    expect(writer.step?.index).toBe(wanted);
    expect(writer.sentence).toContain(`Step ${wanted + 1}, the guest kernel, and qword [rax], `);
    const memory = async (): Promise<InspectionContents['memory']> =>
      shown(session, {panel: 'memory', space: 'gpa', address, length: 16});
    expect((await memory()).changed).toEqual([]);
    session.seek(wanted + 1);
    expect((await memory()).changed).toEqual([0]);
    expect((await memory()).bytes[0]).toBe(writer.after);
    session.seek(wanted);
    expect((await memory()).bytes[0]).toBe(writer.before);
    session.seek(wanted + 3);
    expect(await memory()).toMatchObject({changed: [], rewritten: [0, 1, 2, 3, 4, 5, 6, 7]});
  });

  test('where nothing is mapped it says so, page by page', async () => {
    const session = recorded('rings', 'bare');
    const {stretches} = await shown(session, {panel: 'memory', space: 'gva', address: 0x1f_fff8n, length: 16});
    expect(stretches.map(({length}) => length)).toEqual([8, 8]);
    expect(stretches[0]?.missing).toBeUndefined();
    expect(stretches[1]?.missing).toContain('no memory of the guest’s is here');
  });
});

test('descriptors are decoded, and the registers that were loaded from them named', async () => {
  const session = recorded('rings', 'bare');
  const {sets} = await shown(session, {panel: 'descriptors'});
  const [gdt, idt, tss] = assertExists(sets[0], 'the processor’s own').tables;
  const code = gdt?.entries.find(entry => entry.marks.includes('CS'));
  expect(code).toMatchObject({type: 'code, readable, 64-bit', present: true, limit: 0xffff_ffffn});
  expect(gdt?.entries.find(entry => entry.marks.includes('TR'))?.type).toBe('busy 64-bit TSS');
  expect(idt?.entries.map(entry => [entry.index, entry.type, entry.target?.selector])).toEqual([
    [13, '64-bit interrupt gate', 0x10],
  ]);
  expect(tss?.fields.find(field => field.name === 'RSP0')?.value).toBeGreaterThan(0n);
});

describe('without hardware there are two of everything', () => {
  const session = recorded('mini-os', 'trap-and-emulate');
  const inGuest = assertExists(
    [...session.record.steps()].findLast(step => step.who === 'guest-kernel'),
    'a step of the guest’s kernel',
  ).index;

  test('the shadow GDT pushes the guest’s kernel segments out of ring 0', async () => {
    session.seek(inGuest);
    const {sets} = await shown(session, {panel: 'descriptors'});
    expect(sets.map(({owner}) => owner)).toEqual(['guest', 'processor']);
    const [own, shadow] = sets.map(set => set.tables.find(table => table.name === 'GDT'));
    const code = assertExists(
      own?.entries.find(entry => entry.marks.includes('CS')),
      'the guest’s CS',
    );
    expect(code.dpl).toBe(0);
    expect(shadow?.entries.find(entry => entry.index === code.index)?.dpl).toBe(3);
  });

  test('the virtual CPU differs from the processor where the VMM wants it to', async () => {
    session.seek(inGuest);
    const {rows} = await shown(session, {panel: 'vcpu'});
    const row = (name: string): (typeof rows)[number] | undefined => rows.find(each => each.register === name);
    expect(row('CPL')).toMatchObject({guest: 0n, processor: 3n, differs: true});
    expect(row('CR3')?.differs).toBe(true);
    expect(row('IDTR')?.why).not.toBe('');
  });
});

test('the interrupt controller is told as the guest has set it up, and the step that set it is marked', async () => {
  const session = recorded('mini-os', 'bare');
  const write = [...session.record.events.allOf('port')].findLast(
    ({event}) => event.port === 0x21 && event.direction === 'out',
  );
  const {step} = assertExists(write, 'a write of the mask');
  session.seek(step + 1);
  const pic = (await shown(session, {panel: 'devices'})).find(device => device.name === 'pic');
  expect(pic?.changed).toBe(true);
  expect(pic?.rows.find(row => row.name === 'first: vectors')?.meaning).toContain('vectors 32 to 39');
  expect(pic?.rows.filter(row => row.changed).map(row => row.name)).toContain('first: IMR');
});

test('kvm_run is laid out as KVM leaves it, and is spent when the guest has been entered again', async () => {
  const session = recorded('hello-kvm', 'vtx-ept');
  const out = [...session.record.events.allOf('kvm-exit')].find(({event}) => event.exit.reason === 'io');
  const {step} = assertExists(out, 'KVM_EXIT_IO');
  session.seek(step + 1);
  const content = assertExists((await shown(session, {panel: 'kvm-run'})).page, 'a page');
  expect(content.spent).toBe(false);
  const at = assertExists(content.at, 'where it lies');
  const page = await shown(session, {panel: 'memory', space: 'hva', address: at.hva + 8n, length: 4});
  expect(page.bytes).toEqual(Uint8Array.of(2, 0, 0, 0));
  const field = (name: string): unknown => content.rows.find(row => row.name === name);
  expect(field('exit_reason')).toMatchObject({offset: 8, size: 4, value: '2'});
  expect(field('io.port')).toMatchObject({offset: 34, size: 2, value: '0x3f8'});
  session.seek(session.record.length);
  expect(await session.inspect({panel: 'kvm-run'})).toMatchObject({
    content: {page: {reason: expect.stringContaining('KVM_EXIT')}},
  });
});

test('each ioctl stands on the file on which it is called, and who answered the exits is counted', async () => {
  const session = recorded('mini-os', 'vtx-ept');
  const {events} = session.record;
  session.seek(0);
  const loopHere = async () => assertExists((await shown(session, {panel: 'kvm-run'})).loop, 'a loop');
  expect((await loopHere()).files.map(file => [file.level, file.isThere, file.calls])).toEqual([
    ['system', true, []],
    ['VM', false, []],
    ['vCPU', false, []],
  ]);
  session.seek(session.record.length);
  const {files, answered = {kvm: 0, userSpace: 0}} = await loopHere();
  const on = (level: string): readonly string[] =>
    files.find(file => file.level === level)?.calls.map(({name}) => name) ?? [];
  expect(on('system')).toEqual(['KVM_CREATE_VM']);
  expect(on('VM')).toContain('KVM_SET_USER_MEMORY_REGION');
  expect(on('vCPU')).toEqual(['KVM_SET_SREGS', 'KVM_SET_REGS', 'KVM_RUN']);
  const calls = [...events.allOf('ioctl')].filter(({event}) => event.direction === 'call');
  expect(files.flatMap(file => file.calls).reduce((sum, {count}) => sum + count, 0)).toBe(calls.length);
  expect(answered.kvm + answered.userSpace).toBe([...events.allOf('exit-handled')].length);
  expect(answered.userSpace).toBeGreaterThan(100);
  const run = assertExists(
    calls.find(({event}) => event.name === 'KVM_RUN'),
    'a first KVM_RUN',
  );
  session.seek(run.step + 1);
  const now = (await loopHere()).files.flatMap(file => file.calls.filter(call => call.isUnderWay));
  expect(now).toEqual([{name: 'KVM_RUN', count: 1, last: run.step, isUnderWay: true}]);
});

test('the statistics at the end are those of the record', async () => {
  const session = recorded('mini-os', 'vtx-ept');
  session.seek(session.record.length);
  const content = await shown(session, {panel: 'statistics'});
  const rows = new Map(session.exits().map(row => [row.reason, row.count]));
  expect(new Map(content.exits.map(row => [row.reason, row.count]))).toEqual(rows);
  expect(content.actors.reduce((sum, row) => sum + row.steps, 0)).toBe(session.record.length);
  expect(content.actors.reduce((sum, row) => sum + row.cycles, 0)).toBe(content.cycles);
  for (const row of content.exits.filter(each => each.answered > 0)) {
    expect(row.least).toBeLessThanOrEqual(row.cycles / row.answered);
    expect(row.most).toBeGreaterThanOrEqual(row.cycles / row.answered);
  }
  session.seek(0);
  expect(await shown(session, {panel: 'statistics'})).toMatchObject({steps: 0, exits: []});
});

test.each([
  ['vtx-ept', 'VMRESUME', 'CURRENT_VMCS', vmcsSlot('GUEST_RFLAGS'), /RFLAGS/],
  ['svm-npt', 'VMRUN', 'CURRENT_VMCB', vmcbField('GUEST_ASID').offset, /ASID/],
] as const)(
  'on %s the doctor finds nothing before %s succeeds, and a broken field at once',
  async (technique, how, pointer, at, rule) => {
    const session = recorded('hello-kvm', technique);
    const {step} = assertExists([...session.record.events.allOf('vm-entry')][3], 'a fourth entry');
    session.seek(step);
    expect(await shown(session, {panel: 'entry-checks'})).toMatchObject({how, verdict: 'enters'});
    const {memory, registers} = session.driver.run.machine;
    memory.bytes.fill(0, registers.number(pointer) + at, registers.number(pointer) + at + 4);
    const {verdict, groups} = await shown(session, {panel: 'entry-checks'});
    expect(verdict).toBe('refused');
    expect(groups.flatMap(group => group.failed.map(check => check.rule)).join('; ')).toMatch(rule);
  },
);

const PANELS = ['descriptors', 'tlb', 'devices', 'kvm-run', 'statistics', 'vcpu', 'entry-checks'] as const;

test.each(['vtx-ept', 'svm-shadow', 'trap-and-emulate'])('a file of a run on %s tells the same', async technique => {
  const session = recorded('popf', technique, 3000);
  const file = new PlaybackSession(await readRecord(await writeRecord(session.record)));
  const at = Math.floor(session.record.length / 2);
  session.seek(at);
  file.seek(at);
  const rest = [
    {panel: 'memory', space: 'gva', address: 0x8000n, length: 64},
    {panel: 'writer', space: 'gpa', address: 0x8000n},
    {panel: 'walk', space: 'gva', address: 0x8000n, access: 'read'},
  ] as const;
  for (const request of [...PANELS.map(panel => ({panel})), ...rest])
    expect(await file.inspect(request)).toEqual(await session.inspect(request));
});
