// What the documentation says of processors names its source, and its links lead somewhere. No test asks a network.

import {existsSync, readFileSync, readdirSync} from 'node:fs';
import {dirname, join, relative} from 'node:path';
import {describe, expect, test} from 'vitest';
import {anchorOf, anchorsOf, definitionsOf, linksOf, referencesOf, unsourced, unsourcedRows} from './docs-check.mjs';
import {SOURCES} from './doc-sources.mjs';
import {ROOT} from './sources.mjs';

const DOCS = join(ROOT, 'docs');
const read = page => readFileSync(join(DOCS, page), 'utf8');
const PAGES = readdirSync(DOCS).filter(name => name.endsWith('.md'));
const ALL = [...PAGES, ...readdirSync(join(DOCS, 'decisions')).map(name => `decisions/${name}`)];

/** Pages about processors and hypervisors: each of their sections has a source, or says why it has none. */
const ABOUT_PROCESSORS = [
  'binary-translation.md',
  'classification.md',
  'control-program.md',
  'cost-model.md',
  'inspector.md',
  'lecturers-guide.md',
  'paravirtualization.md',
  'processors.md',
  'students-guide.md',
  'tour.md',
  'trap-and-emulate.md',
  'virtualization-hardware.md',
];

describe('a claim about processors has a source', () => {
  test.each(ABOUT_PROCESSORS)('in every section of %s', page => {
    expect(unsourced(read(page))).toEqual([]);
  });
  test('for every word of the glossary, but those that are ours', () => {
    expect(unsourcedRows(read('glossary.md'))).toEqual([]);
  });
  test.each(PAGES)('that is known and defined: %s', page => {
    const text = read(page);
    const defined = definitionsOf(text);
    for (const [name, url] of defined) expect({name, url}).toEqual({name, url: SOURCES[name]});
    expect([...new Set(referencesOf(text))].filter(name => !defined.has(name))).toEqual([]);
  });
});

/** Links of a page that lead to no file, or to no heading of it. */
function deadLinks(page) {
  const dead = [];
  for (const link of linksOf(read(page))) {
    if (/^[a-z]+:/.test(link)) continue;
    const [path, anchor] = link.split('#');
    const target = path === '' ? page : relative(DOCS, join(DOCS, dirname(page), path));
    const file = target.endsWith('.md') || /\.\w+$/.test(target) ? target : `${target}.md`;
    if (!existsSync(join(DOCS, file))) dead.push(link);
    else if (anchor !== undefined && !anchorsOf(read(file)).has(anchor)) dead.push(link);
  }
  return dead;
}

test.each(ALL)('links within the documentation lead somewhere: %s', page => {
  expect(deadLinks(page)).toEqual([]);
});

describe('what is planted is found', () => {
  const page =
    '# Title\n\nRings are four ([SDM][sdm]).\n\n## Second\n\nCLI traps.\n\n[sdm]: https://www.intel.com/sdm\n';
  test('a section without a source, and the same with a reason', () => {
    expect(unsourced(page)).toEqual(['Second']);
    expect(unsourced(page.replace('CLI', '<!-- no source: what the lab does -->\nCLI'))).toEqual([]);
  });
  test('a section whose source stands in an example only', () => {
    expect(unsourced(page.replace('CLI traps.', 'CLI traps.\n\n```\n[words][sdm]\n```'))).toEqual(['Second']);
  });
  test('a row of a table', () => {
    const table =
      '| word | meaning | source |\n| --- | --- | --- |\n| CPL | ring | [SDM][sdm] |\n| EPT | tables | SDM |\n';
    expect(unsourcedRows(table)).toEqual(['EPT']);
  });
  test('anchors are VitePress’s', () => {
    expect(anchorOf('1. The line: `how` it’s encoded')).toBe('_1-the-line-how-it-s-encoded');
  });
});
