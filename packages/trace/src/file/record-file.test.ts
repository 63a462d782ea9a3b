import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {UserError} from '@hyperscope/base';
import {Playhead} from '../record/playhead.js';
import {sampleRun} from '../record/sample-run.js';
import {readRecord, writeRecord} from './record-file.js';
import {fromTaggedJson, toTaggedJson} from './tagged-json.js';

async function codeOf(file: Uint8Array): Promise<string> {
  return readRecord(file).then(
    () => 'read',
    (error: unknown) => {
      if (error instanceof UserError) return error.code;
      throw error;
    },
  );
}

describe('a record file', () => {
  const {recorder} = sampleRun(3000);
  recorder.record.outcome = 'The guest halted.';

  test('gives back the same steps, states, events and ending', async () => {
    const record = await readRecord(await writeRecord(recorder.record));
    expect(record.length).toBe(3000);
    expect(record.outcome).toBe('The guest halted.');
    expect([...record.steps(0, 50)]).toEqual([...recorder.record.steps(0, 50)]);
    expect(record.eventsOf(99)).toEqual([{kind: 'halt'}]);
    const [a, b] = [new Playhead(record), new Playhead(recorder.record)];
    for (const index of [0, 1234, 3000]) {
      a.seek(index);
      b.seek(index);
      expect(a.banks).toEqual(b.banks);
    }
  });

  test('is the same, byte for byte, for the same run', async () => {
    expect(await writeRecord(sampleRun(3000).recorder.record)).toEqual(
      await writeRecord(sampleRun(3000).recorder.record),
    );
  });

  test('written again after reading is the same, byte for byte', async () => {
    const file = await writeRecord(recorder.record);
    expect(await writeRecord(await readRecord(file))).toEqual(file);
  });

  test('that is foreign, newer or cut off is refused with a sentence for each', async () => {
    const file = await writeRecord(recorder.record);
    expect(await codeOf(new Uint8Array(0))).toBe('not-a-record');
    expect(await codeOf(new TextEncoder().encode('not a record at all, but long enough to be one'))).toBe(
      'not-a-record',
    );
    const newer = file.slice();
    newer[20] = 2;
    expect(await codeOf(newer)).toBe('record-newer');
    for (const length of [28, 40, 300, file.length - 1])
      expect(await codeOf(file.slice(0, length))).toBe('record-truncated');
  });

  test('with any byte changed is refused or read, and never crashes', async () => {
    const file = await writeRecord(sampleRun(40).recorder.record);
    await fc.assert(
      fc.asyncProperty(fc.nat(file.length - 1), fc.integer({min: 1, max: 255}), async (at, xor) => {
        const broken = file.slice();
        broken[at] = (broken[at] ?? 0) ^ xor;
        expect(await codeOf(broken)).toMatch(/^(read|not-a-record|record-[\w-]+)$/);
      }),
      {numRuns: 300},
    );
  });

  test('that claims an enormous size is refused before anything is allocated', async () => {
    const {record} = sampleRun(1).recorder;
    const text = JSON.stringify({
      ...record.header,
      banks: [
        {name: 'registers', size: 24},
        {name: 'memory', size: 2 ** 52},
      ],
    });
    const file = await writeRecord(record);
    const view = new DataView(file.buffer);
    const header = new TextEncoder().encode(text);
    const oldLength = view.getUint32(24, true);
    const grown = new Uint8Array(file.length - oldLength + header.length);
    grown.set(file.subarray(0, 28));
    new DataView(grown.buffer).setUint32(24, header.length, true);
    grown.set(header, 28);
    grown.set(file.subarray(28 + oldLength), 28 + header.length);
    expect(await codeOf(grown)).toBe('record-too-large');
  });
});

test('tagged JSON keeps bigints and bytes', () => {
  const value = {a: 0xffff_ffff_ffff_ffffn, b: [new Uint8Array([0, 255]), 'text', 3], c: {d: 0n}};
  expect(fromTaggedJson(toTaggedJson(value))).toEqual(value);
});
