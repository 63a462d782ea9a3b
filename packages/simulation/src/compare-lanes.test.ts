// One guest on many machines: which are right, and where the first that is not goes wrong, for the reason that history gives.

import {beforeAll, describe, expect, test} from 'vitest';
import {assertExists} from '@hyperscope/base';
import {compareLanes} from '@hyperscope/trace';
import type {Lane, LaneComparison, RunRecord} from '@hyperscope/trace';
import {runToResult} from './run/run-to-result.js';
import type {RunRequest} from './run/run-to-result.js';
import {guestCellsAt} from './session/guest-view.js';
import {loadGuest, requireGuest, requireTechnique} from './shipped.js';

const CLOCK = {now: () => 0};

function recorded(id: string, technique: string, choices: Partial<RunRequest> = {}): RunRecord {
  const guest = loadGuest(requireGuest(id));
  const {record} = runToResult({
    technique: requireTechnique(technique),
    guest: {id, title: id, bytes: guest.assembly.bytes},
    image: guest,
    clock: CLOCK,
    recording: 'on',
    maxInstructions: 200_000,
    ...choices,
  });
  return assertExists(record, 'a recorded run has a record');
}

const HARDWARE = ['vtx-shadow', 'vtx-ept', 'svm-npt', 'svm-shadow'];

const laneOf = ({lanes}: LaneComparison, technique: string): Lane =>
  assertExists(
    lanes.find(({header}) => header.technique === technique),
    `there is a lane ${technique}`,
  );

describe('popf on seven machines', () => {
  let found: LaneComparison;
  beforeAll(() => {
    const others = ['trap-and-emulate', 'binary-translation', ...HARDWARE].map(id => recorded('popf', id));
    found = compareLanes([recorded('popf', 'bare'), ...others], guestCellsAt);
  });

  test('only trap-and-emulate is wrong', () => {
    expect(found.lanes.map(({header, verdict}) => [header.technique, verdict])).toEqual([
      ['bare', 'reference'],
      ['trap-and-emulate', 'wrong'],
      ['binary-translation', 'right'],
      ...HARDWARE.map(id => [id, 'right']),
    ]);
  });

  test('PUSHF is the first to go wrong: it ran in ring 3, did not trap, and put the real IF on the stack', () => {
    const lane = laneOf(found, 'trap-and-emulate');
    expect(lane.wrongStep).toMatchObject({
      rip: 0x8000n,
      instruction: 'pushfq',
      differences: [{what: expect.stringMatching(/^memory 0x/), reference: '00', lane: '02'}],
    });
    expect(lane.wrongStep?.sentences.join(' ')).toMatch(
      /“pushfq” at 0x8000 in ring 3, where it believes to be in ring 0, and it did not trap\. It is sensitive, not privileged/,
    );
    expect(lane.sentence).toMatch(/prints something else .* first instruction that goes wrong is “pushfq”/);
  });

  test('each lane has its exits, with the cycles until the guest ran again', () => {
    expect(laneOf(found, 'bare').exits).toEqual([]);
    const [io] = laneOf(found, 'vtx-ept').exits;
    expect(io).toMatchObject({reason: 'I/O instruction', count: 12, instruction: 'out dx, al'});
    expect(io?.shortest).toBeLessThanOrEqual((io?.cycles ?? 0) / 12);
    expect(io?.longest).toBeGreaterThanOrEqual((io?.cycles ?? 0) / 12);
    const traps = laneOf(found, 'trap-and-emulate').exits.map(({reason}) => reason);
    expect(traps).toContain('#GP general protection');
  });

  test('a scrubber finds every lane at the same instruction of the guest', () => {
    const bare = laneOf(found, 'bare');
    for (const id of HARDWARE) {
      const lane = laneOf(found, id);
      expect([lane.instructions, lane.states.length]).toEqual([bare.instructions, bare.states.length]);
      expect([...lane.states].every((state, i) => i === 0 || state > (lane.states[i - 1] ?? 0))).toBe(true);
      expect(lane.states.at(-1)).toBe(lane.steps);
    }
  });
});

describe('mini-os without hardware', {timeout: 60_000}, () => {
  const bare = recorded('mini-os', 'bare', {maxInstructions: 20_000});
  const compared = (record: RunRecord): Lane =>
    assertExists(compareLanes([bare, record], guestCellsAt).lanes[1], 'two lanes');

  test('under 0/1/3 IRETQ leads to the first program without its IF, so it is never preempted', () => {
    const {verdict, wrongStep} = compared(
      recorded('mini-os', 'trap-and-emulate', {rings: '0/1/3', maxInstructions: 20_000}),
    );
    // Neither has ended after as many instructions.
    expect([verdict, wrongStep?.instruction]).toEqual(['state-differs', 'iretq']);
    expect(wrongStep?.differences).toEqual([{what: 'RFLAGS', reference: '0x202', lane: '0x2'}]);
    expect(wrongStep?.sentences.join(' ')).toMatch(
      /in ring 1, where it believes to be in ring 0, .* IF = 0 \(on bare 1\)/,
    );
  });

  test('under 0/3/3 IRETQ within ring 3 does not trap, and the VMM goes on believing in ring 0', () => {
    const {verdict, wrongStep} = compared(recorded('mini-os', 'trap-and-emulate', {rings: '0/3/3'}));
    expect([verdict, wrongStep?.instruction]).toEqual(['wrong', 'iretq']);
    expect(wrongStep?.differences).toContainEqual({what: 'CPL', reference: '0x3', lane: '0x0'});
  });
});

test('what prints the same but keeps another state is neither right nor wrong', () => {
  const {lanes} = compareLanes([recorded('rings', 'bare'), recorded('rings', 'trap-and-emulate')], guestCellsAt);
  expect(lanes[1]).toMatchObject({verdict: 'state-differs', wrongStep: {instruction: 'iretq'}});
});
