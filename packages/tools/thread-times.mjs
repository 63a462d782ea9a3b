// How much of a processor the threads of a page take, from Chromium's own trace: thread time, which other programs on a busy
// machine do not lengthen as they do the time on the wall. The main thread's is given for each frame, by what it went into.

/** What the events of a trace are work of; the innermost one has the time. */
const WORK = {
  FunctionCall: 'script',
  EvaluateScript: 'script',
  'v8.compile': 'script',
  'v8.compileModule': 'script',
  'v8.evaluateModule': 'script',
  RunMicrotasks: 'script',
  FireAnimationFrame: 'script',
  TimerFire: 'script',
  EventDispatch: 'script',
  HandlePostMessage: 'script',
  SchedulePostMessage: 'script',
  MinorGC: 'collecting',
  MajorGC: 'collecting',
  'V8.GC_MC_INCREMENTAL': 'collecting',
  UpdateLayoutTree: 'style',
  Layout: 'layout',
  HitTest: 'layout',
  IntersectionObserverController_computeIntersections: 'layout',
  PrePaint: 'paint',
  Paint: 'paint',
  PaintImage: 'paint',
  Layerize: 'paint',
  UpdateLayer: 'paint',
  Commit: 'paint',
};
export const PARTS = ['script', 'collecting', 'style', 'layout', 'paint', 'rest'];
/** A frame ends with the task in which the page is handed on to be drawn. */
const FRAME_END = 'Commit';
const CATEGORIES = [
  'toplevel',
  'v8',
  'devtools.timeline',
  'disabled-by-default-devtools.timeline',
  'disabled-by-default-v8.gc',
  '__metadata',
];

/** Does something while Chromium writes its trace; gives the times of the threads. */
export async function threadTimes(browser, action) {
  const client = await browser.newBrowserCDPSession();
  const events = [];
  client.on('Tracing.dataCollected', ({value}) => {
    for (const event of value) events.push(event);
  });
  await client.send('Tracing.start', {
    transferMode: 'ReportEvents',
    traceConfig: {recordMode: 'recordUntilFull', includedCategories: CATEGORIES},
  });
  const began = performance.now();
  const result = await action();
  const wall = performance.now() - began;
  const complete = new Promise(resolve => client.once('Tracing.tracingComplete', resolve));
  await client.send('Tracing.end');
  await complete;
  await client.detach();
  return {result, wall, ...timesOf(events)};
}

function timesOf(events) {
  const names = new Map();
  for (const {name, pid, tid, args} of events) if (name === 'thread_name') names.set(`${pid} ${tid}`, args.name);
  const threads = new Map();
  for (const event of events) {
    if (event.ph !== 'X' || event.tdur === undefined) continue;
    const key = `${event.pid} ${event.tid}`;
    const list = threads.get(key) ?? [];
    threads.set(key, list);
    list.push(event);
  }
  const all = [...threads].map(([key, list]) => ({name: names.get(key) ?? '', ...thread(list)}));
  const busiest = wanted => all.filter(({name}) => wanted.test(name)).toSorted((a, b) => b.total - a.total);
  return {main: busiest(/^CrRendererMain$/)[0], workers: busiest(/^DedicatedWorker/)};
}

/** Times of one thread, in milliseconds of a processor. */
function thread(events) {
  events.sort((a, b) => a.tts - b.tts || b.tdur - a.tdur);
  const totals = emptyParts();
  const counts = {};
  const frames = [];
  const tasks = [];
  let frame = emptyParts();
  let isDrawn = false;
  const open = [];
  const close = event => {
    const part = event.part;
    const own = (event.tdur - event.inside) / 1000;
    totals[part] += own;
    frame[part] += own;
    if (event.name === FRAME_END) isDrawn = true;
    if (event.depth > 0) return;
    tasks.push(event.tdur / 1000);
    if (!isDrawn) return;
    frames.push(frame);
    frame = emptyParts();
    isDrawn = false;
  };
  for (const event of events) {
    while (open.length > 0 && event.tts >= open.at(-1).tts + open.at(-1).tdur) close(open.pop());
    const around = open.at(-1);
    if (around !== undefined) around.inside += event.tdur;
    event.inside = 0;
    event.depth = open.length;
    event.part = WORK[event.name] ?? around?.part ?? 'rest';
    counts[event.name] = (counts[event.name] ?? 0) + 1;
    // A layout inside of script was asked for by the script: what it measures made the page be laid out at once.
    if (event.name === 'Layout' && open.some(({part}) => part === 'script'))
      counts['forced layout'] = (counts['forced layout'] ?? 0) + 1;
    open.push(event);
  }
  while (open.length > 0) close(open.pop());
  return {total: sum(totals), totals, counts, tasks, frames: frames.map(parts => ({...parts, all: sum(parts)}))};
}

const emptyParts = () => Object.fromEntries(PARTS.map(part => [part, 0]));
const sum = parts => Object.values(parts).reduce((total, part) => total + part, 0);
