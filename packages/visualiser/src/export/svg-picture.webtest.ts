// What a saved picture says and where: rectangles and texts where the page has them, and nothing that is not seen.

import {expect, test} from 'vitest';
import {pngOf} from './png-picture.js';
import {svgPicture} from './svg-picture.js';

/** Puts HTML on the page, the inner part into a shadow, and gives the picture, parsed. */
function pictureOf(html: string): {readonly text: string; readonly root: Element} {
  const host = document.createElement('section');
  host.style.cssText = 'position: absolute; left: 40px; top: 30px; width: 300px; height: 120px; font: 16px sans-serif';
  const shadow = host.attachShadow({mode: 'open'});
  shadow.innerHTML = html;
  document.body.replaceChildren(host);
  const text = svgPicture(host, 'A <panel>').svg;
  const parsed = new DOMParser().parseFromString(text, 'image/svg+xml');
  expect(parsed.querySelector('parsererror')).toBeNull();
  return {text, root: parsed.documentElement};
}

test('a box is a rectangle in the picture’s own coordinates, with its colour and its border', () => {
  const {root} = pictureOf(
    '<div style="position:absolute;left:10px;top:5px;width:100px;height:20px;background:rgb(213,94,0);border:2px solid rgb(0,0,0);box-sizing:border-box"></div>',
  );
  const rects = [...root.querySelectorAll('rect')].map(rect => [
    rect.getAttribute('x'),
    rect.getAttribute('y'),
    rect.getAttribute('fill'),
  ]);
  expect(rects).toContainEqual(['10', '5', 'rgb(213, 94, 0)']);
  const frame = root.querySelector('rect[stroke]');
  expect([frame?.getAttribute('x'), frame?.getAttribute('width'), frame?.getAttribute('stroke-width')]).toEqual([
    '11',
    '98',
    '2',
  ]);
});

test('a text is one element for each line that the browser made of it', () => {
  const {root} = pictureOf('<p style="margin:0;width:80px">VM exit, then VM entry &amp; more</p>');
  const lines = [...root.querySelectorAll('text')];
  expect(lines.length).toBeGreaterThan(1);
  expect(lines.map(line => line.textContent.trim()).join(' ')).toBe('VM exit, then VM entry & more');
  const baselines = lines.map(line => Number(line.getAttribute('y')));
  expect(baselines).toEqual([...baselines].sort((a, b) => a - b));
  expect(Number(lines[0]?.getAttribute('textLength'))).toBeGreaterThan(20);
});

test('what only screen readers get, what is hidden and what is scrolled away is left out', () => {
  const {text, root} = pictureOf(
    `<span style="position:absolute;clip-path:inset(50%)">for ears</span><b hidden>hidden</b><dialog open>dialog</dialog>
     <div style="overflow:hidden;height:20px"><p style="margin:0">first</p><p style="margin:0">second</p></div>`,
  );
  expect(text).not.toMatch(/for ears|hidden|dialog/);
  expect(root.querySelector('clipPath rect')?.getAttribute('height')).toBe('20');
});

test('an <svg> of the page keeps what style sheets said of it, under names of its own', () => {
  const {root} = pictureOf(
    `<style>.arrow {stroke: rgb(0, 114, 178); marker-end: url(#tip)} .gone {display: none}</style>
     <svg width="100" height="50" viewBox="0 0 10 5"><defs><marker id="tip"><path d="M0 0L1 1"/></marker></defs>
     <path class="arrow" d="M0 0L9 4"/><text class="gone" x="1" y="1">no</text></svg>`,
  );
  const inner = root.querySelector('svg');
  expect(inner?.getAttribute('width')).toBe('100');
  const arrow = inner?.querySelector(':scope > path');
  expect(arrow?.getAttribute('stroke')).toBe('rgb(0, 114, 178)');
  const tip = inner?.querySelector('marker')?.id ?? 'none';
  expect(arrow?.getAttribute('marker-end')).toBe(`url(#${tip})`);
  expect(tip).not.toBe('tip');
  expect(inner?.textContent).not.toContain('no');
});

test('the title is escaped, and the picture can be drawn as PNG', async () => {
  const {root, text} = pictureOf('<b>x</b>');
  expect(root.querySelector('title')?.textContent).toBe('A <panel>');
  const png = await pngOf({svg: text, width: 300, height: 120});
  expect([...new Uint8Array(await png.arrayBuffer()).slice(1, 4)]).toEqual([0x50, 0x4e, 0x47]);
});
