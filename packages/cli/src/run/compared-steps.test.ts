// What a step compares: stretches by their costs, arrows by the run. Each claim that is not so is told.

import {readScenario, requireScenario} from '@hyperscope/walkthroughs';
import {expect, test} from 'vitest';
import {runScenario} from './check-scenario-files.js';

const file = (block: string, machine = 'vtx-ept'): string =>
  `---\ntitle: T\nteaches: x\nguest: rings\nmachine: ${machine}\n---\n\n## One\n\n\`\`\`step\nplace: {from: start}\n\`\`\`\n\n${block}\n`;
const MEASURE = (order: string): string =>
  `\`\`\`measure\ntitle: Costs\nascending: cycles\nstretches:\n${order}\n\`\`\``;
const LOAD = '  - {name: a load, first: {instruction: mov}, last: {instruction: mov}}';
const OUTPUT = '  - {name: an OUT, first: {kind: vm-exit, label: I/O}, last: {kind: vm-entry}}';
const ARROWS = (arrow: string): string =>
  `\`\`\`arrows\nquestion: Does it exist?\narrows:\n  - {from: guest-kernel, to: hypervisor, exists: yes, because: an exit}\n  - ${arrow}\n\`\`\``;

const failuresOf = (text: string): readonly string[] =>
  runScenario(requireScenario(text, 'x.md')).flatMap(({failures}) => failures);

test('stretches are measured in the run, and their order is checked', () => {
  expect(failuresOf(file(MEASURE(`${LOAD}\n${OUTPUT}`)))).toEqual([]);
  expect(failuresOf(file(MEASURE(`${OUTPUT}\n${LOAD}`)))).toEqual([expect.stringContaining('not in ascending order.')]);
});

test('a stretch that does not occur is told', () =>
  expect(failuresOf(file(MEASURE('  - {name: x, first: {instruction: vmlaunch}, last: {instruction: ret}}')))).toEqual([
    expect.stringContaining('“x”: This run has no instruction “vmlaunch”'),
  ]));

test.each([
  ['{from: vmm, to: hypervisor, exists: yes, because: an ioctl}', 0],
  ['{from: vmm, to: guest-kernel, exists: no, because: VMLAUNCH is for ring 0}', 0],
  ['{from: vmm, to: guest-kernel, exists: yes, because: x}', 1],
  ['{from: hypervisor, to: vmm, exists: no, because: x}', 1],
])('the arrow %s is held against the run', (arrow, wrong) =>
  expect(failuresOf(file(ARROWS(arrow)))).toHaveLength(wrong),
);

test.each([
  ['no stretches', '```measure\ntitle: x\n```', 'Nothing is measured.'],
  ['a stretch without an end', MEASURE('  - {name: x, first: {instruction: ret}}'), 'The stretch has no last step.'],
  ['an arrow without an answer', ARROWS('{from: vmm, to: hypervisor, because: x}'), 'The arrow has no exists.'],
])('%s is told with its line', (_, block, message) => {
  const read = readScenario(file(block), 'x.md');
  expect(read.ok ? [] : read.problems.map(problem => problem.message)).toContain(message);
});
