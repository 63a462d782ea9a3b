// The panels of the inspector, in every state and theme, as a reader with assistive technology meets them; and by the keyboard.

import type {LitElement} from 'lit';
import {expect, test} from 'vitest';
import {PageWalk} from '../page-walk.js';
import {FollowEvent, RegisterFile, SeekEvent, type Theme} from '../index.js';
import {SAMPLE_INSPECTIONS as SAMPLES, SampleSession} from '../samples/index.js';
import {FULL_TLB, PANEL_STORIES} from '../stories/panel-stories.js';
import {made} from '../stories/story.js';
import {accessibilityTrouble, mount, textOf} from '../testing/mounting.js';
import {
  AddressBox,
  AddressPath,
  AskWriterEvent,
  CountLookupsEvent,
  FaultStory,
  FragmentEvent,
  LookEvent,
  MemoryView,
  TlbLookups,
  TlbView,
  TranslationCacheView,
} from './index.js';

const session = new SampleSession();

const THEMES: readonly Theme[] = ['light', 'dark', 'contrast'];

for (const [name, make] of Object.entries(PANEL_STORIES)) {
  test(`${name} should be accessible in every theme`, async () => {
    for (const theme of THEMES) {
      await mount(make(), theme);
      expect(await accessibilityTrouble()).toEqual([]);
    }
  });
}

/** Everything of a kind that an element sends. */
function sent<E extends Event>(element: LitElement, name: string, kind: new (...args: never[]) => E): readonly E[] {
  const events: E[] = [];
  element.addEventListener(name, event => {
    if (event instanceof kind) events.push(event);
  });
  return events;
}

test('the keys move through memory: by a byte, by a row, by a page, and Enter asks who wrote', async () => {
  const view = await mount(made(new MemoryView(), {memory: SAMPLES.memory, selected: 0x8009n}));
  const looks = sent(view, 'hs-look', LookEvent);
  const questions = sent(view, 'hs-ask-writer', AskWriterEvent);
  const cell = view.shadowRoot?.querySelector('td[tabindex="0"]');
  for (const key of ['ArrowRight', 'ArrowLeft', 'PageDown', 'PageUp', 'Enter'])
    cell?.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true, composed: true}));
  expect(looks.map(event => event.detail.address)).toEqual([0x800an, 0x8008n, 0x8049n, 0x7fc9n]);
  expect(questions.map(event => event.detail.address)).toEqual([0x8009n]);
});

test('the bytes that the last step changed are marked, and said', async () => {
  const view = await mount(made(new MemoryView(), {memory: SAMPLES.memory, selected: 0x8000n}));
  const changed = [...(view.shadowRoot?.querySelectorAll('td.changed') ?? [])];
  expect(changed.map(cell => cell.textContent?.replaceAll(/\s+/g, ' ').trim())).toEqual(['48 changed', '65 changed']);
  expect(textOf(view)).toContain('The last step changed 2 bytes');
});

test('the writer of a byte is a sentence, and its step a place to go to', async () => {
  const view = await mount(made(new MemoryView(), {memory: SAMPLES.memory, selected: 0x8005n, writer: SAMPLES.writer}));
  const seeks = sent(view, 'hs-seek', SeekEvent);
  expect(textOf(view)).toContain('0x00 became 0x48');
  view.shadowRoot?.querySelector<HTMLButtonElement>('.writer button')?.click();
  expect(seeks.map(event => event.detail.index)).toEqual([4]);
});

test('a block stands beside its translation, and its jumps lead to other blocks', async () => {
  const view = await mount(made(new TranslationCacheView(), {content: SAMPLES.translation}));
  const wanted = sent(view, 'hs-fragment', FragmentEvent);
  expect(textOf(view)).toContain('mov byte [gs:0x89], 0');
  expect(textOf(view)).toContain('→ 0x8006, not translated yet');
  view.shadowRoot?.querySelector<HTMLButtonElement>('.jump button')?.click();
  view.shadowRoot?.querySelector<HTMLButtonElement>('.hot button')?.click();
  expect(wanted.map(event => event.detail.at)).toEqual([0xffe4_0022n, 0xffe4_0000n]);
});

test('while the host runs its registers lead into its own address space', async () => {
  const moment = session.moment();
  const file = made(new RegisterFile(), {
    cells: moment.header.cells,
    registers: moment.registers.map((_, at) => (moment.header.cells[at] === 'RSP' ? 0xffff_8880_0000_f000n : 0n)),
    previous: moment.registers,
    who: 'hypervisor',
    under: 'hardware',
  });
  await mount(file);
  const follows = sent(file, 'hs-follow', FollowEvent);
  for (const button of file.shadowRoot?.querySelectorAll<HTMLButtonElement>('button.address') ?? []) button.click();
  expect(follows.map(event => event.detail)).toEqual([{space: 'HVA', address: 0xffff_8880_0000_f000n}]);
});

