// How fast the lab opens, and how fast it moves in a long history, measured in Chromium from the page: a run of ten million
// steps is recorded in the worker, then stepped, sought, searched, played and zoomed. Figures are printed, never asserted:
// machines are noisy. Beside the time on the wall stands the time that the threads of the page had a processor.
//
//   node packages/tools/bench-page.mjs [steps, default 10000000] [folder of the built page] [width x height, default 1600x1000]

import {existsSync} from 'node:fs';
import {readFile} from 'node:fs/promises';
import {createServer} from 'node:http';
import {availableParallelism, loadavg} from 'node:os';
import {extname, join, normalize} from 'node:path';
import {fileURLToPath} from 'node:url';
import {chromium} from 'playwright';
import {line} from './figure-line.mjs';
import {load, playCosts} from './page-costs.mjs';

const steps = Number(process.argv[2] ?? 10_000_000);
const folder = process.argv[3] ?? fileURLToPath(new URL('../visualiser/dist', import.meta.url));
const [width = 1600, height = 1000] = (process.argv[4] ?? '1600x1000').split('x').map(Number);
if (!existsSync(join(folder, 'index.html'))) {
  console.error(`There is no page in ${folder}: run \`npm run build\` once.`);
  process.exit(1);
}

// A loop in the place of hello-kvm's text: arithmetic, memory and a call; every 32 rounds an OUT that leaves the guest.
const source = `
        bits 64
        org 0x8000
start:  mov rsp, 0x7000
again:  mov ecx, 32
round:  add eax, ecx
        mov [counter], eax
        xor ebx, [counter]
        shl ebx, 1
        call leaf
        dec ecx
        jnz round
        mov dx, 0x3f8
        mov al, 'a'
        out dx, al
        jmp again
leaf:   ret
        align 8
counter: dq 0
`;

const TYPES = {'.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml'};
const server = createServer((request, response) => {
  const {pathname} = new URL(request.url ?? '/', 'http://localhost');
  const path = join(folder, normalize(pathname === '/' ? '/index.html' : pathname));
  readFile(path).then(
    bytes =>
      response
        .writeHead(200, {
          'content-type': TYPES[extname(path)] ?? 'application/octet-stream',
          'cross-origin-opener-policy': 'same-origin',
          'cross-origin-embedder-policy': 'require-corp',
        })
        .end(bytes),
    () => response.writeHead(404).end(),
  );
});
await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
console.log(
  `${availableParallelism()} cores, load average ${loadavg()[0]?.toFixed(1)} before the start: above the number of cores, other work takes its share of every figure.`,
);
const args = ['--no-sandbox', '--disable-gpu', '--enable-precise-memory-info'];
const browser = await chromium.launch({executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args});
try {
  const page = await browser.newPage({viewport: {width, height}});
  console.log(`\nThe window: ${width} × ${height}.`);
  page.on('pageerror', error => console.error(error.message));
  await load(browser, page, `http://127.0.0.1:${server.address().port}/#v1/vtx-ept/hello-kvm`);
  await record(page);
  await playCosts(browser, page);
  await roundTrips(page);
  await keys(page);
  await frames(page);
  await finds(page);
  await memory(page);
} finally {
  await browser.close();
  server.close();
}

async function record(page) {
  const told = await page.evaluate(
    async ({text, wanted}) => {
      const {client, controller} = document.querySelector('hs-lab');
      const began = performance.now();
      await controller.runEdited(text);
      const ahead = (await client.size()).steps;
      const aheadTime = performance.now() - began;
      for (let length = ahead; length < wanted;) {
        const progress = await client.extend(Math.min(10_000, wanted - length));
        if (progress.finished) throw new Error(`The run ended after ${progress.length} steps: ${progress.outcome}`);
        ({length} = progress);
      }
      const time = performance.now() - began;
      await controller.time.timeline.refresh();
      controller.seek(wanted >> 1);
      const {events} = await client.size();
      return {ahead, aheadTime, time, events};
    },
    {text: source, wanted: steps},
  );
  await page.waitForTimeout(500);
  console.log(
    `Recorded ${steps.toLocaleString('en')} steps with ${told.events.toLocaleString('en')} events in ${(told.time / 1000).toFixed(1)} s; the first ${told.ahead.toLocaleString('en')} by itself, with the page being drawn, in ${(told.aheadTime / 1000).toFixed(1)} s.`,
  );
}

