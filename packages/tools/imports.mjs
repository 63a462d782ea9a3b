// Who may import whom. The arrows are data; docs/reading-guide.md shows the same picture.

import {isTest, lineFinder, parse} from './sources.mjs';

/**
 * package → what it may import. `types` may be imported with `import type` only. `node` says whether the package may
 * use Node's built-in modules: what runs in a browser or in a worker may not.
 */
export const ARROWS = {
  base: {packages: [], node: false},
  isa: {packages: ['base'], node: false},
  assembler: {packages: ['base', 'isa'], node: false},
  machine: {packages: ['base', 'isa'], node: false},
  vmm: {packages: ['base', 'isa', 'machine'], node: false},
  trace: {packages: ['base', 'isa'], types: ['machine', 'vmm'], node: false},
  guests: {packages: ['base', 'assembler'], node: false},
  simulation: {packages: ['base', 'isa', 'machine', 'vmm', 'trace', 'guests'], node: false},
  walkthroughs: {packages: ['base', 'trace'], node: false},
  kvm: {packages: ['base', 'isa', 'vmm', 'native'], node: true},
  server: {packages: ['base', 'isa', 'simulation', 'trace', 'kvm'], node: true},
  cli: {packages: ['base', 'isa', 'assembler', 'simulation', 'trace', 'kvm', 'server', 'walkthroughs'], node: true},
  elements: {packages: ['base', 'isa', 'trace'], node: false},
  visualiser: {packages: ['base', 'isa', 'assembler', 'trace', 'elements', 'walkthroughs'], node: false},
  native: {packages: [], node: true},
  tools: {packages: [], node: true},
};

/** The worker half of the visualiser, which is the only half that may run a simulation. */
export const WORKER = {packages: ['base', 'isa', 'assembler', 'trace', 'simulation', 'walkthroughs'], node: false};

/** Entries of a package beside its index: what a page loads later than the rest. */
export const SECOND_ENTRIES = new Set([
  '@hyperscope/elements/lineup',
  '@hyperscope/elements/panels',
  '@hyperscope/elements/paradox-chart',
  '@hyperscope/walkthroughs/crossings',
  '@hyperscope/walkthroughs/finding',
  '@hyperscope/walkthroughs/measuring',
  '@hyperscope/walkthroughs/questions',
]);

/** What tests may use beside their package's arrows: oracles, runners, and Node itself. */
export const TEST_ONLY = {
  anywhere: ['vitest', 'fast-check', 'iced-x86', 'axe-core', 'playwright', '@playwright/test', 'vite'],
  /** Packages that a package's tests may import although its sources may not, each with the reason. */
  packages: {
    // A test of meanings runs real machine code, which is best written as text.
    machine: ['assembler'],
    vmm: ['assembler', 'guests', 'trace', 'simulation', 'kvm'],
    trace: ['assembler', 'guests', 'machine', 'vmm'],
    simulation: ['assembler'],
    // The same programs run on the simulator and on the device, and the records are compared.
    kvm: ['assembler', 'guests', 'trace', 'simulation', 'machine'],
    cli: ['guests'],
    server: ['guests'],
    // A scenario is checked by running it.
    walkthroughs: ['simulation', 'guests'],
    elements: ['simulation'],
    visualiser: ['simulation', 'guests'],
    tools: ['base'],
  },
};

/** Which package a file belongs to: `packages/isa/src/a.ts` → isa; `native/index.js` → native. */
function packageOf(path) {
  const parts = path.split('/');
  return parts[0] === 'packages' ? parts[1] : parts[0];
}