test('the way of an address can be followed at each of its stations', async () => {
  const path = await mount(made(new AddressPath(), {content: SAMPLES.walk}));
  const follows = sent(path, 'hs-follow', FollowEvent);
  for (const button of path.shadowRoot?.querySelectorAll<HTMLButtonElement>('button') ?? []) button.click();
  expect(follows.map(event => event.detail.space)).toEqual(['GVA', 'GPA', 'HVA', 'HPA']);
  expect(textOf(path)).toContain('memory slot 0');
});

test('the last refused access leads to the steps of its answers', async () => {
  const story = await mount(made(new FaultStory(), {content: SAMPLES.fault, index: 52}));
  const seeks = sent(story, 'hs-seek', SeekEvent);
  for (const button of story.shadowRoot?.querySelectorAll<HTMLButtonElement>('button') ?? []) button.click();
  expect(seeks.map(event => event.detail.index)).toEqual([56]);
});

test('hits are counted over a longer stretch when somebody asks', async () => {
  const lookups = await mount(made(new TlbLookups(), {content: SAMPLES.lookups, most: 4096}));
  const asked = sent(lookups, 'hs-count-lookups', CountLookupsEvent);
  expect(textOf(lookups)).toContain('the TLB: a hit');
  lookups.shadowRoot?.querySelector<HTMLButtonElement>('button.small')?.click();
  expect(asked.map(event => event.detail.steps)).toEqual([4096]);
});

test('an address that cannot be read is told where it was written', async () => {
  const box = await mount(made(new AddressBox(), {address: 0x8000n, registers: new Map([['RSP', 0x7ff0n]])}));
  const looks = sent(box, 'hs-look', LookEvent);
  const input = box.shadowRoot?.querySelector('input');
  const form = box.shadowRoot?.querySelector('form');
  const submit = async (text: string): Promise<void> => {
    if (input !== null && input !== undefined) input.value = text;
    form?.requestSubmit();
    await box.updateComplete;
  };
  await submit('80zz');
  expect(textOf(box)).toContain('“80zz” is no address');
  expect(input?.getAttribute('aria-invalid')).toBe('true');
  await submit('rsp + 10');
  expect(looks.map(event => event.detail.address)).toEqual([0x8000n]);
});

test('an address can be followed wherever it stands', async () => {
  const walk = await mount(made(new PageWalk(), {walk: SAMPLES.walk.walk}));
  const follows = sent(walk, 'hs-follow', FollowEvent);
  walk.shadowRoot?.querySelector<HTMLButtonElement>('button.GVA')?.click();
  walk.shadowRoot?.querySelector<HTMLButtonElement>('td.guest button')?.click();
  expect(follows.map(event => event.detail.space)).toEqual(['GVA', 'GPA']);
  const moment = session.seek(3);
  const file = made(new RegisterFile(), {
    cells: moment.header.cells,
    registers: moment.registers,
    previous: moment.previousRegisters,
    who: 'guest-kernel',
  });
  await mount(file);
  const registers = sent(file, 'hs-follow', FollowEvent);
  file.shadowRoot?.querySelector<HTMLButtonElement>('dd button')?.click();
  expect(registers.map(event => event.detail)).toEqual([
    {space: 'GVA', address: moment.registers[moment.header.cells.indexOf('RIP')]},
  ]);
});

test('a processor without hardware for virtualization has no VMX operation to tell of', async () => {
  const moment = session.seek(3);
  const registers = moment.registers.map((value, at) => (moment.header.cells[at] === 'VMX_OPERATION' ? 0n : value));
  const file = made(new RegisterFile(), {
    cells: moment.header.cells,
    registers,
    previous: registers,
    under: 'software',
  });
  await mount(file);
  expect(textOf(file)).not.toContain('VMX');
});

test('a stale entry says why it may stay, and leads to the step that made it so', async () => {
  const view = await mount(made(new TlbView(), {content: SAMPLES.tlb}));
  const seeks = sent(view, 'hs-seek', SeekEvent);
  expect(textOf(view)).toContain('there was no INVLPG for this page');
  view.shadowRoot?.querySelector<HTMLButtonElement>('tr.reason button.small')?.click();
  expect(seeks.map(event => event.detail.index)).toEqual([4]);
});

test('a full TLB is drawn at once', async () => {
  const view = await mount(made(new TlbView(), {content: FULL_TLB}));
  expect(view.shadowRoot?.querySelectorAll('tbody tr')).toHaveLength(FULL_TLB.rows.length);
});
