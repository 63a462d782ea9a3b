// Questions about time, held against a plain scan of all steps of real runs.

import {CELLS} from '@hyperscope/isa';
import {ACTOR_ORDER, Playhead, exitName, timelineWindow} from '@hyperscope/trace';
import type {Breakpoint, SearchQuery} from '@hyperscope/trace';
import {describe, expect, test} from 'vitest';
import {SimulationHost} from '../../simulation-host.js';
import type {Session} from '../session.js';
import {SHIPPED} from '../../shipped.js';

function finished(guest: string, technique: string): Session {
  const session = new SimulationHost(SHIPPED).open({guest, technique});
  while (!session.record.finished) session.run(10_000);
  return session;
}

const hello = finished('hello-kvm', 'vtx-ept');
const rings = finished('rings', 'vtx-ept');
const popf = finished('popf', 'bare');

describe('totals of a stretch', () => {
  test.each([
    ['all of it', 0, 1],
    ['a stretch', 0.2, 0.71],
    ['between two steps', 0.5001, 0.5003],
  ])('%s: cycles, instructions and exits are those of its steps', (_, a, b) => {
    const {record, time} = rings;
    const [from, to] = [record.endCycle * a, record.endCycle * b];
    const totals = time.selection(to, from);
    for (const [row, who] of ACTOR_ORDER.entries()) {
      let [cycles, instructions, others] = [0, 0, 0];
      for (const step of record.steps()) {
        if (step.who !== who) continue;
        cycles += Math.max(0, Math.min(to, record.cycleAt(step.index + 1)) - Math.max(from, step.cycle));
        const counts = step.cycle >= from && (step.cycle < to || to === record.endCycle);
        if (counts && step.kind === 'instruction') instructions++;
        else if (counts) others++;
      }
      expect(totals.actors[row]?.cycles).toBeCloseTo(cycles, 6);
      expect([totals.actors[row]?.instructions, totals.actors[row]?.otherSteps]).toEqual([instructions, others]);
    }
    const exits = [...record.events.allOf('vm-exit')].filter(
      ({step}) => record.cycleAt(step) >= from && (record.cycleAt(step) < to || to === record.endCycle),
    );
    expect(totals.exits.reduce((sum, row) => sum + row.count, 0)).toBe(exits.length);
    for (const {reason, count} of totals.exits)
      expect(exits.filter(({event}) => exitName(event) === reason)).toHaveLength(count);
  });

  test('the columns of a window count each exit and each exception once', () => {
    const {record} = rings;
    for (const [from, to, columns] of [
      [0, record.endCycle, 700],
      [1000, 30_000, 13],
    ] as const) {
      const {counts, marks, marked} = timelineWindow(record, from, to, columns);
      const within = (kind: 'vm-exit' | 'exception'): number =>
        [...record.events.allOf(kind)].filter(({step}) => record.cycleAt(step) >= from && record.cycleAt(step) <= to)
          .length;
      expect(counts.subarray(0, columns).reduce((sum, count) => sum + count, 0)).toBe(within('vm-exit'));
      expect(counts.subarray(columns).reduce((sum, count) => sum + count, 0)).toBe(within('exception'));
      expect(marked).toBe(marks.length);
    }
  });
});

