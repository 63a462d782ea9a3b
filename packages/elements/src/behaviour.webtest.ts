// What elements show, and the events that they send.

import {expect, test} from 'vitest';
import {
  CodeView,
  ExitTable,
  RegisterFile,
  RingStage,
  SeekCycleEvent,
  SeekEvent,
  Timeline,
  Transport,
  TransportEvent,
  Why,
  WindowEvent,
  routeMarks,
  stagePicture,
  stageSentence,
} from './index.js';
import {PageWalk, ShadowWalk, VmcsView} from './panels/index.js';
import {SAMPLE_SHADOW, SAMPLE_SOURCE, SampleSession} from './samples/index.js';
import {mount, textOf} from './testing/mounting.js';

const session = new SampleSession();
const marks = routeMarks(session.timeline(0, 13_000, 10).marks);

test('the stage names the exit, its reason and its cycles, and marks the cell where the processor is', async () => {
  const stage = new RingStage();
  stage.picture = stagePicture(session.seek(5), 'hardware', marks);
  await mount(stage);
  expect(textOf(stage)).toContain('VM exit · 30 I/O instruction');
  expect(textOf(stage)).toContain('port 0x3f8 (the first serial port), out, 1 byte');
  expect(textOf(stage)).toContain('1,240 cycles');
  expect(stage.shadowRoot?.querySelector('td.here')?.textContent).toContain('KVM');
});

test('the route of an exit lights up leg by leg and is dark again when the guest runs on', () => {
  const legs = (index: number): readonly string[] =>
    Object.values(stagePicture(session.seek(index), 'hardware', marks).legs);
  expect(legs(4)).toEqual(['idle', 'idle', 'idle', 'idle']);
  expect(legs(5)).toEqual(['now', 'idle', 'idle', 'idle']);
  expect(legs(7)).toEqual(['done', 'now', 'idle', 'idle']);
  expect(legs(9)).toEqual(['done', 'done', 'now', 'idle']);
  expect(legs(10)).toEqual(['done', 'done', 'done', 'now']);
  expect(legs(11)).toEqual(['idle', 'idle', 'idle', 'idle']);
});

test('the stage says in one sentence what it draws', () => {
  const sentence = stageSentence(stagePicture(session.seek(5), 'hardware', marks));
  expect(sentence).toBe(
    'VM exit · 30 I/O instruction (port 0x3f8 (the first serial port), out, 1 byte), 1240 cycles: from VMX non-root operation, ring 0 to VMX root operation, ring 0. The KVM runs in VMX root operation, ring 0, 64-bit mode.',
  );
});

test('without a hypervisor there is one diagram and one row', async () => {
  const stage = new RingStage();
  stage.picture = stagePicture({...session.seek(3), operation: 'none'}, 'none', []);
  await mount(stage);
  expect(stage.shadowRoot?.querySelectorAll('tbody tr')).toHaveLength(1);
  expect(textOf(stage)).toContain('no hypervisor');
});

test('the decisive check is marked, and only that one', async () => {
  const why = new Why();
  why.explanation = session.seek(5).why;
  await mount(why);
  expect(why.shadowRoot?.querySelectorAll('li')).toHaveLength(2);
  expect(why.shadowRoot?.querySelector('li.decided')?.textContent).toContain('bit 0x3f8 of the I/O bitmap is set');
  expect(why.shadowRoot?.querySelectorAll('.decisive')).toHaveLength(1);
});

test('what an instruction means is shown, but waits where it was stopped by a check', async () => {
  const why = new Why();
  const {why: told} = session.seek(5);
  why.explanation = {...told, meaning: ['port DX ← AL']};
  await mount(why);
  expect(why.shadowRoot?.querySelector('details .meaning')?.textContent).toBe('port DX ← AL');
  why.explanation = {...told, checks: [], meaning: ['AL ← 0x48'], changes: []};
  await why.updateComplete;
  expect(why.shadowRoot?.querySelector('details .meaning')).toBeNull();
  expect(textOf(why)).toContain('AL ← 0x48');
});

test('the registers say whose they are, and the VMCS shows a field as it was', async () => {
  const row = {area: 'Guest state', name: 'GUEST_RIP', value: '0x8007', changed: true, was: '0x8006', meaning: ''};
  const moment = session.seek(5);
  const file = new RegisterFile();
  Object.assign(file, {
    cells: moment.header.cells,
    registers: moment.registers,
    previous: moment.previousRegisters,
    who: 'hypervisor',
    vmcs: [row],
  });
  await mount(file);
  expect(textOf(file)).toContain('now the host’s');
  expect(file.shadowRoot?.querySelector('.saved')?.textContent).toContain('0x8007');
  file.who = 'guest-kernel';
  await file.updateComplete;
  expect(textOf(file)).toContain('now the guest’s');
  expect(file.shadowRoot?.querySelector('.saved')).toBeNull();
  const vmcs = new VmcsView();
  vmcs.rows = [row];
  await mount(vmcs);
  expect(vmcs.shadowRoot?.querySelector('.was')?.textContent).toBe('was 0x8006');
});

