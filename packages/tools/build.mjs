// Builds everything that `npm start` serves: the packages, the page, and compressed copies of the page's files.
// With --serve it then serves the lab, in this process, so that Ctrl-C reaches the server and nobody else; what stands behind --serve
// are options of `hyperscope serve`: `npm start -- --host 0.0.0.0`.

import {spawnSync} from 'node:child_process';
import {cpSync, existsSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {brotliCompressSync, constants} from 'node:zlib';
import {fileURLToPath} from 'node:url';
import {listForOffline} from './offline-files.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const page = join(root, 'packages/visualiser');

/** Runs a program that was installed, by its path from the root; false when it fails. */
function run(program, args, cwd) {
  const path = join(root, program);
  return spawnSync(process.execPath, [path, ...args], {cwd, stdio: 'inherit'}).status === 0;
}

/** Writes a `.br` beside every file worth compressing, so that the server need not compress at run time. */
function compress(folder) {
  for (const entry of readdirSync(folder, {withFileTypes: true})) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) compress(path);
    else if (/\.(js|css|html|wasm|svg|json|asm|hsr)$/.test(entry.name)) {
      const bytes = readFileSync(path);
      if (bytes.length < 1024) continue;
      const params = {[constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length};
      writeFileSync(`${path}.br`, brotliCompressSync(bytes, {params}));
    }
  }
}

const packages = run('node_modules/typescript/bin/tsc', ['-b'], root);
const vite = (...args) => run('node_modules/vite/bin/vite.js', ['build', '--logLevel', 'warn', ...args], page);
const documentation = () => run('docs/node_modules/vitepress/bin/vitepress.js', ['build', '.'], join(root, 'docs'));
const built = packages && vite() && vite('--config', 'vite.embed.config.ts') && documentation();
if (built) {
  // What the page plays where there is no KVM: recordings of real runs.
  const recordings = join(root, 'packages/guests/recordings');
  if (existsSync(recordings)) cpSync(recordings, join(page, 'dist/recordings'), {recursive: true});
  listForOffline(join(page, 'dist'));
  compress(join(page, 'dist'));
}
process.exitCode = built ? 0 : 1;
const serve = process.argv.indexOf('--serve');
if (built && serve >= 0) {
  process.argv = [...process.argv.slice(0, 2), 'serve', ...process.argv.slice(serve + 1)];
  await import(join(root, 'packages/cli/bin/hyperscope.mjs'));
}
