// The views of time: the timeline's marks and selection, finds, breakpoints, speeds, micro-operations.

import type {Breakpoint, Hit, TimelineWindow} from '@hyperscope/trace';
import {expect, test} from 'vitest';
import {
  BreakpointEvent,
  BreakpointList,
  CodeView,
  FIRST_SPEED,
  FindEvent,
  MicroOperations,
  PlaySpeedControl,
  SelectEvent,
  SelectionView,
  SpeedEvent,
  Timeline,
  TraceFinds,
  neighbouringSpeed,
} from './index.js';
import {linearScale} from './cycle-scale.js';
import {SampleSession} from './samples/index.js';
import {accessibilityTrouble, mount, textOf} from './testing/mounting.js';
import {areApart} from './timeline-marks.js';

const session = new SampleSession();

const HITS: readonly Hit[] = [
  {index: 5, cycle: 1242, who: 'guest-kernel', kind: 'instruction', text: 'out dx, al'},
  {index: 12, cycle: 4000, who: 'hypervisor', kind: 'host-action', text: 'exit 30 · I/O instruction'},
];

const TOTALS = {
  fromCycle: 1000,
  toCycle: 3000,
  fromState: 4,
  toState: 9,
  actors: [
    {who: 'guest-kernel', cycles: 500, instructions: 3, otherSteps: 0},
    {who: 'hypervisor', cycles: 1500, instructions: 0, otherSteps: 2},
  ],
  exits: [{reason: 'I/O instruction', count: 2}],
  exceptions: [{name: '#GP', count: 1}],
} as const;

/** Counts events of a kind that an element sends. */
function heard<T extends Event>(element: HTMLElement, name: string, kind: new (...args: never[]) => T): T[] {
  const found: T[] = [];
  element.addEventListener(name, event => {
    if (event instanceof kind) found.push(event);
  });
  return found;
}

function button(element: HTMLElement, name: string): HTMLButtonElement {
  const found = [...(element.shadowRoot?.querySelectorAll('button') ?? [])].find(
    one => (one.getAttribute('aria-label') ?? one.textContent ?? '').trim() === name,
  );
  if (found === undefined) throw new Error(`no button is called ${name}`);
  return found;
}

test('what happened in a selection is told in numbers', async () => {
  const view = new SelectionView();
  view.totals = TOTALS;
  const cleared = heard(view, 'hs-select', SelectEvent);
  await mount(view);
  expect(textOf(view)).toContain('2 000 cycles');
  expect(textOf(view)).toContain('guest kernel 25.0 %, 3 instructions');
  expect(textOf(view)).toContain('I/O instruction 2');
  button(view, 'Clear the selection').click();
  expect(cleared.map(event => event.detail ?? 'nothing')).toEqual(['nothing']);
  expect(await accessibilityTrouble()).toEqual([]);
});

test('dragging with shift selects, and [ and ] put its ends at the playhead', async () => {
  const element = new Timeline();
  Object.assign(element, {window: session.timeline(0, 12_000, 800), end: 12_000, length: 23, index: 5, playhead: 3000});
  const selected = heard(element, 'hs-select', SelectEvent);
  await mount(element);
  await new Promise(resolve => {
    requestAnimationFrame(() => requestAnimationFrame(resolve));
  });
  const track = element.shadowRoot?.querySelector('.track');
  if (!(track instanceof HTMLElement)) throw new Error('the timeline has no track');
  Object.assign(track, {setPointerCapture: () => undefined});
  const box = track.getBoundingClientRect();
  const at = (share: number): PointerEventInit => ({
    pointerId: 1,
    button: 0,
    shiftKey: true,
    clientX: box.left + box.width * share,
    clientY: box.top + 60,
    bubbles: true,
  });
  track.dispatchEvent(new PointerEvent('pointerdown', at(0.75)));
  track.dispatchEvent(new PointerEvent('pointermove', at(0.5)));
  track.dispatchEvent(new PointerEvent('pointerup', at(0.5)));
  expect(Math.round(selected[0]?.detail?.from ?? 0)).toBe(6000);
  expect(selected[0]?.detail?.to).toBeGreaterThan(8500);
  track.dispatchEvent(new KeyboardEvent('keydown', {key: ']', bubbles: true}));
  expect(selected[1]?.detail).toEqual({from: 0, to: 3000});
});