/** Question and answer between page and worker, the whole moment included. */
async function roundTrips(page) {
  console.log('\nPage to worker and back, milliseconds        p50     p95     max');
  const asked = {
    step: client => client.step('forward', 'instruction'),
    'step back': client => client.step('back', 'instruction'),
    'next exit': client => client.step('forward', 'exit'),
    'previous exit': client => client.step('back', 'exit'),
    'next ring change': client => client.step('forward', 'ring'),
    'previous ring change': client => client.step('back', 'ring'),
    'next event': client => client.step('forward', 'event'),
    'seek to anywhere': (client, wanted) => client.seek(Math.floor(Math.random() * wanted)),
    'to the beginning, to the end': (client, wanted, i) => client.seek(i % 2 === 0 ? 0 : wanted),
    'run to the next exit breakpoint': (client, wanted, i) =>
      client.runTo([{kind: 'exit', reason: 'I/O instruction'}], (i * 40_009) % wanted, 'forward', 20_000),
    'micro-operations': (client, wanted, i) => client.microSteps((i * 40_009) % wanted),
    'timeline, all of it, 1400 columns': async client => client.timeline(0, await client.endCycle(), 1400),
    'totals of a stretch': async (client, wanted, i) => client.selection(i * 1000, (await client.endCycle()) - i),
    'the table of exits': client => client.exits(),
  };
  for (const [name, ask] of Object.entries(asked)) {
    const times = await page.evaluate(
      async ({body, wanted}) => {
        const {client} = document.querySelector('hs-lab');
        // A function does not cross into the page; its text does.
        const run = await import(`data:text/javascript,export default ${encodeURIComponent(body)}`).then(
          module => module.default,
        );
        await client.seek(wanted >> 1);
        await run(client, wanted, 0);
        const all = [];
        for (let i = 0; i < 100; i++) {
          const began = performance.now();
          await run(client, wanted, i);
          all.push(performance.now() - began);
        }
        return all;
      },
      {body: ask.toString(), wanted: steps},
    );
    print(name, times);
  }
}

/** From the key to the changed page: worker, drawing, layout. */
async function keys(page) {
  console.log('\nKey pressed to page changed (next frame included)');
  for (const [name, key] of [
    ['→', 'ArrowRight'],
    ['←', 'ArrowLeft'],
    ['e, next exit', 'e'],
    ['E, previous exit', 'E'],
  ]) {
    const times = await page.evaluate(async pressed => {
      const lab = document.querySelector('hs-lab');
      const all = [];
      for (let i = 0; i < 60; i++) {
        const was = lab.lab.moment.index;
        const began = performance.now();
        document.body.dispatchEvent(new KeyboardEvent('keydown', {key: pressed, bubbles: true}));
        while (lab.lab.moment.index === was) await new Promise(resolve => setTimeout(resolve));
        await lab.updateComplete;
        await new Promise(resolve => requestAnimationFrame(() => setTimeout(resolve)));
        all.push(performance.now() - began);
      }
      return all;
    }, key);
    print(name, times);
  }
}

