// What pages of the documentation name is there: guests, techniques, panels and steps of their labs, guests and machines of their
// commands, and a word of the glossary for whatever the lab writes on the screen.

import {readFileSync, readdirSync} from 'node:fs';
import {EXIT_REASONS} from '@hyperscope/isa';
import {SHIPPED, SimulationHost} from '@hyperscope/simulation';
import {describe, expect, test} from 'vitest';

const file = (path: string): string => readFileSync(new URL(`../../../../${path}`, import.meta.url), 'utf8');
const PAGES = readdirSync(new URL('../../../../docs', import.meta.url))
  .filter(name => name.endsWith('.md'))
  .map(name => ({name, text: file(`docs/${name}`)}));

const host = new SimulationHost(SHIPPED);
const guests = new Set([...host.guests(), ...host.cards(), ...host.singleUserSystems()].map(guest => guest.id));
const techniques = new Set(host.techniques().map(technique => technique.id));

/** The words of a list in the source of the page, which a terminal may not import: `NAMES = ['code', …]`. */
function wordsOf(path: string, name: string): ReadonlySet<string> {
  const list = new RegExp(`${name}\\b[^=]*= \\[([^\\]]*)\\]`).exec(file(path))?.[1] ?? '';
  return new Set([...list.matchAll(/'([^']+)'/g)].map(([, word = '']) => word));
}
const panels = wordsOf('packages/visualiser/src/embed/embed-messages.ts', 'EMBED_PANELS');
const themes = wordsOf('packages/elements/src/theme.ts', 'THEMES');

const LABS = PAGES.flatMap(({name, text}) =>
  [...text.matchAll(/<hyperscope-lab((?:\s+[\w-]+="[^"]*")+)\s*>/g)].map(([, attributes = '']) => ({
    page: name,
    attributes: new Map(
      [...attributes.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, key = '', value = '']) => [key, value]),
    ),
  })),
);

describe('the labs of the documentation', () => {
  test('are found', () => {
    expect(LABS.length).toBeGreaterThan(8);
    expect(panels.size).toBeGreaterThan(4);
    expect(themes.size).toBeGreaterThan(2);
  });
  test.each(LABS)('name what there is: $page $attributes', ({attributes}) => {
    expect(guests).toContain(attributes.get('guest'));
    expect(techniques).toContain(attributes.get('technique'));
    for (const panel of attributes.get('panels')?.split(' ') ?? []) expect(panels).toContain(panel);
    expect(themes).toContain(attributes.get('theme') ?? 'light');
    expect(attributes.has('link')).toBe(false);
  });
  const placed = LABS.filter(({attributes}) => attributes.has('step'));
  test.each(placed)('begin at the first OUT where they name a step: $page $attributes', async ({attributes}) => {
    const [guest = '', technique = ''] = [attributes.get('guest'), attributes.get('technique')];
    await host.prepare({guest, technique});
    const session = host.open({guest, technique});
    let moment = session.step('forward', 'exit');
    while (!moment.why.title.includes('out dx, al left the guest')) moment = session.step('forward', 'exit');
    expect(moment.index).toBe(Number(attributes.get('step')));
  });
});

describe('commands of the documentation', () => {
  /** Elsewhere than in the simulator. */
  const REAL = ['kvm', 'qemu-tcg', 'qemu-kvm'];
  /** Of a guest or a technique that the reader writes. */
  const YOURS = ['GUEST', 'my-technique'];
  const commands = PAGES.filter(({name}) => name !== 'command-line.md').flatMap(({name, text}) =>
    [...text.matchAll(/hyperscope (?:run|compare|record) (?!-)([\w-]+)(?![\w./])([^\n`|]*)/g)].map(
      ([command, guest = '', rest = '']) => ({page: name, command: command.trim(), guest, rest}),
    ),
  );
  test('are found', () => {
    expect(commands.length).toBeGreaterThan(15);
  });
  test.each(commands)('name guests and machines that there are: $page: $command', ({guest, rest}) => {
    expect([...guests, ...YOURS]).toContain(guest);
    for (const machine of /--on ([\w,-]+)/.exec(rest)?.[1]?.split(',') ?? [])
      expect([...techniques, ...REAL, ...YOURS]).toContain(machine);
  });
});

/** What a pattern finds in the source of the page, which a terminal may not import. */
const found = (path: string, pattern: RegExp): readonly string[] =>
  [...file(path).matchAll(pattern)].map(match => match.slice(1).find(part => part !== undefined) ?? '');

describe('the glossary', () => {
  const glossary = file('docs/glossary.md').toLowerCase();
  const words = {
    'reason of an exit': EXIT_REASONS.map(({number, title}) => `${number} ${title}`),
    'who runs': found('packages/elements/src/actors.ts', /name: '([^']+)'/g),
    'chip on a line of code': found('packages/elements/src/code-view.ts', /^ {2}'?[\w-]+'?: '([^']+)',$/gm),
    'address under the stage': found(
      'packages/simulation/src/session/strip.ts',
      /(?:pointing|orNone)\('([^']+)'|label: '([^']+)'/g,
    ),
    'area of the VMCS': found('packages/simulation/src/session/vmcs-panel.ts', /^ {2}'?[\w-]+'?: '([^']+)',$/gm),
  };
  test.each(Object.entries(words))('has every %s', (_, names) => {
    expect(names.length).toBeGreaterThan(3);
    expect(names.filter(name => !glossary.includes(name.toLowerCase()))).toEqual([]);
  });
});

test('the page on the inspector has every tab', () => {
  const titles = found('packages/visualiser/src/views/inspector-tabs.ts', /^ {2}'?[\w-]+'?: '([^']+)',$/gm);
  expect(titles.length).toBeGreaterThan(10);
  const page = file('docs/inspector.md');
  expect(titles.filter(title => !page.includes(`| ${title}`))).toEqual([]);
});
