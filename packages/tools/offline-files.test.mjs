// The lists that the service worker gets from the build.

import {mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {afterEach, beforeEach, expect, test} from 'vitest';
import {listForOffline, offlineFiles} from './offline-files.mjs';

let folder = '';
const write = (path, text) => {
  mkdirSync(dirname(join(folder, path)), {recursive: true});
  writeFileSync(join(folder, path), text);
};
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hyperscope-offline-'));
  for (const path of [
    'index.html',
    'assets/a.js',
    'assets/a.js.map',
    'index.html.br',
    'docs/index.html',
    'docs/hashmap.json',
    'api/kvm',
  ])
    write(path, path);
  write('service-worker.js', 'work();');
});
afterEach(() => rmSync(folder, {recursive: true}));

test('the lab and its documentation are two lists, without what is of no use offline', () => {
  const {lab, documentation} = offlineFiles(folder);
  expect(lab.paths).toEqual(['assets/a.js', 'index.html']);
  expect(documentation.paths).toEqual(['docs/index.html']);
  expect(documentation.bytes).toBe('docs/index.html'.length);
});

test('a changed page of the documentation is no new lab', () => {
  const before = offlineFiles(folder);
  write('docs/index.html', 'changed');
  const after = offlineFiles(folder);
  expect(after.lab.version).toBe(before.lab.version);
  expect(after.documentation.version).not.toBe(before.documentation.version);
});

test('the lists stand before the text of the worker', () => {
  listForOffline(folder);
  expect(readFileSync(join(folder, 'service-worker.js'), 'utf8')).toMatch(/^const OFFLINE_FILES = \{.*\};\nwork\(\);$/);
});