test('the current line is marked in the disassembly and, after the toggle, in the source', async () => {
  const code = new CodeView();
  Object.assign(code, {lines: session.seek(5).code, current: 0x8007n, source: SAMPLE_SOURCE});
  await mount(code);
  expect(code.shadowRoot?.querySelector('.current')?.textContent).toContain('out dx, al');
  const toggle = code.shadowRoot?.querySelectorAll('button')[1];
  toggle?.click();
  await code.updateComplete;
  expect(code.shadowRoot?.querySelector('.current')?.textContent).toContain('; COM1');
});

test('a changed register shows its old value, and flags show which were set and cleared', async () => {
  const file = new RegisterFile();
  const moment = session.seek(18);
  Object.assign(file, {cells: moment.header.cells, registers: moment.registers, previous: moment.previousRegisters});
  await mount(file);
  const changed = [...(file.shadowRoot?.querySelectorAll('.changed') ?? [])].map(
    row => row.textContent?.replaceAll(/\s+/g, ' ') ?? '',
  );
  expect(changed.some(text => text.includes('RAX') && text.includes('was 0x69'))).toBe(true);
  expect(changed.some(text => text.includes('RFLAGS') && text.includes('ZF (now set)'))).toBe(true);
});

test('vector registers stand below the others once there are any', async () => {
  const file = new RegisterFile();
  const {header, registers, previousRegisters} = session.seek(18);
  Object.assign(file, {cells: header.cells, registers, previous: previousRegisters});
  await mount(file);
  expect(textOf(file)).not.toContain('Vector and x87 state');
  file.vector = [{name: 'FTW', value: '0x00ff', changed: true, was: '0x0000', meaning: 'no register is empty'}];
  await file.updateComplete;
  const last = [...(file.shadowRoot?.querySelectorAll('dl') ?? [])].at(-1);
  expect(last?.textContent?.replaceAll(/\s+/g, ' ').trim()).toBe('FTW 0x00ff was 0x0000 no register is empty');
  expect(last?.querySelector('.zero')?.textContent).toBe('0x00');
  expect(textOf(file)).not.toContain('not listed');
});

test('an exit in the table leads to the next exit of that reason', async () => {
  const table = new ExitTable();
  Object.assign(table, {rows: session.exits(), index: 5});
  await mount(table);
  const asked: number[] = [];
  table.addEventListener('hs-seek', event => {
    if (event instanceof SeekEvent) asked.push(event.detail.index);
  });
  table.shadowRoot?.querySelector('button')?.click();
  expect(asked).toEqual([12]);
});

test('a walk under EPT shows 24 entries in the order in which they were read', async () => {
  const walk = new PageWalk();
  walk.walk = session.seek(5).walk;
  await mount(walk);
  expect([...(walk.shadowRoot?.querySelectorAll('sup') ?? [])].map(item => Number(item.textContent))).toEqual(
    Array.from({length: 24}, (_, at) => at + 1),
  );
});

test('a walk under nested paging has its own columns, and ends in a nested page fault', async () => {
  const {walk: ept} = session.seek(5);
  const walk = new PageWalk();
  walk.walk = ept && {
    ...ept,
    outcome: 'ept-violation',
    references: ept.references.map(each => (each.table === 'ept' ? {...each, table: 'npt' as const} : each)),
  };
  await mount(walk);
  expect(walk.shadowRoot?.querySelectorAll('sup')).toHaveLength(24);
  expect([...(walk.shadowRoot?.querySelectorAll('thead th') ?? [])].slice(1, 3).map(each => each.textContent)).toEqual([
    'NPT PML4',
    'NPT PDPT',
  ]);
  expect(textOf(walk)).toContain('nested-page-fault');
  expect(textOf(walk)).not.toContain('EPT');
});

test('under SVM the registers tell of a host and a guest mode, and what the VMCB keeps', async () => {
  const {header, registers, previousRegisters} = session.seek(5);
  const own = registers.slice();
  own[header.cells.indexOf('EFER')] = 0x1500n;
  own[header.cells.indexOf('VMX_OPERATION')] = 2n;
  const row = (area: string, name: string): object => ({area, name, value: '0x8006', changed: false, meaning: ''});
  const file = new RegisterFile();
  Object.assign(file, {
    cells: header.cells,
    registers: own,
    previous: previousRegisters,
    who: 'hypervisor',
    vmcs: [row('Exit information', 'EXITCODE'), row('Guest state', 'RIP')],
  });
  await mount(file);
  expect(textOf(file)).toContain('SVM mode guest mode');
  expect(textOf(file)).not.toContain('VMX');
  expect(textOf(file)).toContain('kept in the VMCB');
  expect(file.shadowRoot?.querySelector('.saved')?.textContent).toContain('RIP');
});

