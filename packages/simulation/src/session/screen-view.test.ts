import {expect, test} from 'vitest';
import {VIDEO_TEXT} from '@hyperscope/machine';
import {BareRun} from '@hyperscope/vmm';
import {loadRaw} from '../images/raw.js';
import {screenView} from './screen-view.js';

/** A guest that has run to its HLT, and what reads its memory. */
function afterwards(code: readonly number[]): {run: BareRun; read: (at: number, length: number) => Uint8Array} {
  const options = {name: 'code', memoryBytes: 2 ** 20, commandLine: '', modules: []};
  const {image} = loadRaw(Uint8Array.from(code), {...options, at: 0x1000, mode: 'real', set: {}});
  const run = new BareRun({
    image,
    ports: {exitPort: undefined, powerOffPort: undefined, capturePorts: []},
    profile: undefined,
    costModel: undefined,
  });
  while (run.step().outcome === undefined);
  return {run, read: (at, length) => run.machine.memory.bytes.subarray(at, at + length)};
}

test('a letter at B8000 stands in the first place, with its colours', () => {
  // mov ax, 0xb800; mov ds, ax; mov word [0], 0x1f48; hlt
  const {run, read} = afterwards([0xb8, 0x00, 0xb8, 0x8e, 0xd8, 0xc7, 0x06, 0, 0, 0x48, 0x1f, 0xf4]);
  const screen = screenView(run.banks, read);
  expect([screen?.columns, screen?.rows, screen?.cells.length, screen?.cursor]).toEqual([80, 25, 4000, 0]);
  expect([...(screen?.cells.subarray(0, 4) ?? [])]).toEqual([0x48, 0x1f, 0, 0]);
});

test('there is no screen before anything was written, nor without an adapter or its memory', () => {
  const {run, read} = afterwards([0xf4]);
  expect(screenView(run.banks, read)).toBeUndefined();
  const written = new Uint8Array(VIDEO_TEXT.end - VIDEO_TEXT.start).fill(1);
  expect(screenView([], () => written)).toBeUndefined();
  expect(screenView(run.banks, () => undefined)).toBeUndefined();
});