test('marks are drawn one by one only where they are all there and apart', () => {
  const window: TimelineWindow = session.timeline(0, 12_000, 800);
  const wide = linearScale(0, 12_000, [0, 1000]);
  expect(areApart(window, wide)).toBe(true);
  expect(areApart({...window, marked: window.marks.length + 1}, wide)).toBe(false);
  expect(areApart(window, linearScale(0, 12_000, [0, 20]))).toBe(false);
});

test('the search asks for what was typed, and lists finds as jumps', async () => {
  const finds = new TraceFinds();
  Object.assign(finds, {text: 'out', hits: HITS, standing: '2 found', index: 5});
  const asked = heard(finds, 'hs-find', FindEvent);
  await mount(finds);
  button(finds, 'Find').click();
  expect(asked.map(event => event.detail.text)).toEqual(['out']);
  expect(finds.shadowRoot?.querySelectorAll('li')).toHaveLength(2);
  expect(finds.shadowRoot?.querySelector('[aria-current]')?.textContent).toContain('out dx, al');
  expect(await accessibilityTrouble()).toEqual([]);
});

test('a breakpoint is set in the code, named in the list, and taken away there', async () => {
  const code = new CodeView();
  const {code: lines} = session.seek(4);
  const address = lines[1]?.address ?? 0n;
  Object.assign(code, {lines, current: lines[0]?.address, breakpoints: [{kind: 'address', address}]});
  const set = heard(code, 'hs-breakpoint', BreakpointEvent);
  await mount(code);
  expect(code.shadowRoot?.querySelectorAll('.gutter.set')).toHaveLength(1);
  const gutter = code.shadowRoot?.querySelector('.gutter');
  if (gutter instanceof HTMLElement) gutter.click();
  expect(set.map(event => event.detail)).toEqual([{kind: 'address', address: lines[0]?.address}]);

  const list = new BreakpointList();
  const breakpoints: readonly Breakpoint[] = [
    {kind: 'port', port: 0x3f8},
    {kind: 'exit', reason: ''},
    {kind: 'line', line: 12},
  ];
  Object.assign(list, {breakpoints, reasons: ['CPUID']});
  const changed = heard(list, 'hs-breakpoint', BreakpointEvent);
  await mount(list);
  expect(textOf(list)).toContain('port 0x3f8');
  expect(textOf(list)).toContain('any exit');
  button(list, 'Remove line 12').click();
  expect(changed.map(event => event.detail)).toEqual([{kind: 'line', line: 12}]);
  expect(await accessibilityTrouble()).toEqual([]);
});

test('the speed of Play is chosen, and where it stays', async () => {
  const control = new PlaySpeedControl();
  control.exits = true;
  const chosen = heard(control, 'hs-speed', SpeedEvent);
  await mount(control);
  const [speed, exits] = control.shadowRoot?.querySelectorAll('select') ?? [];
  if (speed === undefined || exits === undefined) throw new Error('the selects are missing');
  speed.value = '×16';
  speed.dispatchEvent(new Event('change'));
  exits.value = 'stop';
  exits.dispatchEvent(new Event('change'));
  expect(chosen.map(event => [event.detail.speed, event.detail.stays.exit])).toEqual([
    ['×16', FIRST_SPEED.stays.exit],
    [FIRST_SPEED.speed, 'stop'],
  ]);
  expect([neighbouringSpeed('×1', 1), neighbouringSpeed('×¼', -1)]).toEqual(['×4', '×¼']);
  expect(await accessibilityTrouble()).toEqual([]);
});

test('micro-operations show their values only once they are done', async () => {
  const view = new MicroOperations();
  view.steps = [
    {
      text: 't1 ← mem64[RSP]',
      reads: [{name: 'RSP', value: '0x7000'}],
      writes: [{name: 'mem64[0x7000]', value: '0x10'}],
    },
    {text: 'RBX ← t1', reads: [], writes: [{name: 'RBX', value: '0x10'}]},
  ];
  await mount(view);
  expect(textOf(view)).toContain('RSP = 0x7000');
  expect(textOf(view)).not.toContain('RBX = 0x10');
  view.at = 1;
  await view.updateComplete;
  expect(textOf(view)).toContain('RBX = 0x10');
  expect(await accessibilityTrouble()).toEqual([]);
});
