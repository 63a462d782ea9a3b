// `npm test`: every check of the project, one after the other, and at the end one line: `N passed, N failed`.
// A stage that fails does not stop the others, so that one run tells everything that is wrong.
// Names of stages as arguments run only those: `node packages/tools/check.mjs lint tests`.

import {spawn} from 'node:child_process';
import {existsSync, mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {ADVICE, provideChromium} from './chromium.mjs';
import {add, fromPlaywright, fromVitest, lastLine, NONE, settle} from './counts.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'hyperscope-'));
const bin = name => join(root, 'node_modules', name);
const tool = name => join(root, 'packages/tools', name);
const BROWSER_CONFIG = 'packages/visualiser/vitest.browser.config.ts';
const E2E_CONFIG = 'playwright/playwright.config.ts';
/** A stage that takes longer than this hangs. */
const STAGE_LIMIT_MS = 12 * 60_000;

const vitest = (counts, ...args) => ({
  command: [bin('vitest/vitest.mjs'), 'run', '--reporter=default', `--reporter=${tool('vitest-counts.mjs')}`, ...args],
  env: {HYPERSCOPE_COUNTS: counts},
  counts: () => fromVitest(counts),
});

/** Tests that wait for devices, processes and sockets: they have the machine for themselves, so that they keep to their times. */
const WAITING = [
  '.kvmtest.ts',
  'packages/kvm/',
  'packages/server/',
  'packages/cli/src/qemu/',
  'qemu.test.ts',
  'hostile-guests.test.ts',
];

const playwright = counts => ({
  command: [bin('@playwright/test/cli.js'), 'test', '-c', E2E_CONFIG, '--reporter=list,json'],
  env: {PLAYWRIGHT_JSON_OUTPUT_NAME: counts},
  counts: () => fromPlaywright(counts),
});

/** The stages, in order. Without `counts` a stage is one check. `browser` stages need a Chromium; `when` names a file they need. */
const STAGES = [
  {name: 'format', title: 'Format (oxfmt)', command: [bin('oxfmt/bin/oxfmt'), '--check', '.']},
  {
    name: 'lint',
    title: 'Lint (oxlint, with types)',
    command: [bin('oxlint/bin/oxlint'), '--type-aware', '--deny-warnings'],
  },
  {name: 'build', title: 'Types and build (tsc, vite)', command: [tool('build.mjs')]},
  {name: 'imports', title: 'Imports point down', command: [tool('check-imports.mjs')]},
  {name: 'sizes', title: 'Size budgets', command: [tool('budgets.mjs')]},
  {name: 'dead', title: 'Dead code (knip)', command: [bin('knip/bin/knip.js'), '--no-progress', '--no-config-hints']},
  {
    name: 'tests',
    title: 'Unit and conformance tests',
    ...vitest(
      join(scratch, 'node.json'),
      '--maxWorkers=100%',
      // No module has state, so a worker keeps them from one file of tests to the next: compiled once, and warm.
      '--no-isolate',
      ...WAITING.map(part => `--exclude=${part.endsWith('/') ? `${part}**` : `**/*${part}`}`),
    ),
  },
  {
    name: 'kvm',
    title: 'Tests with KVM, QEMU and servers',
    ...vitest(join(scratch, 'kvm.json'), ...WAITING),
  },
  {name: 'sanitizers', title: 'The addon under sanitizers', command: [tool('sanitize.mjs')]},
  {
    name: 'browser',
    title: 'Tests in the browser',
    when: BROWSER_CONFIG,
    browser: true,
    ...vitest(join(scratch, 'browser.json'), '--config', BROWSER_CONFIG),
  },
  {name: 'e2e', title: 'End to end', when: E2E_CONFIG, browser: true, ...playwright(join(scratch, 'e2e.json'))},
];

/** Runs one command to its end, or to the limit; resolves to its exit status. */
function run(stage, chromium) {
  return new Promise(resolve => {
    const env = {...process.env, ...stage.env, ...(chromium === undefined ? {} : {CHROMIUM: chromium})};
    const child = spawn(process.execPath, stage.command, {cwd: root, stdio: 'inherit', env, detached: true});
    const stop = signal => process.kill(-Number(child.pid), signal); // the whole group
    const interrupted = () => {
      stop('SIGKILL');
      process.exit(130);
    };
    process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
    const timer = setTimeout(() => {
      console.log(`\nStopped: longer than ${STAGE_LIMIT_MS / 60_000} minutes.`);
      stop('SIGKILL');
    }, STAGE_LIMIT_MS);
    child.on('close', status => {
      clearTimeout(timer);
      process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
      resolve(status ?? 1);
    });
  });
}

/** Counts of one stage. */
async function perform(stage) {
  const chromium = stage.browser ? await provideChromium() : undefined;
  if (stage.browser && chromium === undefined) {
    console.log(ADVICE);
    return {...NONE, failed: 1};
  }
  const status = await run(stage, chromium);
  if (stage.counts === undefined) return {...NONE, [status === 0 ? 'passed' : 'failed']: 1};
  return settle(stage.counts(), status);
}

const asked = process.argv.slice(2);
const unknown = asked.filter(name => !STAGES.some(stage => stage.name === name));
if (unknown.length > 0) {
  console.error(`No stage named ${unknown.join(', ')}; there are ${STAGES.map(stage => stage.name).join(', ')}.`);
  process.exit(2);
}
const started = performance.now();
const results = [];
for (const stage of STAGES.filter(item => asked.length === 0 || asked.includes(item.name))) {
  if (stage.when !== undefined && !existsSync(join(root, stage.when))) continue;
  console.log(`\n━━ ${stage.title} ${'━'.repeat(Math.max(0, 76 - stage.title.length))}`);
  const from = performance.now();
  const counts = await perform(stage);
  results.push({stage, counts, seconds: (performance.now() - from) / 1000});
}
rmSync(scratch, {recursive: true, force: true});
console.log(`\n━━ Summary ${'━'.repeat(68)}`);
for (const {stage, counts, seconds} of results) {
  console.log(
    `${counts.failed > 0 ? '✗' : '✓'} ${stage.title.padEnd(32)}${seconds.toFixed(1).padStart(7)} s   ${lastLine(counts)}`,
  );
}
console.log(`  ${'together'.padEnd(32)}${((performance.now() - started) / 1000).toFixed(1).padStart(7)} s\n`);
const total = results.reduce((sum, result) => add(sum, result.counts), NONE);
console.log(lastLine(total));
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
