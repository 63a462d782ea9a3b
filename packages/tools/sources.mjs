// The project's own source files, found and parsed: what the checks of imports and sizes look at.

import {readdirSync, readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {parseSync} from 'vite';

/** The root of the repository, with a slash at its end. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const NOT_OURS = new Set(['node_modules', 'dist', 'dist-types', 'build', '.git', 'vectors', 'recordings', 'output']);
const SOURCE = /\.(ts|mts|mjs|js)$/;

/** A test, a bench or something only tests use: budgets for functions do not apply, and more may be imported. */
export const isTest = path =>
  /\.(test|kvmtest|webtest|browser|bench|nocompile)\.[cm]?[jt]s$/.test(path) ||
  /(^|\/)(conformance|testing|scripts|bench)\//.test(path) ||
  path.endsWith('.config.ts');

/** Paths of the files below `directory` (relative to `root`) that `wanted` accepts, sorted. */
export function listFiles(root, directory, wanted = path => SOURCE.test(path)) {
  const found = [];
  const visit = folder => {
    for (const entry of readdirSync(root + folder, {withFileTypes: true})) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory() && !NOT_OURS.has(entry.name)) visit(path);
      else if (entry.isFile() && wanted(path)) found.push(path);
    }
  };
  visit(directory);
  return found.sort((a, b) => (a < b ? -1 : 1));
}

/** Every source file of the packages, the addon and the end-to-end tests, with its text; generated ones are left out. */
export function readSources(root = ROOT) {
  const folders = ['packages', 'native', 'playwright'].filter(name => readdirSync(root).includes(name));
  return folders
    .flatMap(folder => listFiles(root, folder))
    .filter(path => !path.endsWith('.d.ts') && !path.endsWith('.generated.ts'))
    .map(path => ({path, text: readFileSync(root + path, 'utf8')}));
}

/** The syntax tree and the import table of one file. Throws an error that names the file when it does not parse. */
export function parse({path, text}) {
  const parsed = parseSync(path, text);
  if (parsed.errors.length > 0) throw new Error(`${path}: ${parsed.errors[0].message}`);
  return parsed;
}

/** The 1-based line of each offset, by bisection. */
export function lineFinder(text) {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return offset => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle] <= offset) low = middle;
      else high = middle - 1;
    }
    return low + 1;
  };
}
