// Every shipped guest, on every technique, on both tiers of the executor: the same bytes on record, step for step, and the
// same result where nobody records.

import {GUESTS} from '@hyperscope/guests';
import {writeRecord} from '@hyperscope/trace';
import {TECHNIQUES} from '@hyperscope/vmm';
import type {Technique} from '@hyperscope/vmm';
import {assertExists} from '@hyperscope/base';
import {describe, expect, test} from 'vitest';
import {runToResult} from './run-to-result.js';
import {loadGuest} from '../shipped.js';

/** Instructions: of the long ones the beginning is enough here, and of the one that does nothing but leave the guest, less. */
const limitOf = (id: string): number => (id === 'output-ways' ? 4000 : 25_000);

const walked = (technique: Technique): Technique => ({
  ...technique,
  start: options => technique.start({...options, executor: 'reference'}),
});

function run(technique: Technique, id: string, recording: 'on' | 'off') {
  const guest = assertExists(
    GUESTS.find(each => each.id === id),
    id,
  );
  const image = loadGuest(guest);
  return runToResult({
    technique,
    image,
    guest: {id, title: guest.title, bytes: image.assembly.bytes},
    clock: {now: () => 0},
    maxInstructions: limitOf(id),
    recording,
  });
}

// A control program's machine is trap-and-emulate's, several times.
describe.each(TECHNIQUES.filter(({id}) => id !== 'control-program'))('$id', technique => {
  const isForPorts = technique.kernels === 'ported';
  test.each(GUESTS.filter(({needs}) => (needs?.technique === 'paravirtual') === isForPorts))(
    '$id leaves the same record on both tiers',
    {timeout: 120_000},
    async ({id}) => {
      const compiled = run(technique, id, 'on');
      const reference = run(walked(technique), id, 'on');
      expect(compiled.result).toEqual(reference.result);
      const [a, b] = await Promise.all(
        [compiled, reference].map(({record}) => writeRecord(assertExists(record, 'a record was asked for'))),
      );
      expect(Buffer.compare(a ?? new Uint8Array(), b ?? new Uint8Array(1))).toBe(0);
      expect(run(technique, id, 'off').result).toEqual(reference.result);
    },
  );
});
