import {describe, expect, test} from 'vitest';
import {ARROWS, checkImports, importsOf} from './imports.mjs';
import {readSources} from './sources.mjs';

const file = (path, text) => ({path, text});
const whys = (...files) => checkImports(files, []).map(item => item.why);

describe('the arrows', () => {
  test('point down: no package can reach itself', () => {
    const reach = (from, seen) => {
      for (const to of ARROWS[from].packages) {
        if (seen.has(to)) continue;
        seen.add(to);
        reach(to, seen);
      }
      return seen;
    };
    for (const name of Object.keys(ARROWS)) expect(reach(name, new Set()).has(name), name).toBe(false);
  });

  test('are kept by the project as it is', () => {
    expect(checkImports(readSources())).toEqual([]);
  });
});

describe('a planted violation is found', () => {
  test('when isa imports machine', () => {
    const bad = file('packages/isa/src/a.ts', `import {Machine} from '@hyperscope/machine';\n`);
    expect(checkImports([bad], [])).toMatchObject([
      {path: 'packages/isa/src/a.ts', line: 1, specifier: '@hyperscope/machine'},
    ]);
  });

  test('when it is re-exported or imported on demand', () => {
    expect(whys(file('packages/isa/src/a.ts', `export * from '@hyperscope/vmm';`))).toHaveLength(1);
    expect(whys(file('packages/isa/src/a.ts', `const m = await import('@hyperscope/vmm');`))).toHaveLength(1);
  });

  test('when trace imports more than types of machine', () => {
    expect(whys(file('packages/trace/src/a.ts', `import type {Bank} from '@hyperscope/machine';`))).toEqual([]);
    expect(whys(file('packages/trace/src/a.ts', `import {Bank} from '@hyperscope/machine';`))[0]).toContain(
      'import type',
    );
  });

  test('when the page, and not a worker, imports simulation', () => {
    const text = `import {createSession} from '@hyperscope/simulation';`;
    expect(whys(file('packages/visualiser/src/lab.ts', text))).toHaveLength(1);
    expect(whys(file('packages/visualiser/src/lab.worker.ts', text))).toEqual([]);
  });

  test('when a package that runs in a worker uses Node, but not in its tests', () => {
    const text = `import {readFileSync} from 'node:fs';`;
    expect(whys(file('packages/machine/src/a.ts', text))).toHaveLength(1);
    expect(whys(file('packages/machine/src/a.test.ts', text))).toEqual([]);
    expect(whys(file('packages/cli/src/a.ts', text))).toEqual([]);
  });

  test('when sources use what is for tests only', () => {
    expect(whys(file('packages/isa/src/a.ts', `import {fc} from 'fast-check';`))).toHaveLength(1);
    expect(whys(file('packages/isa/src/a.test.ts', `import {fc} from 'fast-check';`))).toEqual([]);
  });

  test('when a path leaves its package, lacks .js, or reaches behind an index', () => {
    expect(whys(file('packages/isa/src/a.ts', `import {x} from '../../base/src/bits.js';`))).toHaveLength(1);
    expect(whys(file('packages/isa/src/a.ts', `import {x} from './b';`))).toHaveLength(1);
    expect(whys(file('packages/isa/src/a.ts', `import {x} from '@hyperscope/base/src/bits.js';`))).toHaveLength(1);
  });
});

test('a debt is tolerated while it exists and reported once it is paid', () => {
  const bad = file('packages/isa/src/a.ts', `import {Machine} from '@hyperscope/machine';`);
  const debt = [{path: bad.path, specifier: '@hyperscope/machine', since: '2026-11-22', why: 'a test'}];
  expect(checkImports([bad], debt)).toEqual([]);
  expect(checkImports([file(bad.path, '')], debt)[0].why).toContain('paid');
});

test('imports are found with their lines, and types are told from values', () => {
  const text = `// a\nimport type {A} from 'a';\nimport {type B} from 'b';\nimport {C, type D} from 'c';\nimport 'd';\n`;
  expect(importsOf(file('a.ts', text))).toEqual([
    {specifier: 'a', typeOnly: true, line: 2},
    {specifier: 'b', typeOnly: true, line: 3},
    {specifier: 'c', typeOnly: false, line: 4},
    {specifier: 'd', typeOnly: false, line: 5},
  ]);
});
