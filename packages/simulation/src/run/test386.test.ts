// test386.asm, a ROM by others that tests a 386 in real and protected mode, where it is at hand: HYPERSCOPE_TEST386 names
// the folder with test386.bin, built with POST_PORT 190h and OUT_PORT E9h, and its reference text.

import {existsSync, readFileSync} from 'node:fs';
import {expect, test} from 'vitest';
import {assertExists} from '@hyperscope/base';
import {TECHNIQUES} from '@hyperscope/vmm';
import {loadRom} from '../images/rom.js';
import {runToResult} from './run-to-result.js';

const folder = process.env['HYPERSCOPE_TEST386'] ?? '';
const rom = `${folder}/test386.bin`;
const reference = `${folder}/test386-EE-reference.txt`;
const POST_PORT = 0x190,
  TEXT_PORT = 0xe9;
/** The last POST code: all tests passed. */
const FINISHED = 0xff;

test.skipIf(!existsSync(rom) || !existsSync(reference))(
  'test386.asm reaches its last POST code and prints its reference (skipped where HYPERSCOPE_TEST386 names no folder with it)',
  {timeout: 900_000},
  () => {
    const bytes = readFileSync(rom);
    const {captured} = runToResult({
      technique: assertExists(
        TECHNIQUES.find(({id}) => id === 'bare'),
        'bare',
      ),
      image: loadRom(bytes, {name: 'test386.bin', memoryBytes: 2 ** 24, commandLine: '', modules: []}),
      guest: {id: 'test386', title: 'test386.asm', bytes},
      clock: {now: () => 0},
      ports: {exitPort: undefined, powerOffPort: undefined, capturePorts: [POST_PORT, TEXT_PORT]},
      recording: 'off',
    });
    expect(captured.get(POST_PORT)?.at(-1)).toBe(FINISHED);
    expect(Buffer.from(captured.get(TEXT_PORT) ?? []).toString()).toBe(readFileSync(reference, 'utf8'));
  },
);
