import {afterAll, describe, expect, test} from 'vitest';
import {readRecord} from '@hyperscope/trace';
import {runInProcess} from '../testing/run-in-process.js';
import {scratch} from '../testing/scratch.js';
import {RUN} from './run.js';

const files = scratch();
afterAll(() => files.remove());

const run = (...args: readonly string[]) => runInProcess([RUN], ['run', ...args]);

/** The status and the JSON of a run. */
async function judged(...args: readonly string[]) {
  const {status, out} = await run(...args, '--json', '-');
  return {status, result: JSON.parse(out)};
}

test('--cpu list shows the processors, one line each, and runs nothing', async () => {
  const {status, out} = await run('--cpu', 'list');
  expect(status).toBe(0);
  for (const id of ['i386', 'pentium-iii', 'prescott', 'amd-svm', 'nehalem', 'westmere', 'modern-intel'])
    expect(out).toMatch(new RegExp(`^${id} +\\d{4}  \\w`, 'm'));
});

let count = 0;
/** A flat real-mode program at 0x8000, and the arguments that run it. */
const real = (source: string): readonly string[] => {
  const path = files.program(`real-${count++}.bin`, `bits 16\norg 0x8000\n${source}`);
  return [path, '--as', 'raw', '--at', '0x8000', '--mode', 'real'];
};

const PRINT = (text: string): string =>
  `mov dx, 0x3f8\n${Array.from(text, c => `mov al, ${c.charCodeAt(0)}\nout dx, al\n`).join('')}`;
const TECHNIQUES = [
  'bare',
  'vtx-ept',
  'vtx-shadow',
  'svm-npt',
  'svm-shadow',
  'trap-and-emulate',
  'control-program',
  'binary-translation',
] as const;

describe.each(TECHNIQUES)('on %s', technique => {
  const on = ['--on', technique];

  test('a guest prints to standard output, and its end is told beside it', async () => {
    const {status, out, notes} = await run('hello-kvm', ...on);
    expect([status, out]).toEqual([0, 'Hi\n=\n']);
    expect(notes).toContain('halted: ');
  });

  test('HLT with nothing to wake it is status 0', async () => {
    const {status, result} = await judged(...real('hlt'), ...on);
    expect([status, result.outcome]).toEqual([0, 'halted']);
    expect(result).toMatchObject({schema: 1, engine: 'simulated', technique, debugExit: null, unsupported: []});
  });

  test('a debug exit of any value is status 0, and tells (value << 1) | 1', async () => {
    const {status, result} = await judged(...real('mov al, 0x10\nout 0xf4, al\nhlt'), ...on, '--exit-port', '0xf4');
    expect([status, result.outcome, result.debugExit]).toEqual([0, 'debug-exit', 0x21]);
  });

  test('power-off is status 0', async () => {
    const source = 'mov dx, 0x604\nmov ax, 0x2000\nout dx, ax\nhlt';
    const {status, result} = await judged(...real(source), ...on, '--poweroff-port', '0x604');
    expect([status, result.outcome]).toEqual([0, 'power-off']);
  });

  test('a triple fault is status 3, with a post-mortem', async () => {
    const {status, result} = await judged(...real('lidt [empty]\nint3\nempty: dw 0\n dd 0'), ...on);
    expect([status, result.outcome]).toEqual([3, 'triple-fault']);
    expect(result.message).toMatch(/Triple fault/i);
  });

  test('a limit of instructions or of time is status 4', async () => {
    const spin = real('jmp $');
    expect(await judged(...spin, ...on, '--max-instructions', '100')).toMatchObject({
      status: 4,
      result: {outcome: 'limit', instructions: 100},
    });
    expect((await judged(...spin, ...on, '--timeout', '0.05')).result.outcome).toBe('limit');
  });

  test('an instruction outside the supported set is status 5, and is named with its bytes and address', async () => {
    const {status, result} = await judged(...real('nop\ndb 0xd8, 0xc1'), ...on); // FADD ST0, ST1
    expect([status, result.outcome]).toEqual([5, 'unsupported']);
    expect(result.unsupported).toEqual([
      {address: '0x8001', bytes: expect.stringMatching(/^d8/), what: expect.any(String)},
    ]);
  });

  test('ports where nothing answers read all ones and are counted', async () => {
    const {result} = await judged(...real('mov dx, 0x500\nin al, dx\nmov bl, al\nout 0x80, al\nhlt'), ...on);
    expect(result.registers.rbx).toBe('0xff');
    expect(result.unknownPorts['0x500']).toBe(1);
    expect(result.ports['0x80']).toEqual([0xff]);
  });

  test('registers can be set, and registers and memory are told at the end', async () => {
    const source = 'mov [0x9000], ax\nhlt';
    const {result} = await judged(...real(source), ...on, '--set', 'rax=0x1234', '--dump-memory', '0x9000:4');
    expect(result.registers.rax).toBe('0x1234');
    expect(result.memory).toEqual({'0x9000': '34120000'});
  });

  test('a run stops at the text that is waited for', async () => {
    const {status, result} = await judged(
      ...real(`${PRINT('login:')}jmp $`),
      ...on,
      '--stop-serial',
      'log.n:',
      '--timeout',
      '20',
    );
    expect([status, result.outcome]).toEqual([0, 'stop-serial']);
  });

  test('a script types what the guest reads', async () => {
    const script = files.file('script', '# wait for the prompt\nwait "?"\nsend "x"\n');
    const source = `${PRINT('?')}wait: mov dx, 0x3fd\nin al, dx\ntest al, 1\njz wait\nmov dx, 0x3f8\nin al, dx\nout dx, al\nhlt`;
    const {out, status} = await run(...real(source), ...on, '--serial-script', script, '--timeout', '20');
    expect([status, out]).toEqual([0, '?x']);
  });

  test('captured ports and the serial port go into files', async () => {
    const source = `${PRINT('s')}mov al, 'd'\nout 0xe9, al\nhlt`;
    await run(
      ...real(source),
      ...on,
      '--capture-port',
      `0xe9=${files.path('debug')}`,
      '--serial',
      files.path('serial'),
    );
    expect([files.text('debug'), files.text('serial')]).toEqual(['d', 's']);
  });

  test('a record can be read back, and a trace is one JSON object a line', async () => {
    await run('hello-kvm', ...on, '--record', files.path('r.hsr'), '--trace', files.path('t.jsonl'));
    const record = await readRecord(files.read('r.hsr'));
    expect([record.header.technique, record.finished]).toEqual([technique, true]);
    const lines = files
      .text('t.jsonl')
      .trim()
      .split('\n')
      .map(line => JSON.parse(line));
    expect(lines.length).toBeGreaterThan(5);
    for (const line of lines)
      expect(line).toMatchObject({
        step: expect.any(Number),
        kind: expect.any(String),
        rip: expect.stringMatching(/^0x/),
      });
  });
});