test('the transport offers the next exit where exits exist, else the next event', async () => {
  const transport = new Transport();
  Object.assign(transport, {length: 20, exits: true});
  await mount(transport);
  const commands: string[] = [];
  transport.addEventListener('hs-transport', event => {
    if (event instanceof TransportEvent) commands.push(event.detail.command);
  });
  const next = transport.shadowRoot?.querySelector('.next');
  if (next instanceof HTMLButtonElement) next.click();
  expect(commands).toEqual(['next-exit']);
  transport.exits = false;
  await transport.updateComplete;
  expect(transport.shadowRoot?.querySelector('.next')?.textContent).toContain('Next event');
});

async function timeline(): Promise<Timeline> {
  const element = new Timeline();
  Object.assign(element, {window: session.timeline(0, 12_000, 800), end: 12_000, length: 23, index: 5, playhead: 2482});
  await mount(element);
  await new Promise(resolve => {
    requestAnimationFrame(() => requestAnimationFrame(resolve));
  });
  return element;
}

function track(element: Timeline): HTMLElement {
  const found = element.shadowRoot?.querySelector('.track');
  if (!(found instanceof HTMLElement)) throw new Error('the timeline has no track');
  return found;
}

test('dragging the playhead asks for the cycle under the pointer', async () => {
  const element = await timeline();
  const asked: number[] = [];
  element.addEventListener('hs-seek-cycle', event => {
    if (event instanceof SeekCycleEvent) asked.push(event.detail.cycle);
  });
  const box = track(element).getBoundingClientRect();
  const at = (share: number): PointerEventInit => ({
    pointerId: 1,
    button: 0,
    clientX: box.left + box.width * share,
    clientY: box.top + 60,
    bubbles: true,
  });
  Object.assign(track(element), {setPointerCapture: () => undefined});
  track(element).dispatchEvent(new PointerEvent('pointerdown', at(0.25)));
  track(element).dispatchEvent(new PointerEvent('pointermove', at(0.5)));
  track(element).dispatchEvent(new PointerEvent('pointerup', at(0.5)));
  track(element).dispatchEvent(new PointerEvent('pointermove', at(0.75)));
  // The scale begins and ends eight pixels inside the track.
  const quarter = (12_000 * (box.width / 4 - 8)) / (box.width - 16);
  expect(asked.map(Math.round)).toEqual([Math.round(quarter), 6000]);
});

test('the timeline is a slider for the keyboard, and zooms around the playhead', async () => {
  const element = await timeline();
  const seeks: number[] = [];
  const windows: number[] = [];
  element.addEventListener('hs-seek', event => {
    if (event instanceof SeekEvent) seeks.push(event.detail.index);
  });
  element.addEventListener('hs-window', event => {
    if (event instanceof WindowEvent) windows.push(event.detail.to - event.detail.from);
  });
  for (const key of ['ArrowRight', 'ArrowLeft', 'Home', 'End', '+'])
    track(element).dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true}));
  expect(seeks).toEqual([6, 4, 0, 23]);
  expect(windows.at(-1)).toBe(6000);
  expect(track(element).getAttribute('role')).toBe('slider');
  expect(track(element).getAttribute('aria-valuenow')).toBe('5');
});

test('lanes are painted in the colours of who runs', async () => {
  const element = await timeline();
  const canvas = element.shadowRoot?.querySelector('canvas');
  const pixel = canvas
    ?.getContext('2d')
    ?.getImageData(Math.round(12 * devicePixelRatio), Math.round((16 + 3 * 21 + 10) * devicePixelRatio), 1, 1).data;
  // #e69f00: QEMU calls ioctl(KVM_RUN) first. The column is full, so the colour is exact.
  expect([...(pixel ?? [])].slice(0, 3)).toEqual([230, 159, 0]);
});

test('shadow paging: what is different has a name and a reason, both walks say where they lead, and counts are counted', async () => {
  const walk = new ShadowWalk();
  walk.shadow = SAMPLE_SHADOW;
  await mount(walk);
  expect(textOf(walk)).toContain('GVA 0x400123 in the guest’s tables and in their shadow: read-only because clean.');
  expect(textOf(walk)).toContain('The shadow is read-only, because the page is clean');
  const rows = [...(walk.shadowRoot?.querySelectorAll('tbody tr') ?? [])].map(row =>
    (row.textContent ?? '').replaceAll(/\s+/g, ' ').trim(),
  );
  expect(rows.slice(6, 10)).toEqual([
    'PT GPA 0x4000 90027 writable, user, accessed',
    'HPA 0x48f000 1090025 read-only, user, accessed',
    'leads to GPA 0x90123',
    'HPA 0x1090123',
  ]);
  expect(rows.slice(10)).toEqual([
    'hidden faults 12',
    'true faults 2',
    'page-table writes 3',
    'CR3 loads 5',
    'INVLPGs 1',
    'tables let go 2',
  ]);
});