describe('a search', () => {
  const all = async (session: Session, query: SearchQuery, slice: number): Promise<readonly number[]> => {
    const found: number[] = [];
    for (let from: number | undefined = 0; from !== undefined;) {
      const answer = await session.time.search(query, from, slice, 50);
      found.push(...answer.hits.map(hit => hit.index));
      from = answer.next;
    }
    return found;
  };

  test('by address finds every time that the instruction was about to run', async () => {
    const address = hello.record.step(120)?.rip ?? 0n;
    const expected = [...hello.record.steps()]
      .filter(step => step.rip === address && step.kind !== 'host-action')
      .map(step => step.index);
    expect(expected.length).toBeGreaterThan(0);
    expect(await all(hello, {kind: 'address', address}, 37)).toEqual(expected);
  });

  test('by text finds the exits by their names and the instructions by their text, whatever the slices', async () => {
    const exits = [...hello.record.events.allOf('vm-exit')].filter(({event}) => exitName(event) === 'I/O instruction');
    expect(await all(hello, {kind: 'text', text: 'i/o INSTRUCTION'}, 1000)).toEqual(exits.map(({step}) => step + 1));
    const texts = [...rings.record.steps()].filter(step => rings.textOf(step.index).includes('popfq'));
    const found = await all(rings, {kind: 'text', text: 'popfq'}, 100);
    expect(found).toEqual(await all(rings, {kind: 'text', text: 'popfq'}, 100_000));
    for (const step of texts) expect(found.some(index => index === step.index || index === step.index + 1)).toBe(true);
  });

  test('by register finds each state at which it gets the value', async () => {
    const head = new Playhead(hello.record);
    head.seek(hello.record.length >> 1);
    const value = head.cell('RDX') ?? 0n;
    const expected: number[] = [];
    for (let index = 1; index <= hello.record.length; index++) {
      head.seek(index - 1);
      const before = head.cell('RDX');
      head.seek(index);
      if (before !== value && head.cell('RDX') === value) expected.push(index);
    }
    expect(await all(hello, {kind: 'register', register: 'rdx', value}, 50)).toEqual(expected);
  });
});

describe('a run to a breakpoint', () => {
  /** All stops, by slices of `slice` steps. */
  const stops = async (
    session: Session,
    breakpoints: readonly Breakpoint[],
    direction: 'forward' | 'back',
    slice: number,
  ): Promise<readonly number[]> => {
    const found: number[] = [];
    for (let at = direction === 'forward' ? 0 : session.record.length; ;) {
      const answer = await session.time.runTo(breakpoints, at, direction, slice);
      at = answer.index;
      if (answer.hit !== undefined) found.push(at);
      if (answer.ended) return found;
    }
  };

  test.each([1, 7, 100_000])('meets the same stops forwards and backwards, in slices of %i steps', async slice => {
    const address = [...rings.record.steps()].find(step => step.who === 'guest-user')?.rip ?? 0n;
    const breakpoints: readonly Breakpoint[] = [
      {kind: 'address', address},
      {kind: 'exit', reason: 'RDMSR'},
      {kind: 'port', port: 0x3f8},
    ];
    const expected = new Set<number>();
    for (const step of rings.record.steps()) {
      const isGuest = step.who === 'guest-kernel' || step.who === 'guest-user';
      if (step.rip === address && isGuest && step.kind !== 'host-action') expected.add(step.index);
      for (const event of rings.record.eventsOf(step.index)) {
        if (event.kind !== 'vm-exit') continue;
        const isOut = event.exit.reason === 30 && event.exit.qualification >> 16n === 0x3f8n;
        if (exitName(event) === 'RDMSR' || isOut) expected.add(step.index + 1);
      }
    }
    const ordered = [...expected].sort((a, b) => a - b);
    expect(ordered.length).toBeGreaterThan(5);
    expect(await stops(rings, breakpoints, 'forward', slice)).toEqual(ordered);
    expect(await stops(rings, breakpoints, 'back', slice)).toEqual(ordered.toReversed());
  });

  test('a line of the source stops where its instruction is about to run', async () => {
    const session = finished('hello-kvm', 'vtx-ept');
    const line = session.seek(session.moment().start).code.find(row => row.sourceLine !== undefined);
    const found = await stops(session, [{kind: 'line', line: line?.sourceLine ?? 0}], 'forward', 500);
    expect(found.length).toBeGreaterThan(0);
    for (const index of found) expect(session.record.step(index)?.rip).toBe(line?.address);
  });

  test('a byte of memory stops right after each step that writes it', async () => {
    const {record} = rings;
    const written = [...record.steps()].flatMap(step => {
      const places: number[] = [];
      if (step.who !== 'hypervisor' && step.who !== 'vmm')
        record.changes.runsOf(step.index, place => places.push(place - (record.space.place('memory', 0) ?? 0)));
      return places.filter(place => place >= 0);
    });
    const extent = record.header.guestMemory?.find(({offset, length}) =>
      written.some(place => place >= offset && place < offset + length),
    );
    const place = written.find(at => extent !== undefined && at >= extent.offset && at < extent.offset + extent.length);
    const gpa = extent === undefined || place === undefined ? 0 : extent.gpa + place - extent.offset;
    const [last] = await stops(rings, [{kind: 'write', gpa}], 'back', 300);
    expect((last ?? 0) - 1).toBe(record.lastWriter('memory', place ?? 0));
  });

  test('records on where nothing is recorded yet', async () => {
    const fresh = new SimulationHost(SHIPPED).open({guest: 'hello-kvm', technique: 'vtx-ept'});
    const answer = await fresh.time.runTo([{kind: 'exit', reason: ''}], 0, 'forward', 100_000);
    expect(answer.index - 1).toBe(hello.record.events.firstOfKind('vm-exit', 0) === undefined ? -1 : firstExit(hello));
    expect(fresh.record.length).toBe(answer.index);
  });
});