/** How long each picture stands while the lab plays and while the timeline is zoomed and dragged. */
async function frames(page) {
  console.log('\nFrames                                        p50     p95     max   over 50 ms');
  const idle = await page.evaluate(async () => {
    const found = [];
    for (let last = performance.now(), began = last; last - began < 2000;) {
      const now = await new Promise(resolve => requestAnimationFrame(resolve));
      found.push(now - last);
      last = now;
    }
    return found.slice(1);
  });
  print('nothing moves', idle, idle.filter(time => time > 50).length);
  for (const speed of ['×64', '×1000', '×30 000']) {
    const times = await page.evaluate(async chosen => {
      const {controller} = document.querySelector('hs-lab');
      controller.time.setSpeed({speed: chosen, stays: {exit: 'run through', ring: 'run through', mode: 'run through'}});
      controller.togglePlay();
      const all = await framesFor(4000);
      controller.pause();
      return all;
      async function framesFor(duration) {
        const found = [];
        const began = performance.now();
        for (let last = began; last - began < duration;) {
          const now = await new Promise(resolve => requestAnimationFrame(resolve));
          if (now > last) found.push(now - last);
          last = Math.max(now, last);
        }
        return found.slice(1);
      }
    }, speed);
    print(`play at ${speed}`, times, times.filter(time => time > 50).length);
  }
  const box = await page.getByRole('slider', {name: /Timeline/}).boundingBox();
  for (const [name, gesture] of [
    ['zoom in and out', async i => page.mouse.wheel(0, i % 60 < 30 ? -120 : 120)],
    ['drag the playhead', async i => page.mouse.move(box.x + 20 + ((i * 7) % (box.width - 40)), box.y + 60)],
  ]) {
    await page.mouse.move(box.x + box.width / 2, box.y + 60);
    if (name.startsWith('drag')) await page.mouse.down();
    const measured = page.evaluate(async () => {
      const found = [];
      const began = performance.now();
      for (let last = began; last - began < 4000;) {
        const now = await new Promise(resolve => requestAnimationFrame(resolve));
        if (now > last) found.push(now - last);
        last = Math.max(now, last);
      }
      return found.slice(1);
    });
    for (let i = 0, until = Date.now() + 3900; Date.now() < until; i++) {
      await gesture(i);
      await page.waitForTimeout(12);
    }
    const times = await measured;
    await page.mouse.up();
    print(name, times, times.filter(time => time > 50).length);
  }
}

async function finds(page) {
  console.log('\nLong questions, whole, in seconds (slices in between)');
  for (const [name, text] of [
    ['find an event that never comes', 'no such thing'],
    ['find an address', '0x8123'],
    ['find a register’s value', 'rsi = 0x123456'],
  ]) {
    const time = await page.evaluate(async typed => {
      const {controller} = document.querySelector('hs-lab');
      const began = performance.now();
      controller.time.find(typed);
      const standing = () => document.querySelector('hs-lab').lab.time.finds?.standing ?? '';
      while (!/^(Not found|\d+ found|The first)[^;]*$/.test(standing()))
        await new Promise(resolve => setTimeout(resolve, 20));
      return performance.now() - began;
    }, text);
    console.log(`  ${name.padEnd(40)} ${(time / 1000).toFixed(1).padStart(7)}`);
  }
  const back = await page.evaluate(async wanted => {
    const {client} = document.querySelector('hs-lab');
    const began = performance.now();
    for (let at = wanted; at > 0;)
      at = (await client.runTo([{kind: 'address', address: 1n}], at, 'back', 20_000)).index;
    return performance.now() - began;
  }, steps);
  console.log(`  ${'run back over all of it'.padEnd(40)} ${(back / 1000).toFixed(1).padStart(7)}`);
}

async function memory(page) {
  const {size, heap, agent} = await page.evaluate(async () => {
    const {client} = document.querySelector('hs-lab');
    const measured = await Promise.race([
      performance.measureUserAgentSpecificMemory?.().then(result => result.bytes) ?? Promise.resolve(undefined),
      new Promise(resolve => setTimeout(() => resolve(undefined), 40_000)),
    ]);
    return {size: await client.size(), heap: performance.memory?.usedJSHeapSize, agent: measured};
  });
  const mib = bytes => (bytes === undefined ? 'not told' : `${(bytes / 2 ** 20).toFixed(0)} MiB`);
  console.log(
    `\nMemory: the record says ${mib(size.bytes)} (${(size.bytes / size.steps).toFixed(0)} bytes a step); the page's own heap ${mib(heap)}; all of it by the browser's count ${mib(agent)}.`,
  );
}

function print(name, times, late) {
  console.log(`${line(name, times)}${late === undefined ? '' : `  ${late} of ${times.length}`}`);
}
