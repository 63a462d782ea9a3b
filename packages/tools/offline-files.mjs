// The files that a service worker keeps: those of the lab, and those of its documentation, each set with a version that changes with
// the contents of any file.

import {createHash} from 'node:crypto';
import {readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join, relative, sep} from 'node:path';

const WORKER = 'service-worker.js';

/** Of no use without a network: maps, copies for the server, what VitePress leaves for other tools, the worker itself, what a server says. */
const LEFT_OUT = /\.(map|br)$|^service-worker\.js$|^docs\/hashmap\.json$|^api\//;

/** Every file under a folder, by its path from there, in one order everywhere. */
function filesUnder(folder) {
  return readdirSync(folder, {withFileTypes: true, recursive: true})
    .filter(entry => entry.isFile())
    .map(entry => relative(folder, join(entry.parentPath, entry.name)).replaceAll(sep, '/'))
    .toSorted();
}

/** `{version, paths, bytes}` of some files of a folder. */
function setOf(folder, paths) {
  const hash = createHash('sha256');
  let bytes = 0;
  for (const path of paths) {
    const content = readFileSync(join(folder, path));
    hash.update(path).update(content);
    bytes += content.length;
  }
  return {version: hash.digest('hex').slice(0, 16), paths, bytes};
}

/** What is kept of the page that was built into `folder`: `{lab, documentation}`. */
export function offlineFiles(folder) {
  const paths = filesUnder(folder).filter(path => !LEFT_OUT.test(path));
  const isDocumentation = path => path.startsWith('docs/');
  return {
    lab: setOf(
      folder,
      paths.filter(path => !isDocumentation(path)),
    ),
    documentation: setOf(folder, paths.filter(isDocumentation)),
  };
}

/** Puts the lists before the text of the service worker that was built into `folder`. */
export function listForOffline(folder) {
  const worker = join(folder, WORKER);
  const list = JSON.stringify(offlineFiles(folder));
  writeFileSync(worker, `const OFFLINE_FILES = ${list};\n${readFileSync(worker, 'utf8')}`);
}