/** Every module a file names: `{specifier, typeOnly, line}`. */
export function importsOf(file) {
  const {module} = parse(file);
  const lineOf = lineFinder(file.text);
  const found = module.staticImports.map(item => ({
    specifier: item.moduleRequest.value,
    typeOnly: item.entries.length > 0 && item.entries.every(entry => entry.isType),
    line: lineOf(item.start),
  }));
  for (const item of module.staticExports) {
    const source = item.entries.find(entry => entry.moduleRequest !== undefined && entry.moduleRequest !== null);
    if (source === undefined) continue;
    found.push({
      specifier: source.moduleRequest.value,
      typeOnly: item.entries.every(entry => entry.isType),
      line: lineOf(item.start),
    });
  }
  for (const item of module.dynamicImports) {
    const text = file.text.slice(item.moduleRequest.start, item.moduleRequest.end);
    const literal = /^(['"`])([^'"`$]*)\1$/.exec(text);
    if (literal) found.push({specifier: literal[2], typeOnly: false, line: lineOf(item.start)});
  }
  return found;
}

/** A sentence when a file of `from` may not import `to`, otherwise undefined. */
function judgePackage(file, from, to, typeOnly) {
  if (to === from)
    return isTest(file.path) ? undefined : 'a package does not import itself by name: use a relative path';
  const worker = from === 'visualiser' && file.path.endsWith('.worker.ts');
  const arrows = worker ? WORKER : ARROWS[from];
  if (arrows.packages.includes(to)) return undefined;
  if (typeOnly && arrows.types?.includes(to)) return undefined;
  if (isTest(file.path) && TEST_ONLY.packages[from]?.includes(to)) return undefined;
  if (!(to in ARROWS)) return `there is no package named ${to}`;
  if (from === 'visualiser' && to === 'simulation') return 'only *.worker.ts may import simulation: ask the worker';
  if (arrows.types?.includes(to)) return `${from} may import only types of ${to}: write \`import type\``;
  return `${from} may not import ${to}: imports point down (packages/tools/imports.mjs)`;
}

/** A sentence when a relative path leaves its package or has no ending, otherwise undefined. */
function judgeRelative(file, specifier) {
  const path = specifier.replace(/\?.*$/, '');
  const target = new URL(path, `file:///${file.path}`).pathname.slice(1);
  const home = file.path.startsWith('packages/') ? file.path.split('/').slice(0, 2).join('/') : packageOf(file.path);
  if (target !== home && !target.startsWith(home + '/')) return 'a relative import may not leave its package';
  if (!/\.(js|mjs|json|css|asm|svg|wasm|node|d\.ts)$/.test(path)) return 'a relative import ends in .js';
  return undefined;
}

function judge(file, {specifier, typeOnly}) {
  const from = packageOf(file.path);
  if (specifier.startsWith('.')) return judgeRelative(file, specifier);
  const own = /^@hyperscope\/([^/]+)(\/.*)?$/.exec(specifier);
  if (own) {
    if (own[2] !== undefined && !SECOND_ENTRIES.has(specifier)) return `reach into ${own[1]} through its index only`;
    return from in ARROWS ? judgePackage(file, from, own[1], typeOnly) : undefined;
  }
  if (!(from in ARROWS)) return undefined;
  if (specifier.startsWith('node:')) {
    return ARROWS[from].node || isTest(file.path) ? undefined : `${from} runs without Node: no ${specifier} here`;
  }
  const testOnly = TEST_ONLY.anywhere.some(name => specifier === name || specifier.startsWith(name + '/'));
  if (testOnly && !isTest(file.path) && from !== 'tools') return `${specifier} is for tests only`;
  return undefined;
}

/** All forbidden imports of `files`, as `{path, line, specifier, why}`, less those in `debt`; stale debt is a violation too. */
export function checkImports(files, debt = DEBT) {
  const violations = files.flatMap(file =>
    importsOf(file).flatMap(item => {
      const why = judge(file, item);
      return why === undefined ? [] : [{path: file.path, line: item.line, specifier: item.specifier, why}];
    }),
  );
  const owed = item => debt.some(entry => entry.path === item.path && entry.specifier === item.specifier);
  const stale = debt.filter(
    entry => !violations.some(item => item.path === entry.path && item.specifier === entry.specifier),
  );
  return [
    ...violations.filter(item => !owed(item)),
    ...stale.map(entry => ({...entry, line: 1, why: `this debt of ${entry.since} is paid: delete its line`})),
  ];
}

/** Arrows that are wrong and known to be: `{path, specifier, since, why}`. It only ever shrinks. */
export const DEBT = [];
