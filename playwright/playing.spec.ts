// What the page does for each moment while it plays, counted and not timed: how often it asks, draws and measures. Each count
// can only grow by a fault: a panel that is drawn without need, a question that nobody waits for, a measure that lays the page
// out in the midst of changing it.

import {expect, test, type Page} from '@playwright/test';
import {LabPage} from './lab-page.js';

test.use({reducedMotion: 'no-preference'});
// Sixty thousand steps are recorded first: that takes as long as the machine is busy.
test.describe.configure({timeout: 90_000});

/** A loop that never ends: arithmetic, memory and calls, and now and then an exit. */
const LOOP = `
        bits 64
        org 0x8000
        mov rsp, 0x7000
again:  mov ecx, 32
round:  add eax, ecx
        mov [counter], eax
        xor ebx, [counter]
        call leaf
        dec ecx
        jnz round
        mov dx, 0x3f8
        mov al, 'a'
        out dx, al
        jmp again
leaf:   ret
counter: dq 0
`;

interface Counts {
  /** Moments that were shown, and pictures of the screen in which more than one was asked for. */
  readonly moments: number;
  readonly crowded: number;
  /** Questions to the worker by name; and the most questions about the timeline between two pictures. */
  readonly asked: Readonly<Record<string, number>>;
  readonly windows: number;
  /** How often elements were drawn, by name. */
  readonly drawn: Readonly<Record<string, number>>;
  /** How often the lanes of the timeline were painted, the most between two pictures. */
  readonly painted: number;
  /** What was measured, by name. */
  readonly measured: Readonly<Record<string, number>>;
}

/** Watches questions, drawing and measuring from the beginning of the page. */
async function watch(page: Page): Promise<void> {
  await page.addInitScript({
    content: `
      const counts = {moments: 0, crowded: 0, asked: {}, windows: 0, drawn: {}, painted: 0, measured: {}};
      const count = (what, name) => { what[name] = (what[name] ?? 0) + 1; };
      let [plays, windows, paints] = [0, 0, 0];
      window.playingCounts = counts;
      window.playingFrame = () => {
        if (plays > 1) counts.crowded++;
        counts.windows = Math.max(counts.windows, windows);
        counts.painted = Math.max(counts.painted, paints);
        [plays, windows, paints] = [0, 0, 0];
      };
      const post = Worker.prototype.postMessage;
      Worker.prototype.postMessage = function (message, ...rest) {
        const name = message?.path?.[0] ?? 'other';
        count(counts.asked, name);
        if (name === 'play') plays++;
        // The map of the whole run is asked for while more is recorded; the window that is looked at is 1000 columns wide here.
        if (name === 'timeline' && message.argumentList[2].value === 1000) {
          windows++;
          count(counts.asked, 'window');
        }
        return post.call(this, message, ...rest);
      };
      const paint = CanvasRenderingContext2D.prototype.setTransform;
      CanvasRenderingContext2D.prototype.setTransform = function (...values) {
        if (this.canvas.className === 'lanes') paints++;
        return paint.apply(this, values);
      };
      for (const name of ['getBoundingClientRect', 'getClientRects', 'scrollIntoView', 'checkVisibility']) {
        const method = Element.prototype[name];
        Element.prototype[name] = function (...values) { count(counts.measured, name); return method.apply(this, values); };
      }
      const getters = {Element: ['clientWidth', 'clientHeight', 'scrollHeight', 'scrollWidth'], HTMLElement: ['offsetTop', 'offsetLeft', 'offsetWidth', 'offsetHeight']};
      for (const [type, names] of Object.entries(getters)) for (const name of names) {
        const property = Object.getOwnPropertyDescriptor(window[type].prototype, name);
        Object.defineProperty(window[type].prototype, name, {...property, get() { count(counts.measured, name); return property.get.call(this); }});
      }
    `,
  });
}

