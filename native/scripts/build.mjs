// Builds the addon where it can be built, and writes down why not where it cannot: build/reason.json, which index.js reads.
//
//   node scripts/build.mjs               fails (status 1) when the addon was not built
//   node scripts/build.mjs --optional    never fails: an install must succeed on machines without KVM or a compiler
//   node scripts/build.mjs --force       builds even if nothing changed
//   node scripts/build.mjs --sanitize    builds another one into build/Sanitized, which AddressSanitizer and UBSan watch
//
// HYPERSCOPE_SKIP_NATIVE=1 skips. With python: node-gyp; without: the compiler alone, which needs no more than headers.

import {spawnSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {existsSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {dirname, join, resolve} from 'node:path';
import {root, sources} from './sources.mjs';

const require = createRequire(import.meta.url);
const build = join(root, 'build');
const sanitize = process.argv.includes('--sanitize');
const addon = join(build, sanitize ? 'Sanitized' : 'Release', 'hyperscope_kvm.node');
const reasonFile = join(build, sanitize ? 'sanitized.json' : 'reason.json');
const optional = process.argv.includes('--optional');

/** Node's own headers: official archives and distributions have them beside the executable; no download. */
function nodeDirectory() {
  const candidates = [process.env.npm_config_nodedir, resolve(dirname(process.execPath), '..'), '/usr'];
  return candidates.find(directory => directory && existsSync(join(directory, 'include', 'node', 'node_api.h')));
}

/** Changes when anything changes that the binary depends on. Node-API is stable, so Node's version is not part of it. */
function sourceHash() {
  const hash = createHash('sha256').update(`${process.platform}-${process.arch}`);
  const files = [...sources('.cc', '.h'), 'binding.gyp', 'scripts/build.mjs', 'package.json'];
  for (const file of files) hash.update(file).update(readFileSync(join(root, file)));
  return hash.digest('hex');
}

function readReason() {
  try {
    return JSON.parse(readFileSync(reasonFile, 'utf8'));
  } catch {
    return undefined; // no earlier attempt
  }
}

function finish(code, message, hash, by) {
  mkdirSync(build, {recursive: true});
  const built = code === 'BUILT';
  writeFileSync(reasonFile, JSON.stringify({code, message, hash: built ? hash : undefined, by}, undefined, 2) + '\n');
  console.log(`[native] ${message}`);
  process.exit(built || optional ? 0 : 1);
}

function run(command, args, env = {}) {
  return spawnSync(command, args, {cwd: root, encoding: 'utf8', timeout: 300_000, env: {...process.env, ...env}});
}

/** Whatever is undefined ends the process: a report that nobody reads would be none. */
const SANITIZE = [
  '-O0',
  '-g1',
  '-fno-omit-frame-pointer',
  '-fsanitize=address,undefined',
  '-fno-sanitize-recover=undefined',
];

const works = (command, ...args) => run(command, args).status === 0;
const tail = result => `${result.stdout ?? ''}${result.stderr ?? ''}`.trim().split('\n').slice(-20).join('\n');

function withNodeGyp(nodedir) {
  const gyp = require.resolve('node-gyp/bin/node-gyp.js');
  return run(process.execPath, [gyp, 'rebuild', `--nodedir=${nodedir}`], {npm_config_nodedir: nodedir});
}

function withCompiler(compiler, nodedir) {
  mkdirSync(dirname(addon), {recursive: true});
  return run(compiler, [
    '-std=c++20',
    ...(sanitize ? SANITIZE : ['-O2']),
    '-Wall',
    '-Wextra',
    '-fPIC',
    '-shared',
    '-pthread',
    '-Wl,-z,nodelete',
    '-DNAPI_VERSION=8',
    '-DNAPI_CPP_EXCEPTIONS',
    '-DNODE_ADDON_API_DISABLE_DEPRECATED',
    '-isystem',
    dirname(require.resolve('node-addon-api')),
    '-isystem',
    join(nodedir, 'include', 'node'),
    ...sources('.cc'),
    '-o',
    addon,
  ]);
}

function main() {
  if (process.env.HYPERSCOPE_SKIP_NATIVE)
    finish('SKIPPED', 'The KVM addon was not built: HYPERSCOPE_SKIP_NATIVE is set.');
  if (process.platform !== 'linux')
    finish('EPLATFORM', `The KVM addon was not built: ${process.platform} has no /dev/kvm.`);
  if (process.arch !== 'x64')
    finish('EPLATFORM', `The KVM addon was not built: it runs x86 guests, and this is ${process.arch}.`);
  const hash = sourceHash();
  if (existsSync(addon) && readReason()?.hash === hash && !process.argv.includes('--force')) {
    console.log('[native] The KVM addon is up to date.');
    return;
  }
  const compiler = process.env.CXX || 'g++';
  if (!works(compiler, '--version')) {
    finish(
      'ENOCOMPILER',
      `The KVM addon was not built: ${compiler} is missing. On Debian: apt-get install g++ make python3, then: node native/scripts/build.mjs`,
    );
  }
  const nodedir = nodeDirectory();
  if (nodedir === undefined) {
    finish(
      'ENOHEADERS',
      'The KVM addon was not built: no Node headers (include/node/node_api.h) beside the node executable. Install Node from nodejs.org, or set npm_config_nodedir.',
    );
  }
  const gypWorks =
    !sanitize && !process.env.HYPERSCOPE_NATIVE_PLAIN && works('python3', '--version') && works('make', '--version');
  let by = gypWorks ? 'node-gyp' : compiler;
  let result = gypWorks ? withNodeGyp(nodedir) : withCompiler(compiler, nodedir);
  if (result.status !== 0 && gypWorks) {
    console.log(tail(result));
    by = compiler;
    result = withCompiler(compiler, nodedir);
  }
  if (result.status !== 0 || !existsSync(addon)) {
    console.log(tail(result));
    finish(
      'EBUILD',
      'The KVM addon was not built: the compiler failed (its messages are above). Try again with: node native/scripts/build.mjs',
    );
  }
  const warnings = tail(result)
    .split('\n')
    .filter(line => line.includes('warning:'));
  for (const line of warnings) console.log(line);
  finish('BUILT', `The KVM addon was built by ${by}.`, hash, by);
}

try {
  main();
} catch (error) {
  finish('EBUILD', `The KVM addon was not built: ${error instanceof Error ? error.message : String(error)}`);
}
