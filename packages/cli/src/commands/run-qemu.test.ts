// The choices of `hyperscope run` that are QEMU's: where the interrupt controllers are, which writes can wait.

import {readFileSync} from 'node:fs';
import {afterAll, describe, expect, test} from 'vitest';
import {runInProcess} from '../testing/run-in-process.js';
import {scratch} from '../testing/scratch.js';
import {RUN} from './run.js';

const files = scratch();
afterAll(() => files.remove());
const run = (...args: readonly string[]) => runInProcess([RUN], ['run', ...args]);

interface Line {
  readonly kind: string;
  readonly name?: string;
  readonly routine?: string;
  readonly exit?: {readonly reason?: string | number};
}
/** The events of a run. */
async function traced(...args: readonly string[]): Promise<readonly Line[]> {
  const path = files.path('trace.jsonl');
  expect((await run(...args, '--trace', path)).status).toBe(0);
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line));
}
const ioctls = (events: readonly Line[]): readonly (string | undefined)[] =>
  events.filter(({kind}) => kind === 'ioctl').map(({name}) => name);
const userExits = (events: readonly Line[]): readonly unknown[] =>
  events.filter(({kind}) => kind === 'kvm-exit').map(({exit}) => exit?.reason);

describe.each(['vtx-ept', 'vtx-shadow', 'svm-npt'])('--irqchip on %s', technique => {
  test('kernel: KVM_CREATE_IRQCHIP is called, and HLT never comes to user space', async () => {
    const events = await traced('hello-kvm', '--on', technique, '--irqchip', 'kernel');
    expect(ioctls(events)).toContain('KVM_CREATE_IRQCHIP');
    expect(userExits(events)).toEqual(['io', 'io', 'io', 'io', 'io']);
  });

  test('user: it is not, and HLT does, whatever the guest asks for', async () => {
    const events = await traced('hello-kvm', '--on', technique, '--irqchip', 'user');
    expect(ioctls(events)).not.toContain('KVM_CREATE_IRQCHIP');
    expect(userExits(events)).toEqual(['io', 'io', 'io', 'io', 'io', 'hlt']);
  });
});

test('another place is refused in words', async () => {
  const {status, notes} = await run('hello-kvm', '--irqchip', 'nowhere');
  expect([status, notes]).toEqual([2, expect.stringContaining("--irqchip is kernel or user, not 'nowhere'.")]);
});

describe('--coalesced-mmio', () => {
  /** Real-mode code that stores four letters at B800h:0. */
  const path = files.program(
    'video.bin',
    'bits 16\norg 0x8000\nmov ax, 0xb800\nmov es, ax\nxor di, di\nmov cx, 4\nmov al, "x"\n.a: mov [es:di], al\ninc di\nloop .a\nhlt\n',
  );
  const raw = [path, '--as', 'raw', '--at', '0x8000', '--mode', 'real', '--on', 'vtx-ept'];

  test.each([
    ['off', ['mmio', 'mmio', 'mmio', 'mmio', 'hlt']],
    ['all', ['hlt']],
  ] as const)('%s: the screen’s own half takes %o', async (choice, expected) => {
    expect(userExits(await traced(...raw, '--coalesced-mmio', choice))).toEqual(expected);
  });

  test.each([
    [['--coalesced-mmio', 'some'], "off, half or all, not 'some'"],
    [['--on', 'bare', '--coalesced-mmio', 'all'], '--on bare has neither'],
  ])('%o is refused in words', async (args, words) => {
    const {status, notes} = await run('hello-kvm', ...args);
    expect([status, notes]).toEqual([2, expect.stringContaining(words)]);
  });
});