/** Plays until so many moments were shown; gives what was counted meanwhile. */
async function played(page: Page, moments: number): Promise<Counts> {
  return page.evaluate(`(async () => {
    const lab = document.querySelector('hs-lab');
    const {controller} = lab;
    let type = Object.getPrototypeOf(lab);
    while (!Object.hasOwn(type, 'performUpdate')) type = Object.getPrototypeOf(type);
    const counts = window.playingCounts;
    if (!window.playingDraws) {
      const draw = type.performUpdate;
      type.performUpdate = function () {
        if (this.isUpdatePending) counts.drawn[this.localName] = (counts.drawn[this.localName] ?? 0) + 1;
        return draw.call(this);
      };
      window.playingDraws = true;
    }
    controller.time.setSpeed({speed: '×1000', stays: {exit: 'run through', ring: 'run through', mode: 'run through'}});
    const next = () => new Promise(resolve => requestAnimationFrame(resolve));
    controller.togglePlay();
    for (let i = 0; i < 3; i++) await next();
    window.playingFrame();
    Object.assign(counts, {moments: 0, crowded: 0, asked: {}, windows: 0, drawn: {}, painted: 0, measured: {}});
    for (let shown = controller.state.moment; counts.moments < ${moments};) {
      await next();
      window.playingFrame();
      if (controller.state.moment !== shown) counts.moments++;
      shown = controller.state.moment;
    }
    const found = structuredClone(counts);
    controller.pause();
    return found;
  })()`);
}

async function openLoop(page: Page): Promise<LabPage> {
  const lab = new LabPage(page);
  await watch(page);
  await lab.open('#v1/vtx-ept/hello-kvm');
  await page.evaluate(
    `(async () => {
      const {controller, client} = document.querySelector('hs-lab');
      const ended = controller.runEdited(${JSON.stringify(LOOP)});
      for (;;) {
        const {steps} = await client.size();
        if (steps >= 60_000 && controller.state.opening === 'settled' && controller.state.source !== undefined) break;
        await new Promise(resolve => setTimeout(resolve, 50));
      }
      controller.seek(20_000);
    })()`,
  );
  await expect.poll(() => lab.step()).toBe(20_000);
  return lab;
}

/** Elements that show nothing of the moment, or only what it rarely changes. */
const UNTOUCHED = ['hs-toolbar', 'hs-play-speed', 'hs-cost-note', 'hs-help', 'hs-finds', 'hs-breakpoints'];

for (const [width, height] of [
  [1920, 1080],
  [1024, 768],
]) {
  test(`at ${width} × ${height} a moment is asked for once, drawn once, and nothing is measured`, async ({page}) => {
    await page.setViewportSize({width: width ?? 0, height: height ?? 0});
    const lab = await openLoop(page);
    const counts = await played(page, 30);
    expect(counts.crowded, 'pictures with more than one moment').toBe(0);
    expect(counts.asked['play'] ?? 0).toBeLessThanOrEqual(counts.moments + 2);
    expect(counts.measured, 'measures lay the page out in the midst of a change').toEqual({});
    expect(counts.drawn['hs-register-file'] ?? 0, 'what is counted is counted').toBeGreaterThan(counts.moments / 2);
    for (const [name, drawn] of Object.entries(counts.drawn))
      expect(drawn, `${name} is drawn once a moment`).toBeLessThanOrEqual(2 * counts.moments);
    for (const name of UNTOUCHED) expect(counts.drawn[name] ?? 0, `${name} is left alone`).toBeLessThanOrEqual(1);
    // The stage shows exits: of thirty moments in a loop few are near one.
    expect(counts.drawn['hs-ring-stage'] ?? 0).toBeLessThan(counts.moments / 2);
    expect(lab.troubles).toEqual([]);
  });
}

test('where the timeline follows the playhead there is one question a picture at the most, and one painting', async ({
  page,
}) => {
  const lab = await openLoop(page);
  await page.evaluate(
    `(() => {
      const {controller} = document.querySelector('hs-lab');
      const {cycle} = controller.state.moment.next;
      controller.look(cycle, cycle + 200, 1000);
    })()`,
  );
  const counts = await played(page, 20);
  expect(counts.asked['window'] ?? 0, 'the window moves along').toBeGreaterThan(5);
  expect(counts.asked['window'] ?? 0).toBeLessThanOrEqual(counts.moments + 2);
  expect(counts.windows).toBe(1);
  expect(counts.painted).toBeLessThanOrEqual(1);
  expect(lab.troubles).toEqual([]);
});
