// The documentation as a site beside the lab: the same files that are read in the repository, with live labs in them.

import {readdirSync, readFileSync} from 'node:fs';
import {relative, sep} from 'node:path';
import {fileURLToPath} from 'node:url';
import {defineConfig} from 'vitepress';
import {HOME, anyFolder, pageForAnyFolder} from './any-folder.js';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Decisions in their order, by their first headings. */
const decisions = readdirSync(here('../decisions'))
  .filter(name => /^\d{4}-.*\.md$/.test(name))
  .sort()
  .map(name => {
    const heading = /^# (.*)$/m.exec(readFileSync(here(`../decisions/${name}`), 'utf8'))?.[1] ?? name;
    return {text: heading, link: `/decisions/${name.replace(/\.md$/, '')}`};
  });

/** The first decision: on the pages of decisions the list has all of them. */
const FIRST_DECISION = decisions[0]?.link ?? '/architecture';

const page = (text: string, name: string): {readonly text: string; readonly link: string} => ({text, link: `/${name}`});

const SIDEBAR = [
  {
    text: 'Begin',
    items: [
      page('Getting started', 'getting-started'),
      page('Lecturer’s guide', 'lecturers-guide'),
      page('Student’s guide', 'students-guide'),
      page('Moving in time', 'time'),
      page('For a class: one KVM host', 'for-a-class'),
    ],
  },
  {
    text: 'The tour of ideas',
    items: [
      page('The tour, in the order of the lecture', 'tour'),
      page('Classification', 'classification'),
      page('Trap and emulate', 'trap-and-emulate'),
      page('Binary translation', 'binary-translation'),
      page('Paravirtualization', 'paravirtualization'),
      page('A control program, after CP-67', 'control-program'),
      page('Virtualization in hardware', 'virtualization-hardware'),
      page('What things cost', 'cost-model'),
    ],
  },
  {
    text: 'Reference',
    items: [
      page('Guests', 'guests'),
      page('The inspector', 'inspector'),
      page('Links, embedding, comparing', 'sharing'),
      page('The command line', 'command-line'),
      page('Processors', 'processors'),
      page('Processor features', 'processor-features'),
      page('Format of a record', 'trace-format'),
      page('Writing a scenario', 'writing-scenarios'),
      page('Security', 'security'),
      page('Glossary', 'glossary'),
    ],
  },
  {
    text: 'How it is built',
    items: [
      page('Architecture', 'architecture'),
      page('Reading guide', 'reading-guide'),
      page('Comparing with processors', 'comparing-with-processors'),
      page('Adding an instruction', 'adding-an-instruction'),
      page('Adding a technique', 'adding-a-technique'),
    ],
  },
];

export default defineConfig({
  title: 'Hyperscope',
  description: 'A laboratory that shows how x86 virtualization works by running it.',
  lang: 'en',
  base: `${HOME}docs/`,
  outDir: here('../../packages/visualiser/dist/docs'),
  srcExclude: ['deploy/**', 'node_modules/**'],
  cleanUrls: false,
  vite: {plugins: [anyFolder()]},
  transformHtml: (html, file, {siteConfig}) =>
    pageForAnyFolder(html, relative(siteConfig.outDir, file).replaceAll(sep, '/')),
  // The theme follows the reader's system, as the lab does.
  appearance: true,
  // Colours of code that can be read in a hall.
  markdown: {theme: {light: 'github-light-high-contrast', dark: 'github-dark-high-contrast'}},
  head: [
    ['link', {rel: 'icon', href: `${HOME}icon.svg`, type: 'image/svg+xml'}],
    ['script', {type: 'module', src: `${HOME}hyperscope-lab.js`}],
  ],
  vue: {template: {compilerOptions: {isCustomElement: tag => tag === 'hyperscope-lab'}}},
  themeConfig: {
    siteTitle: 'Hyperscope',
    search: {provider: 'local'},
    outline: [2, 3],
    docFooter: {prev: 'Before', next: 'Next'},
    nav: [
      page('Getting started', 'getting-started'),
      page('For lecturers', 'lecturers-guide'),
      page('For students', 'students-guide'),
      page('The tour', 'tour'),
      // The folder above the site.
      {text: 'Open the lab', link: '/../', target: '_self'},
    ],
    // Not folded: a heading that folds is a button around a link, which no screen reader can tell apart.
    sidebar: {
      '/decisions/': [...SIDEBAR, {text: 'Decisions', items: decisions}],
      '/': [...SIDEBAR, {text: 'Decisions', items: [{text: 'Decisions, and their reasons', link: FIRST_DECISION}]}],
    },
  },
});
