import {afterAll, describe, expect, test} from 'vitest';
import {skipKvmTests} from '@hyperscope/kvm';
import {GUESTS} from '@hyperscope/simulation';
import {runInProcess} from '../testing/run-in-process.js';
import {scratch} from '../testing/scratch.js';
import {COMPARE} from './compare.js';
import {RUN} from './run.js';

const files = scratch();
afterAll(() => files.remove());

let count = 0;

/** Runs real-mode code on KVM; the status and the JSON. */
async function judged(source: string, ...args: readonly string[]) {
  const path = files.program(`kvm-${count++}.bin`, `bits 16\norg 0x8000\n${source}`);
  const raw = ['--as', 'raw', '--at', '0x8000', '--mode', 'real'];
  const {status, out} = await runInProcess([RUN], ['run', path, '--on', 'kvm', ...raw, ...args, '--json', '-']);
  return {status, result: JSON.parse(out)};
}

describe.skipIf(skipKvmTests())('hyperscope run --on kvm', () => {
  test("a guest prints what it prints on the simulator, and the exits are KVM's", async () => {
    const {status, out, notes} = await runInProcess([RUN], ['run', 'hello-kvm', '--on', 'kvm']);
    expect([status, out]).toEqual([0, GUESTS.find(({id}) => id === 'hello-kvm')?.expectedSerial]);
    expect(notes).toMatch(/KVM_EXIT_IO +5/);
  });

  test('mini-os prints what it prints on the simulator: the timer and its interrupts are in the kernel', async () => {
    const {status, out, notes} = await runInProcess(
      [RUN],
      ['run', 'mini-os', '--on', 'kvm', '--poweroff-port', '0x604'],
    );
    expect([status, out]).toEqual([0, GUESTS.find(({id}) => id === 'mini-os')?.expectedSerial]);
    expect(notes).toContain('power-off');
    expect(notes).not.toContain('KVM_EXIT_HLT');
  });

  test.each([
    ['hlt', [], 0, 'halted'],
    ["mov dx, 0x3f8\nmov al, 'k'\nout dx, al\nhlt", ['--stop-serial', 'k'], 0, 'stop-serial'],
    ['mov al, 0x10\nout 0xf4, al', ['--exit-port', '0xf4'], 0, 'debug-exit'],
    ['mov dx, 0x604\nmov ax, 0x2000\nout dx, ax', ['--poweroff-port', '0x604'], 0, 'power-off'],
    ['jmp $', ['--timeout', '0.2'], 4, 'limit'],
    ['again: out 0x80, al\njmp again', ['--max-instructions', '5'], 4, 'limit'],
    ["mov dx, 0x3f8\nmov al, 'k'\nout dx, al\njmp $", ['--stop-serial', 'k'], 0, 'stop-serial'],
  ])('%j', async (source, args, status, outcome) => {
    const judgement = await judged(source, ...args);
    expect([judgement.status, judgement.result.outcome]).toEqual([status, outcome]);
    expect(judgement.result).toMatchObject({schema: 1, engine: 'kvm', instructions: null});
  });

  test('a fault without a handler is a triple fault: status 3', async () => {
    const path = files.file('ud2.bin', Uint8Array.of(0x0f, 0x0b)); // UD2; the loader's protected mode has no IDT
    const args = ['run', path, '--on', 'kvm', '--as', 'raw', '--at', '0x8000', '--mode', 'protected', '--json', '-'];
    const {status, out} = await runInProcess([RUN], args);
    expect([status, JSON.parse(out).outcome]).toEqual([3, 'triple-fault']);
    expect(JSON.parse(out).message).toContain('RIP was left at 0x8000: 0f 0b (ud2).');
  });

  test('a guest that is never entered is no triple fault: this KVM may have no paging outside long mode', async () => {
    const path = files.program('paged.bin', 'bits 32\nmov eax, cr0\nhlt');
    const args = ['run', path, '--on', 'kvm', '--as', 'raw', '--at', '0x8000', '--mode', 'paged32', '--json', '-'];
    const {status, out} = await runInProcess([RUN], args);
    const {outcome, message, registers} = JSON.parse(out);
    if (status === 6) expect([outcome, message]).toEqual(['kvm-failure', expect.stringContaining('long mode only')]);
    else expect([status, outcome, registers.rax]).toEqual([0, 'halted', '0x80000031']);
  });

  test('a limit is told in the words of its option', async () => {
    expect((await judged('jmp $', '--timeout', '0.2')).result.message).toBe('The limit of 0.2 seconds was reached.');
    const {result} = await judged('again: out 0x80, al\njmp again', '--max-instructions', '5');
    expect(result.message).toBe('The limit of 5 exits was reached.');
  });

  test('registers, memory and ports are told at the end', async () => {
    const source = 'mov [0x9000], ax\nmov dx, 0x500\nin al, dx\nmov dx, 0x80\nout dx, al\nhlt';
    const {result} = await judged(source, '--set', 'rax=0x1234', '--dump-memory', '0x9000:4');
    expect(result.registers).toMatchObject({rax: '0x12ff', 'cs.base': '0x0'});
    expect(result).toMatchObject({memory: {'0x9000': '34120000'}, unknownPorts: {'0x500': 1}, ports: {'0x80': [0xff]}});
  });
});

describe.skipIf(skipKvmTests())('hyperscope compare --on vtx-ept,kvm', () => {
  test.each(GUESTS.filter(({needs, adapts}) => needs === undefined && adapts === undefined).map(({id}) => id))(
    'every difference of %s is explained',
    async guest => {
      const {status, out} = await runInProcess([COMPARE], ['compare', guest, '--on', 'vtx-ept,kvm']);
      expect([status, out]).toEqual([0, expect.stringContaining('Every difference is explained.')]);
    },
  );

  test('a shipped recording stands for a KVM that is not there', async () => {
    const recording = new URL('../../../guests/recordings/popf.kvm.hsr', import.meta.url).pathname;
    expect((await runInProcess([COMPARE], ['compare', 'popf', '--on', `vtx-ept,${recording}`])).status).toBe(0);
  });
});
