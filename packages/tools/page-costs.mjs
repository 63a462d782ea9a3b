// What the threads of the lab's page have to do: until the first moment is shown, and for each moment while it plays.

import {line} from './figure-line.mjs';
import {PARTS, threadTimes} from './thread-times.mjs';

/** From the address to the first moment, nothing cached; then the same once more. */
export async function load(browser, page, address) {
  console.log('\nFirst moment, milliseconds                    wall  main thread  worker   what of the main thread');
  for (const name of ['empty cache', 'second visit']) {
    const {result, main, workers} = await threadTimes(browser, async () => {
      await page.goto('about:blank');
      await page.goto(address, {waitUntil: 'commit'});
      const shown = await page.waitForFunction(() => {
        const lab = document.querySelector('hs-lab')?.lab;
        return lab?.moment === undefined ? undefined : performance.now();
      });
      return shown.jsonValue();
    });
    const worker = workers.reduce((sum, thread) => sum + thread.total, 0);
    console.log(
      `  ${name.padEnd(40)} ${result.toFixed(0).padStart(7)} ${(main?.total ?? 0).toFixed(0).padStart(12)} ${worker.toFixed(0).padStart(7)}   ${partsOf(main?.totals ?? {}, 1)}`,
    );
  }
  await page.waitForTimeout(1500);
}

/** What a picture costs while the lab plays: of the main thread by what it did, and of the worker. */
export async function playCosts(browser, page) {
  console.log(
    '\nPlaying: a processor’s milliseconds a moment  p50     p95     max   over 16 / 50   what of it on average      worker   layouts forced by script',
  );
  for (const speed of ['×1', '×64', '×1000', '×30 000']) {
    const {result, main, workers} = await threadTimes(browser, async () => playFor(page, speed, 4000));
    // Pictures without a moment (somebody else's animation frame) are no part of the question.
    const frames = main.frames.filter(frame => frame.layout > 0 && frame.script > 0.5);
    const times = frames.map(frame => frame.all);
    const worker = workers.reduce((sum, thread) => sum + thread.total, 0) / Math.max(1, result.moments);
    const average = Object.fromEntries(
      PARTS.map(part => [part, frames.reduce((sum, frame) => sum + frame[part], 0) / Math.max(1, frames.length)]),
    );
    const over = limit => times.filter(time => time > limit).length;
    console.log(
      `${line(`play at ${speed}, ${result.moments} moments`, times)}  ${`${over(16)} / ${over(50)}`.padStart(8)}       ${partsOf(average, 1)}   ${worker.toFixed(1)}   ${main.counts['forced layout'] ?? 0}`,
    );
  }
}

async function playFor(page, speed, duration) {
  return page.evaluate(
    async ({chosen, wanted}) => {
      const {controller} = document.querySelector('hs-lab');
      controller.time.setSpeed({speed: chosen, stays: {exit: 'run through', ring: 'run through', mode: 'run through'}});
      let moments = 0;
      let shown = controller.state.moment;
      controller.togglePlay();
      for (const began = performance.now(); performance.now() - began < wanted;) {
        await new Promise(resolve => requestAnimationFrame(resolve));
        if (controller.state.moment !== shown) moments++;
        shown = controller.state.moment;
      }
      controller.pause();
      return {moments};
    },
    {chosen: speed, wanted: duration},
  );
}

const partsOf = (parts, digits) =>
  PARTS.filter(part => (parts[part] ?? 0) >= 0.05)
    .map(part => `${part} ${parts[part].toFixed(digits)}`)
    .join(', ');