describe('images', () => {
  test('a boot sector is known by its mark, and starts at 0x7c00 with DL = 0x80', async () => {
    const boot = files.program(
      'boot.img',
      'bits 16\norg 0x7c00\nmov bx, here\nhere: hlt\ntimes 510-($-$$) db 0\ndw 0xaa55',
    );
    const {result} = await judged(boot);
    expect(result.registers).toMatchObject({rbx: '0x7c03', rdx: '0x80'});
  });

  test('a disk where the machine has no controller is refused: status 5, in the JSON too', async () => {
    const disk = files.file('disk.img', new Uint8Array(512));
    const {status, result} = await judged('hello-kvm', '--on', 'kvm', '--disk', `0:${disk}`);
    expect([status, result.outcome, result.schema, result.instructions]).toEqual([5, 'unsupported', 1, null]);
    const [{what}] = result.unsupported;
    expect(what).toContain('--disk');
    expect((await judged('hello-kvm', '--on', 'bare', '--disk', `2:${disk}`)).status).toBe(5);
    expect((await run('hello-kvm', '--disk', '0:no-such-disk')).status).toBe(2);
  });

  /** Reads sector 1 of the first disk by PIO and prints its first two bytes. */
  const READ_SECTOR = `
    mov dx, 0x1f2\nmov al, 1\nout dx, al
    inc dx\nout dx, al\nxor al, al\ninc dx\nout dx, al\ninc dx\nout dx, al
    inc dx\nmov al, 0xe0\nout dx, al\ninc dx\nmov al, 0x20\nout dx, al
    wait_drq: in al, dx\ntest al, 8\njz wait_drq
    mov dx, 0x1f0\nin ax, dx\nmov dx, 0x3f8\nout dx, al\nmov al, ah\nout dx, al\ncli\nhlt\n`;

  test.each(['bare', 'vtx-ept'])(
    'on %s the guest reads the disk by PIO, and a booted image is its own first disk',
    async technique => {
      const contents = new Uint8Array(700);
      contents.set([0x4f, 0x6b], 512);
      const disk = files.file('two-sectors.img', contents);
      const named = await run(...real(READ_SECTOR), '--on', technique, '--disk', `0:${disk}`);
      expect([named.status, named.out]).toEqual([0, 'Ok']);
      const boot = `bits 16\norg 0x7c00\n${READ_SECTOR}times 510 - ($ - $$) db 0\ndw 0xaa55\ndb 'Me'\ntimes 510 db 0`;
      const itself = await run(files.program('disk-boot.img', boot), '--on', technique);
      expect([itself.status, itself.out]).toEqual([0, 'Me']);
    },
  );

  test('a program that outgrew its boot sector finds its second one behind it', async () => {
    const boot = files.program(
      'two.img',
      'bits 16\norg 0x7c00\njmp 0:more\ntimes 510-($-$$) db 0\ndw 0xaa55\nmore: mov bx, 2\nhlt\ntimes 1024-($-$$) db 0',
    );
    expect((await judged(boot)).result.registers.rbx).toBe('0x2');
  });

  test('assembly runs as its first instruction asks', async () => {
    const source = files.file('long.asm', 'bits 64\norg 0x8000\nmov rax, 0x123456789\nhlt\n');
    expect((await judged(source, '--on', 'bare')).result.registers.rax).toBe('0x123456789');
  });

  test.each([
    ['protected', 32, '0x11'],
    ['paged32', 32, '0x80000011'],
    ['long', 64, '0x80000011'],
  ])('a flat binary starts in %s mode', async (mode, bits, cr0) => {
    const path = files.program(`${mode}.bin`, `bits ${bits}\norg 0x8000\nmov ${bits === 64 ? 'rax' : 'eax'}, cr0\nhlt`);
    const {result} = await judged(path, '--on', 'bare', '--as', 'raw', '--at', '0x8000', '--mode', mode);
    expect(BigInt(result.registers.rax) & 0x80000011n).toBe(BigInt(cr0));
  });

  test('a ROM starts at the reset vector', async () => {
    const rom = files.program(
      'rom.bin',
      'bits 16\ntimes 0xff00 db 0xf4\nstart: mov bx, 7\nhlt\ntimes 0xfff0-($-$$) db 0\njmp start\ntimes 0x10000-($-$$) db 0',
    );
    expect((await judged(rom, '--as', 'rom')).result.registers.rbx).toBe('0x7');
  });
});

