// What Hyperscope wants from the operating system, said plainly, and installed where nobody is there to read it (CI).

import {spawnSync} from 'node:child_process';
import {accessSync, constants, existsSync} from 'node:fs';
import {delimiter, join} from 'node:path';

/** Debian's package names, the programs that show they are there, and what they are for. */
const WANTED = [
  {name: 'g++', programs: ['g++', 'c++', 'clang++'], use: 'builds the KVM addon'},
  {name: 'make', programs: ['make'], use: 'builds the KVM addon'},
  {name: 'python3', programs: ['python3'], use: 'builds the KVM addon'},
  {name: 'nasm', programs: ['nasm'], use: 'is the assembler that tests hold ours against', testsOnly: true},
  {
    name: 'chromium',
    programs: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'],
    use: 'runs the browser tests',
    testsOnly: true,
  },
];

/** The path of the first of `programs` found on PATH, or undefined. */
export function findProgram(programs, path = process.env.PATH ?? '') {
  for (const program of programs) {
    for (const folder of path.split(delimiter)) {
      const candidate = join(folder, program);
      try {
        accessSync(candidate, constants.X_OK);
        return candidate;
      } catch {
        continue; // Not here, or not ours to run: the next folder may have it.
      }
    }
  }
  return undefined;
}

/** What is missing for `purpose`: 'run' or 'test'. */
export function missingPackages(purpose, path = process.env.PATH ?? '') {
  return WANTED.filter(item => purpose === 'test' || item.testsOnly !== true).filter(item => {
    const chosen = item.name === 'chromium' && process.env.CHROMIUM !== undefined;
    return !chosen && findProgram(item.programs, path) === undefined;
  });
}

/** True where apt-get may be used: Debian or a relative of it, as root. */
export const canInstall = () => process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');

/** Installs Debian packages; true when that worked. The list of packages is refreshed only when it has to be. */
export function aptInstall(names) {
  const env = {...process.env, DEBIAN_FRONTEND: 'noninteractive'};
  const apt = (...args) => spawnSync('apt-get', args, {stdio: ['ignore', 'inherit', 'inherit'], env}).status === 0;
  const install = () => apt('install', '-y', '-q', '--no-install-recommends', ...names);
  return install() || (apt('update', '-q') && install());
}

/** Says what is missing and how to get it; in CI, as root on Debian, gets it. Never fails: whoever needs it will say so. */
export function provideSystemPackages(purpose) {
  const missing = missingPackages(purpose);
  if (missing.length === 0) return;
  const names = missing.map(item => item.name);
  console.log('Not found on this machine:');
  for (const {name, use} of missing) console.log(`  ${name.padEnd(9)} ${use}`);
  if (process.env.CI === 'true' && canInstall()) {
    console.log(`Installing with apt-get: ${names.join(' ')}`);
    if (aptInstall(names)) return;
    console.log('apt-get failed (see above); going on without.');
  } else {
    console.log(`On Debian: sudo apt-get install --no-install-recommends ${names.join(' ')}`);
  }
  console.log('');
}
