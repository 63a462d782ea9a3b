// What a person types on the guest's keyboard is part of the record: the guest takes it, and going back takes it back.

import {assertExists} from '@hyperscope/base';
import {PC_TECHNIQUES} from '@hyperscope/vmm';
import {expect, test} from 'vitest';
import {loadRaw} from '../images/raw.js';
import {runToResult} from '../run/run-to-result.js';
import {parseSerialScript} from '../run/serial-script.js';
import {createSession} from './session.js';

const OPTIONS = {name: 'echo', memoryBytes: 2 ** 20, commandLine: '', modules: []};
/** Says '?', then sends each scan code to the serial port, until Enter is released. */
const ECHO = Uint8Array.from(
  [
    [0xba, 0xf8, 0x03, 0xb0, 0x3f, 0xee], // mov dx, 3f8h / mov al, '?' / out dx, al
    [0xe4, 0x64, 0xa8, 0x01, 0x74, 0xfa], // wait: in al, 64h / test al, 1 / jz wait
    [0xe4, 0x60, 0xee, 0x3c, 0x9c, 0x75, 0xf3, 0xf4], // in al, 60h / out dx, al / cmp al, 9ch / jne wait / hlt
  ].flat(),
);
const image = loadRaw(ECHO, {...OPTIONS, at: 0x1000, mode: 'real', set: {}});
const guest = {id: 'echo', title: 'echo', bytes: ECHO};
const KEYS = [0x1e, 0x9e, 0x1c, 0x9c];

test.each(PC_TECHNIQUES.map(technique => [technique.id, technique] as const))(
  'a script types on the keyboard on %s, the same with and without a record',
  (_, technique) => {
    for (const recording of ['off', 'on'] as const) {
      const {result, serial} = runToResult({
        technique,
        image,
        guest,
        clock: {now: () => 0},
        serialScript: parseSerialScript('wait "?"\nkeys "a\\n"'),
        maxInstructions: 5000,
        recording,
      });
      expect([result.outcome, [...serial]]).toEqual(['halted', [0x3f, ...KEYS]]);
    }
  },
);

test('keys pressed in a session are a step: back before it, nobody has typed', () => {
  const technique = assertExists(
    PC_TECHNIQUES.find(({id}) => id === 'bare'),
    'bare metal',
  );
  const session = createSession({technique, image, guest});
  session.run(20);
  const typed = session.typeKeys('a\n');
  expect(typed.last).toMatchObject({who: 'device', kind: 'host-action'});
  const ended = session.run(500);
  expect([ended.finished, ended.serial.length]).toEqual([true, 1 + KEYS.length]);
  expect(session.seek(typed.index - 1).serial).toBe('?');
  expect(session.seek(ended.index).registers).toEqual(ended.registers);
});

test('a script that types more than a keyboard keeps is refused', () =>
  expect(() => parseSerialScript(`keys "${'a'.repeat(200)}"`)).toThrow('in parts'));
