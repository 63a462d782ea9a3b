// QEMU where it is installed; without it, what is said. The ROM that starts guests is tested by the guests that it starts.

import {afterAll, describe, expect, test} from 'vitest';
import {probeKvm, quirksOf, skipKvmTests} from '@hyperscope/kvm';
import {GUESTS} from '@hyperscope/simulation';
import {RUN} from '../commands/run.js';
import {runInProcess} from '../testing/run-in-process.js';
import {scratch} from '../testing/scratch.js';
import {bootRom} from './boot-rom.js';
import {parseRegisters} from './gdb-registers.js';
import {findQemu} from './run-on-qemu.js';

const files = scratch();
afterAll(() => files.remove());
const TIMEOUT = {timeout: 60_000};
const installed = findQemu() !== undefined;
if (!installed) process.stderr.write('[cli] QEMU tests skipped: qemu-system-x86_64 is not on the PATH\n');

const runOn = async (technique: string, image: string, ...args: readonly string[]) => {
  const {status, out, notes} = await runInProcess([RUN], ['run', image, '--on', technique, ...args]);
  return {status, out, notes};
};
const run = (image: string, ...args: readonly string[]) => runOn('qemu-tcg', image, ...args);

/** Guests that print the same wherever they run. */
const PLAIN = GUESTS.filter(({needs, adapts}) => needs === undefined && adapts === undefined).map(({id}) => id);

describe.skipIf(!installed)('under QEMU', TIMEOUT, () => {
  test.each(PLAIN)('%s prints what it prints here', async guest => {
    const {status, out, notes} = await run(guest);
    expect([status, out]).toEqual([0, GUESTS.find(({id}) => id === guest)?.expectedSerial]);
    expect(notes).toMatch(/qemu-system-x86_64 -machine pc,accel=tcg -cpu max .*-bios/);
  });

  test.each([
    ['real', 'bits 16\nmov ax, 0x1234\nmov [0x9000], ax\nhlt', 0x1234n],
    ['protected', 'bits 32\nmov eax, 0x12345678\nmov [0x9000], eax\nhlt', 0x1234_5678n],
    ['paged32', 'bits 32\nmov eax, 0x12345678\nmov [0x9000], eax\nhlt', 0x1234_5678n],
    ['long', 'bits 64\nmov rax, 0x123456789abcdef0\nmov [abs 0x9000], rax\nhlt', 0x1234_5678_9abc_def0n],
  ])('a flat image in %s mode has its registers and memory read', async (mode, source, rax) => {
    const path = files.program(`${mode}.bin`, `org 0x8000\n${source}`);
    const raw = ['--as', 'raw', '--at', '0x8000', '--mode', mode, '--dump-memory', '0x9000:8', '--json', '-'];
    const {result} = {result: JSON.parse((await run(path, ...raw)).out)};
    expect(result).toMatchObject({engine: 'qemu', outcome: 'halted'});
    expect(BigInt(result.registers.rax)).toBe(rax);
    const dumped = Buffer.from(result.memory['0x9000'], 'hex').readBigUInt64LE();
    expect(dumped).toBe(rax);
  });

  test('a debug exit, a triple fault and a guest that spins end as such', async () => {
    const at = ['--as', 'raw', '--at', '0x8000', '--json', '-'];
    const ending = async (source: string, ...more: readonly string[]) =>
      JSON.parse((await run(files.program('end.bin', `org 0x8000\n${source}`), ...at, ...more)).out);
    expect(await ending('mov al, 7\nout 0xf4, al', '--exit-port', '0xf4')).toMatchObject({
      outcome: 'debug-exit',
      debugExit: 15,
    });
    expect(await ending('lidt [cs:empty]\nud2\nempty: dw 0\ndd 0')).toMatchObject({outcome: 'triple-fault'});
    expect(await ending('jmp $', '--timeout', '1')).toMatchObject({outcome: 'limit'});
  });

  test('a guest may switch the machine off, and its output is whole however fast it comes', async () => {
    const {out, notes} = await run('mini-os');
    expect([out.split('\n').at(-2), notes]).toEqual(['mini-os: power off', expect.stringContaining('power-off:')]);
    expect((await run('output-ways')).out).toHaveLength(2048);
  });

  test('what QEMU cannot tell is refused in words', async () => {
    const {status, notes} = await run('hello-kvm', '--record', files.path('x.hsr'));
    expect([status, notes]).toEqual([2, expect.stringContaining('only how a run ended')]);
  });
});

describe.skipIf(!installed || skipKvmTests())('under QEMU on KVM', TIMEOUT, () => {
  test.each(['hello-real', 'hello-kvm', 'mini-os'])('%s prints what it prints here', async guest => {
    const {status, out, notes} = await runOn('qemu-kvm', guest);
    expect([status, out]).toEqual([0, GUESTS.find(({id}) => id === guest)?.expectedSerial]);
    expect(notes).toMatch(/qemu-system-x86_64 -machine pc,accel=kvm /);
  });

  test('what this KVM cannot do is said as such', async () => {
    const kvm = probeKvm();
    const quirks = kvm.available ? quirksOf(kvm.fingerprint) : [];
    const path = files.program('sse.bin', 'bits 64\norg 0x8000\nmovss xmm0, xmm1\nhlt');
    const {status, notes} = await runOn('qemu-kvm', path, '--as', 'raw', '--at', '0x8000', '--mode', 'long');
    for (const {id} of quirks) expect(notes).toContain(id);
    if (!quirks.some(({id}) => id === 'ring-0-sse')) return expect(status).toBe(0);
    return expect([status, notes]).toEqual([
      6,
      expect.stringContaining('KVM gave the guest up. QEMU: KVM internal error'),
    ]);
  });
});

test('without QEMU the way to it is told', async () => {
  const path = process.env['PATH'];
  process.env['PATH'] = '/nowhere';
  try {
    const {status, notes} = await run('hello-kvm');
    expect([status, notes]).toEqual([6, expect.stringContaining('apt-get install qemu-system-x86')]);
  } finally {
    process.env['PATH'] = path;
  }
});

test('the ROM jumps from the reset vector to its first byte, and refuses flags that it cannot make', () => {
  const rom = bootRom({registers: {CR0: 0x10n, RFLAGS: 2n, RIP: 0x7c00n}});
  expect([rom.length, [...rom.subarray(0xfff0, 0xfff5)]]).toEqual([0x1_0000, [0xea, 0, 0, 0, 0xf0]]);
  expect(() => bootRom({registers: {RFLAGS: 0x202n}})).toThrow('RFLAGS');
});

test('a register packet of the GDB stub is read in its order', () => {
  const bytes = Buffer.alloc(17 * 8 + 7 * 4 + 100);
  bytes.writeBigUInt64LE(5n, 8);
  bytes.writeBigUInt64LE(0x8000n, 16 * 8);
  bytes.writeUInt32LE(0x246, 17 * 8);
  bytes.writeUInt32LE(8, 17 * 8 + 4);
  expect(parseRegisters(bytes.toString('hex'))).toMatchObject({
    RBX: 5n,
    RIP: 0x8000n,
    RFLAGS: 0x246n,
    'CS.selector': 8n,
  });
  expect(() => parseRegisters('00')).toThrow('fewer registers');
});
