import {describe, expect, test} from 'vitest';
import {UserError} from '@hyperscope/base';
import {parseArguments} from '../terminal/arguments.js';
import {readRunArguments} from './run-arguments.js';
import {RUN_OPTIONS} from './run-options.js';

const read = (...args: readonly string[]) => readRunArguments(parseArguments(RUN_OPTIONS, args));

/** The sentence that is printed for a wrong command line. */
function refusal(...args: readonly string[]): string {
  try {
    read(...args);
  } catch (error) {
    if (error instanceof UserError && error.code === 'usage') return error.message;
    throw error;
  }
  return 'accepted';
}

test('an image alone runs on vtx-ept, loaded by what it is', () => {
  expect(read('boot.img')).toMatchObject({image: 'boot.img', technique: 'vtx-ept', load: {kind: 'auto'}, modules: []});
});

test('every option of the contract for foreign images is understood', () => {
  const line =
    'kernel --on bare --as raw --at 0x100000 --mode paged32 --set rip=0x100010 --set CS.base=0 --initrd i --module a --module b ' +
    '--disk 1:disk.img --memory 32 --cpu default,+pcid,-nx --vendor GenuineIntel --serial out.txt --serial-script s ' +
    '--stop-serial o[k] --capture-port 0xe9=debug.txt --exit-port 0xf4 --poweroff-port 0x604 --max-instructions 1000 ' +
    '--timeout 2.5 --dump-memory 0x8000:16 --record r.hsr --trace t.jsonl --json -';
  const all = read(...line.split(' '), '--append', 'quiet x');
  expect(all).toEqual({
    image: 'kernel',
    technique: 'bare',
    load: {kind: 'raw', at: 0x100000, mode: 'paged32'},
    registers: [
      ['rip', 0x100010n],
      ['cs.base', 0n],
    ],
    commandLine: 'quiet x',
    modules: ['i', 'a', 'b'],
    disks: [{unit: 1, path: 'disk.img'}],
    memoryMiB: 32,
    cpu: {profile: undefined, add: ['pcid'], remove: ['nx']},
    vendor: 'GenuineIntel',
    serial: {kind: 'file', path: 'out.txt'},
    serialScript: 's',
    stopSerial: /o[k]/,
    capturePorts: [{port: 0xe9, path: 'debug.txt'}],
    exitPort: 0xf4,
    powerOffPort: 0x604,
    maxInstructions: 1000,
    timeoutSeconds: 2.5,
    dumps: [{address: 0x8000n, length: 16}],
    record: 'r.hsr',
    trace: 't.jsonl',
    json: {kind: 'stdout'},
    depth: 'exits',
  });
});

test('features alone change the default processor', () =>
  expect(read('a', '--cpu', '-pcid,+smep').cpu).toEqual({profile: undefined, add: ['smep'], remove: ['pcid']}));

describe('what makes no sense is refused with advice', () => {
  test.each([
    [[], 'Which image'],
    [['a', 'b'], 'One image'],
    [['a', '--at', '0'], '--as raw'],
    [['a', '--as', 'raw', '--mode', 'virtual'], 'paged32'],
    [['a', '--as', 'exe'], 'multiboot'],
    [['a', '--set', 'rip'], 'REG=VALUE'],
    [['a', '--set', 'rip=here'], 'not a number'],
    [['a', '--memory', '0'], 'between'],
    [['a', '--vendor', 'Intel'], 'twelve'],
    [['a', '--stop-serial', '('], 'regular expression'],
    [['a', '--capture-port', '0x1ffff=f'], 'between'],
    [['a', '--dump-memory', '0x8000'], 'ADDRESS:LENGTH'],
    [['a', '--timeout', '-1'], 'seconds'],
    [['a', '--cpu', 'default,pcid'], '+feature'],
    [['a', '--on', 'kvm', '--cpu', 'westmere'], '--cpu and --vendor'],
    [['a', '--on', 'bare', '--rings', '0/1/3'], '--rings is for --on trap-and-emulate'],
    [['a', '--on', 'trap-and-emulate', '--rings', '0/2/3'], '0/1/3 or 0/3/3'],
    [['a', '--on', 'kvm', '--vendor', 'GenuineIntel'], '--cpu and --vendor'],
    [['a', '--exit-port', '0x3f8'], 'serial port'],
    [['a', '--serial', '-', '--json', '-'], 'mix on standard output'],
    [['a', '--exit-port', '0xe9'], 'debug console'],
    [['a', '--exit-port', '0xf4', '--poweroff-port', '0xf4'], 'belongs to --exit-port'],
    [['a', '--capture-port', '0x80=x', '--capture-port', '0x80=y'], 'belongs to --capture-port'],
    [['a', '--timeuot', '1'], 'Did you mean --timeout?'],
    [['a', '--json'], 'needs a value'],
    [['a', '--on', 'bare', '--on', 'kvm'], 'twice'],
  ])('%j', (args, advice) => {
    expect(refusal(...args)).toContain(advice);
  });
});
