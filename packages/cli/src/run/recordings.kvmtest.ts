// The recordings that ship: each is of the guest as it is now, and this machine's KVM still does the same.

import {createHash} from 'node:crypto';
import {readFileSync, readdirSync} from 'node:fs';
import {describe, expect, test} from 'vitest';
import {skipKvmTests} from '@hyperscope/kvm';
import {GUESTS, SHIPPED, SimulationHost, loadGuest, requireGuest} from '@hyperscope/simulation';
import {compareRecords, readRecord} from '@hyperscope/trace';
import {styles} from '../terminal/colours.js';
import {recordOf} from './record-source.js';

/** Guests that have one: all but those that are hypervisors, which need VT-x or SVM, and the page says so of them. */
const RECORDED = [...GUESTS, ...new SimulationHost(SHIPPED).cards()].filter(({needs}) => needs === undefined);

const shipped = (id: string): Uint8Array =>
  readFileSync(new URL(`../../../guests/recordings/${id}.kvm.hsr`, import.meta.url));

const SILENT = {
  terminal: {
    write: () => undefined,
    line: () => undefined,
    note: () => undefined,
    noteBytes: () => undefined,
    status: () => undefined,
    style: styles('plain'),
    noteStyle: styles('plain'),
    width: 80,
  },
  clock: performance,
  interrupted: () => new AbortController().signal,
};

/** Bytes of all of them: they are part of what a page loads, one at a time. */
const MOST_BYTES = 256 * 1024;

test('there is one for each, none more, and they are small', () => {
  const folder = new URL('../../../guests/recordings/', import.meta.url);
  const files = readdirSync(folder);
  expect(files.toSorted(), 'make them again: node packages/tools/bless-recordings.mjs').toEqual(
    RECORDED.map(({id}) => `${id}.kvm.hsr`).toSorted(),
  );
  expect(files.reduce((sum, file) => sum + readFileSync(new URL(file, folder)).length, 0)).toBeLessThan(MOST_BYTES);
});

describe.each(RECORDED)('the recording of $id', guest => {
  test('is of the bytes that the guest has now', async () => {
    const {header} = await readRecord(shipped(guest.id));
    const {bytes} = loadGuest(requireGuest(guest.id)).assembly;
    expect(header.guest.sha256).toBe(createHash('sha256').update(bytes).digest('hex'));
    expect(header.host?.flavour.length).toBeGreaterThan(0);
  });

  test.skipIf(skipKvmTests())('is what this machine’s KVM does', {timeout: 60_000}, async () => {
    const fresh = await recordOf(guest.id, 'kvm', SILENT, {depth: 'exits', costModel: undefined});
    const kept = await readRecord(shipped(guest.id));
    const comparison = compareRecords(kept, fresh);
    expect([comparison.a.serial, kept.outcome]).toEqual([comparison.b.serial, fresh.outcome]);
    // Where a timer strikes, two real runs leave other times and counts in memory, and nobody knows where these came from.
    if (kept.header.irqchip === undefined) expect(comparison.unexplained).toBe(0);
  });
});