describe('bad usage is status 2 with advice', () => {
  test.each([
    [['no-such-guest'], 'neither a guest nor a file'],
    [['hello-kvn'], 'Did you mean the guest hello-kvm?'],
    [['hello-kvm', '--on', 'xen'], 'xen'],
    [['hello-kvm', '--set', 'rx=1'], 'There is no register rx'],
    [['hello-kvm', '--cpu', 'pentium'], 'pentium'],
    [['hello-kvm', '--on', 'xen'], 'bare, vtx-ept'],
    [['hello-kvm', '--append', 'x'], '--append is for multiboot kernels'],
    [['hello-kvm', '--as', 'boot'], '--as is for files'],
    [['hello-kvm', '--dump-memory', '0x4000000:16'], '--dump-memory 0x4000000:16 lies outside'],
    [['hello-kvm', '--json', '/no-such-folder/x'], 'Cannot write /no-such-folder/x'],
    [['hello-kvm', '--trace', '.'], 'it is a folder'],
    [['.'], '. is a folder'],
  ])('%j', async (args, advice) => {
    expect(await run(...args)).toMatchObject({status: 2, notes: expect.stringContaining(advice)});
  });

  test('an output that cannot be written is refused before anything runs', async () => {
    expect((await run('hello-kvm', '--record', '/no-such-folder/x')).out).toBe('');
  });

  test('a file that is no image', async () => {
    expect(await run(files.file('text.txt', 'hello'))).toMatchObject({
      status: 2,
      notes: expect.stringContaining('--as raw'),
    });
  });

  test('assembly with errors shows them', async () => {
    const {status, notes} = await run(files.file('bad.asm', 'mov eax\n'));
    expect(status).toBe(2);
    expect(notes).toContain('bad.asm:1:');
  });
});
