// The bootstrap: from an empty clone to installed dependencies with nothing but Node, then the script that is named.
// node packages/tools/pnpm.mjs packages/tools/check.mjs …   or, for anything else that pnpm can do, its own arguments.
// It uses the pnpm on PATH when that is the pinned version, and otherwise lets npx fetch it. It has no dependency.

import {spawn, spawnSync} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {dirname} from 'node:path';
import {fileURLToPath} from 'node:url';
import {provideSystemPackages} from './system-packages.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
const pinned = manifest.packageManager.split('@')[1].split('+')[0];
const shell = process.platform === 'win32';

/** Ends the process with one sentence. */
function giveUp(sentence) {
  console.error(`\n${sentence}`);
  process.exit(1);
}

/** True when version `have` is at least `least` (numbers between dots). */
function atLeast(have, least) {
  const [a, b] = [have, least].map(text => text.split('.').map(Number));
  const differs = [0, 1, 2].find(i => (a[i] ?? 0) !== (b[i] ?? 0));
  return differs === undefined || (a[differs] ?? 0) > (b[differs] ?? 0);
}

/** How to call pnpm here. */
function findPnpm() {
  const onPath = spawnSync('pnpm', ['--version'], {cwd: dirname(process.execPath), encoding: 'utf8', shell});
  return onPath.stdout?.trim() === pinned ? ['pnpm'] : ['npx', '--yes', `pnpm@${pinned}`];
}

/** Runs a command and shows its output; resolves to its exit status and the end of what it said. */
function run([command, ...args], {watch}) {
  return new Promise(resolve => {
    const output = watch ? 'pipe' : 'inherit';
    const child = spawn(command, args, {cwd: root, shell, stdio: ['inherit', output, output]});
    let said = '';
    for (const [from, to] of [
      [child.stdout, process.stdout],
      [child.stderr, process.stderr],
    ]) {
      from?.on('data', data => {
        to.write(data);
        said = (said + data).slice(-20_000);
      });
    }
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
    child.on('error', error => resolve({status: 1, said: String(error.message)}));
    child.on('close', (status, signal) => resolve({status: status ?? (signal === 'SIGINT' ? 130 : 1), said}));
  });
}

/** What a failed installation means, in one sentence. */
function explainFailure(said) {
  if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|META_FETCH_FAIL|network/i.test(said)) {
    return 'The package registry could not be reached: check the network (and the proxy settings of npm), then try again.';
  }
  if (/FROZEN_LOCKFILE|OUTDATED_LOCKFILE/.test(said)) {
    return `pnpm-lock.yaml does not fit the package.json files: run \`npx pnpm@${pinned} install\` and commit the result.`;
  }
  if (/UNSUPPORTED_ENGINE/.test(said)) {
    return `A dependency does not support Node ${process.versions.node}: install the Node version that package.json names.`;
  }
  if (/ENOSPC/.test(said)) return 'The disk is full: make room for about 600 MB and try again.';
  if (/EACCES|EPERM/.test(said))
    return 'The folder is not writable: check who owns it (was it cloned as another user?).';
  if (/ENOENT.*npx|npx.*not found/.test(said)) return 'npx was not found: install Node with its npm, or install pnpm.';
  return 'Installing the dependencies failed; the reason is above.';
}

const least = manifest.engines.node.replace('>=', '');
if (!atLeast(process.versions.node, least)) {
  giveUp(`Hyperscope needs Node ${least} or newer, and this is Node ${process.versions.node}: see https://nodejs.org.`);
}
provideSystemPackages(process.argv.some(text => text.endsWith('check.mjs')) ? 'test' : 'run');
const pnpm = findPnpm();
const installed = await run([...pnpm, 'install', '--frozen-lockfile', '--reporter', 'append-only'], {watch: true});
if (installed.status !== 0) giveUp(explainFailure(installed.said));
// A script of ours runs without pnpm around it, which would call Ctrl-C a failure.
const rest = process.argv.slice(2);
const done = await run([...(rest[0]?.endsWith('.mjs') ? [process.execPath] : pnpm), ...rest], {watch: false});
process.exit(done.status);
