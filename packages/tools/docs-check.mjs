// Reads the documentation as a reader would who checks it: what has a source, and where a link leads.

/** A section that says nothing of processors, or only what this program does, says so: `<!-- no source: what the lab does -->`. */
const REASON = /<!-- no source: .*[a-z].* -->/;

const withoutFences = text => text.replaceAll(/^( *)(`{3,})[^\n]*\n[\s\S]*?^\1\2 *$/gm, '');

/** Definitions of a page: `[sdm]: https://…` by their names. */
export function definitionsOf(text) {
  const found = [...withoutFences(text).matchAll(/^\[([^\]]+)\]: *(\S+)$/gm)];
  return new Map(found.map(([, name, url]) => [name.toLowerCase(), url]));
}

/** The names of definitions that a text uses: `[words][sdm]`. */
export function referencesOf(text) {
  return [...withoutFences(text).matchAll(/\]\[([^\]]+)\]/g)].map(([, name]) => name.toLowerCase());
}

/** Sections of a page by their headings of the second level; what stands before the first has the title's. */
export function sectionsOf(text) {
  const parts = withoutFences(text).split(/^(?=##? )/m);
  return parts
    .map(part => ({heading: /^##? (.*)$/m.exec(part)?.[1] ?? '', text: part.replace(/^##? .*$/m, '')}))
    .filter(part => part.text.trim() !== '');
}

/** Sections of a page without a source and without a reason for having none. */
export function unsourced(text) {
  return sectionsOf(text)
    .filter(
      section =>
        !section.heading.startsWith('Sources') && section.text.replaceAll(/^\[[^\]]+\]: .*$/gm, '').trim() !== '',
    )
    .filter(section => referencesOf(section.text).length === 0 && !REASON.test(section.text))
    .map(section => section.heading);
}

/** Rows of the tables of a page whose last cell has neither a source nor the word `ours`; the first cell of each. */
export function unsourcedRows(text) {
  const lines = withoutFences(text).split('\n');
  const isRule = line => /^\|[ :|-]+$/.test(line ?? '');
  const rows = lines.filter((line, at) => line.startsWith('|') && !isRule(line) && !isRule(lines[at + 1]));
  const last = row => row.split('|').at(-2) ?? '';
  return rows
    .filter(row => referencesOf(last(row)).length === 0 && !/\bours\b/.test(last(row)))
    .map(row => row.split('|')[1].trim());
}

/** The anchor of a heading, as VitePress makes it. */
export function anchorOf(heading) {
  return heading
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replaceAll(/[`*]/g, '')
    .normalize('NFKD')
    .replaceAll(/[\u0300-\u036f]/g, '')
    .replaceAll(/[\s~!@#$%^&*()\-_+=[\]{}|\\;:"'“”‘’<>,.?/]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .replace(/^(\d)/, '_$1')
    .toLowerCase();
}

/** Every anchor that a page has. */
export function anchorsOf(text) {
  return new Set([...withoutFences(text).matchAll(/^#{1,6} (.*)$/gm)].map(([, heading]) => anchorOf(heading)));
}

/** Addresses that a page links to, without those of definitions. */
export function linksOf(text) {
  return [...withoutFences(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, url]) => url);
}
