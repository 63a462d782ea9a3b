import {afterAll, describe, expect, test} from 'vitest';
import {runInProcess} from '../testing/run-in-process.js';
import {scratch} from '../testing/scratch.js';
import {COST} from './cost.js';
import {RUN} from './run.js';

const files = scratch();
afterAll(() => files.remove());
const cost = (...args: readonly string[]) => runInProcess([COST], ['cost', ...args]);

test('native, beside the paper, with the processor and what was calibrated', async () => {
  const {out, status} = await cost('--on', 'bare');
  expect(status).toBe(0);
  expect(out).toContain('cycles of Pentium 4 672, 3.8 GHz (Prescott, 2005)');
  expect(out).toMatch(/^cycles of +bare +paper +ratio +which is$/m);
  expect(out).toMatch(/^in +3210 +3209 +1\.00 +IN from port 80h$/m);
  expect(out).toMatch(
    /Calibrated to the paper: cr8-write-shadowed 177, host-step 370, vmm-step 232,\s+user-step 2000;/,
  );
});

test('by default native, binary translation and VT-x of 2005 stand side by side, and what was trapped is said', async () => {
  const {out} = await cost();
  expect(out).toMatch(
    /^cycles of +bare +paper +ratio +binary-translation +paper +ratio +vtx-shadow +paper +ratio +which is$/m,
  );
  expect(out).toMatch(/^pgfault +1096 +1093 +1\.00 +\d+ +3927 +\d\.\d\d +\d+ +11242 +\d\.\d\d/m);
  expect(out).toMatch(/^in +3210 .* 216 +\d\.\d\d\*/m);
  expect(out.replaceAll(/\s+/g, ' ')).toContain('* binary-translation: in: the paper’s translation of IN');
  expect(out).toContain('every write to a page table is trapped, as in 2006');
});

test('a machine that the paper does not have stands alone', async () => {
  const {out} = await cost('--on', 'vtx-ept');
  expect(out).toContain('cycles of Westmere (2010)');
  expect(out).toMatch(/^cycles of +vtx-ept +which is$/m);
  expect(out).not.toContain('Calibrated');
});

test('a figure is changed, and that it was is said', async () => {
  const {out} = await cost('--on', 'bare', '--cost', 'port-access=99', '--cost', 'cr8-write=0');
  expect(out).toMatch(/^in +100 +3209 +0\.03/m);
  expect(out).toContain('Given for this run: port-access 99, cr8-write 0.');
});

test('--paradox compares hypervisors over generations, with the workloads that are asked for', async () => {
  const {out, status} = await cost('--paradox', '--workload', 'compute', '--cost-model', 'westmere-2010');
  expect(status).toBe(0);
  expect(out).toMatch(/^computing: a sieve/m);
  expect(out).toMatch(/^ +westmere-2010 +761 +\d+ +1\.00 +0\.0 +1\.00 +0\.0 +1\.00 +0\.0 +all alike$/m);
  expect(out).toMatch(/computing +never: nothing exits/);
});

test('a model is fitted to what was measured on a machine, and what stands between is said', async () => {
  const operations = [
    {id: 'cpuid', cycles: 7549},
    {id: 'pio-read-user', cycles: 21_397},
  ];
  const file = files.file(
    'mine.json',
    JSON.stringify({host: {flavour: 'kvm_pvm', kernel: '6.18'}, operations, outerHypervisor: true}),
  );
  const {out} = await cost('--on', 'vtx-ept', '--cost-model', `measured:${file}`);
  expect(Number(/^in +(\d+)/m.exec(out)?.[1])).toBeCloseTo(21_397, -2);
  expect(out.replaceAll(/\s+/g, ' ')).toMatch(
    /Fitted to kvm_pvm on Linux 6\.18: CPUID 7549 cycles there and 75\d\d here/,
  );
  expect(out).toContain('an outer hypervisor');
});

test('JSON has every operation, with the paper’s figure and the ratio', async () => {
  const {out} = await cost('--on', 'bare', '--json');
  const [column] = JSON.parse(out);
  expect(column).toMatchObject({technique: 'bare', costModel: 'prescott-2005'});
  expect(column.operations[3]).toEqual({
    name: 'call/ret',
    guest: 'nano-call-ret',
    cycles: 11,
    rounds: 50,
    published: 11,
    ratio: 1,
    otherWay: null,
  });
});

test('the models and the names of the figures can be listed', async () => {
  const {out} = await cost('--cost-model', 'list');
  expect(out).toMatch(/^merom-2006 +Core 2 \(Merom, 2006\)/m);
  expect(out).toMatch(/^vm-entry +2409 +measured +VM entry$/m);
});

describe('what is wrong is said', () => {
  test.each([
    [['--cost-model', '8086'], /There is no cost model "8086"\. Choose one of: prescott-2005/],
    [['--cost', 'tea=1'], /There is no figure "tea" in a cost model\. Choose one of: vm-exit/],
    [['--cost', 'vmread'], /"vmread" gives no cycles\. Write vmread=N/],
    [['--on', 'xen'], /There is no technique xen/],
    [['hello-kvm'], /cost takes no guest/],
    [['--paradox', '--on', 'bare'], /brings its own machines/],
    [['--paradox', '--workload', 'tea'], /no workload "tea"\. Choose of: compute, calls/],
  ])('%j', async (args, words) => {
    const {status, notes} = await cost(...args);
    expect(status).toBe(2);
    expect(notes).toMatch(words);
  });
});

describe('hyperscope run takes the same options', () => {
  const cycles = async (...args: readonly string[]): Promise<number> => {
    const {out} = await runInProcess([RUN], ['run', 'rings', '--on', 'bare', '--json', '-', ...args]);
    return JSON.parse(out).cycles;
  };
  const PORTS = 5;

  test('a model, and a figure of it', async () => {
    const usual = await cycles('--cost-model', 'westmere-2010');
    expect(await cycles()).toBe(usual);
    expect(await cycles('--cost', 'port-access=1600')).toBe(usual + 100 * PORTS);
    expect(await cycles('--cpu', 'prescott')).toBe(await cycles('--cpu', 'prescott', '--cost-model', 'prescott-2005'));
    expect(await cycles('--cpu', 'prescott')).not.toBe(
      await cycles('--cpu', 'prescott', '--cost-model', 'westmere-2010'),
    );
  });

  test('real KVM has no cycles to change', async () => {
    const {status, notes} = await runInProcess([RUN], ['run', 'rings', '--on', 'kvm', '--cost', 'vmread=1']);
    expect([status, notes]).toEqual([2, expect.stringContaining('nothing counts cycles')]);
  });
});
