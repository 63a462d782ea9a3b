// The addon's tests with the addon built for AddressSanitizer and UndefinedBehaviorSanitizer: a wrong access ends the run.
// Without KVM or a compiler there is nothing to watch, and it says so. Arguments go to vitest.

import {spawnSync} from 'node:child_process';
import {existsSync} from 'node:fs';
import {fileURLToPath} from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const TESTS = ['addon', 'addon-exits', 'addon-refusals'].map(name => `packages/kvm/src/${name}.kvmtest.ts`);

function skip(why) {
  console.log(`[sanitize] Not run: ${why}`);
  process.exit(0);
}

/** The runtime that has to be in the process before Node itself: an instrumented library in a plain program. */
function runtime(name) {
  const {stdout} = spawnSync(process.env.CXX || 'g++', [`-print-file-name=${name}`], {encoding: 'utf8'});
  const path = stdout?.trim() ?? '';
  return path.includes('/') && existsSync(path) ? path : undefined;
}

if (process.platform !== 'linux' || !existsSync('/dev/kvm')) skip('there is no /dev/kvm here.');
const libraries = ['libasan.so', 'libubsan.so'].map(runtime);
if (libraries.includes(undefined)) skip('the compiler has no AddressSanitizer (on Debian it comes with g++).');
const built = spawnSync(process.execPath, ['native/scripts/build.mjs', '--sanitize'], {cwd: root, stdio: 'inherit'});
if (built.status !== 0) process.exit(1);
const {status} = spawnSync(
  process.execPath,
  ['node_modules/vitest/vitest.mjs', 'run', ...TESTS, ...process.argv.slice(2)],
  {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      HYPERSCOPE_NATIVE_BUILD: 'Sanitized',
      LD_PRELOAD: libraries.join(' '),
      // Node frees nothing at its end, so leaks are counted by a test (fds, threads, mappings) instead.
      ASAN_OPTIONS: 'detect_leaks=0:abort_on_error=1:halt_on_error=1',
      UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1',
    },
  },
);
process.exitCode = status ?? 1;