const firstExit = (session: Session): number => [...session.record.events.allOf('vm-exit')][0]?.step ?? -1;

describe('the micro-operations of an instruction', () => {
  test.each([
    ['rings under VT-x', rings],
    ['popf on bare metal', popf],
    ['hello-real on bare metal', finished('hello-real', 'bare')],
  ])('of %s write what the record has afterwards, at every step', async (_, session) => {
    const head = new Playhead(session.record);
    let told = 0;
    for (const step of session.record.steps()) {
      const steps = await session.time.microSteps(step.index);
      if (steps.length === 0) continue;
      const last = new Map(steps.flatMap(micro => micro.writes).map(write => [write.name, write.value]));
      head.seek(step.index + 1);
      for (const [name, value] of last) {
        const [register, width] = wholeOf(name);
        const cell = CELLS.some(known => known === register) ? head.cell(register) : undefined;
        if (cell === undefined || value === '?') continue;
        expect(`${step.index} ${name} ${BigInt(value)}`).toBe(`${step.index} ${name} ${BigInt.asUintN(width, cell)}`);
        told++;
      }
    }
    expect(told).toBeGreaterThan(40);
  });

  test('say what was read from memory, and where it went', async () => {
    const index = [...popf.record.steps()].find(step => /^popf?q? ?/.test(popf.textOf(step.index)))?.index ?? -1;
    const load = (await popf.time.microSteps(index)).find(micro =>
      micro.reads.some(read => read.name.startsWith('mem')),
    );
    expect(load?.reads.map(read => read.name)).toContain('RSP');
    expect(load?.writes[0]?.value).not.toBe('?');
    expect(await popf.time.microSteps(popf.record.length)).toEqual([]);
  });
});

/** `EAX` is 32 bits of RAX. */
function wholeOf(name: string): readonly [register: string, width: number] {
  const narrow = /^E(\w\w)$/.exec(name)?.[1];
  if (narrow !== undefined) return [`R${narrow}`, 32];
  return /^[A-DS][XPI]$/.test(name) ? [`R${name}`, 16] : [name, 64];
}

test('playing stops short after the first exit on the way, and else goes as far as it was told', () => {
  const first = firstExit(hello);
  expect(hello.time.playTo(0, 100_000, ['exit'])).toBe(first + 1);
  expect(hello.time.playTo(0, first, ['exit'])).toBe(first);
  expect(hello.time.playTo(0, first + 5, [])).toBe(first + 5);
});

test('the size of a record grows by about fifty bytes a step', () => {
  const {steps, bytes, events} = rings.time.size();
  expect(steps).toBe(rings.record.length);
  expect(events).toBe(rings.record.events.length);
  expect(bytes).toBeGreaterThan(steps * 26);
});
