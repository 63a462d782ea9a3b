// The same boot sector on Hyperscope's processor (unrecorded, walked by the reference tier, recorded) and on v86, in one run:
// instructions a second and their ratios. Figures are printed, never asserted, for machines are noisy; what is asserted
// is that all of them print the same checksum. Instructions are counted where the count is deterministic: by ours.
//
//   node packages/tools/bench-boot.mjs [rounds, default 100] [times, default 3]

import {existsSync, readFileSync} from 'node:fs';
import {loadavg} from 'node:os';
import {fileURLToPath} from 'node:url';

const built = name => new URL(`../${name}/dist/index.js`, import.meta.url);
if (!existsSync(built('simulation'))) {
  console.error('Nothing is built yet: run `npm start` or `npm test` once.');
  process.exit(1);
}
const {assemble} = await import(built('assembler').href);
const {runToResult, requireTechnique, loadImage} = await import(built('simulation').href);

const rounds = Number(process.argv[2] ?? 100);
const times = Number(process.argv[3] ?? 3);
/** What bench-boot prints after so many rounds: from this project's reference tier and from v86 alike. */
const CHECKSUMS = new Map([
  [20, 'E820ECD0'],
  [400, '7A2D6AC0'],
]);
const RECORDED_STEPS = 1_000_000;

console.log(`Node ${process.version}, load ${loadavg()[0].toFixed(2)}, ${rounds} rounds, ${times} times.
Millions of instructions a second, slowest / median / fastest; and the median in a second of processor time:`);
const boot = assembled('bench-boot.asm', rounds);
const plain = series(() => ours(boot));
row('bench-boot, compiled tier', plain);
for (const guest of ['paging-32.asm', 'paging-64.asm']) {
  row(
    `${guest.replace('.asm', '')}, compiled tier`,
    series(() => ours(assembled(guest, rounds))),
  );
}
row('bench-boot, reference tier', [ours(assembled('bench-boot.asm', 1), 'reference')]);
row('bench-boot, recorded', [ours(boot, 'recorded')]);
const theirs = [];
for (let i = 0; i < times; i++) theirs.push(await onV86(boot, plain[0].instructions));
row('bench-boot, v86', theirs);
for (const {text} of [...plain, ...theirs])
  if (text !== plain[0].text) throw new Error(`the checksums differ: ${text.trim()}, not ${plain[0].text.trim()}`);
const known = CHECKSUMS.get(rounds);
if (known !== undefined && !plain[0].text.includes(known)) throw new Error(`the checksum is not ${known}`);
console.log(
  `Both print ${JSON.stringify(plain[0].text.trim())}. v86 is ${(median(theirs) / median(plain)).toFixed(1)} times as fast.`,
);
process.exit(0);

function assembled(name, count) {
  const source = readFileSync(new URL(`bench/${name}`, import.meta.url), 'utf8');
  const assembly = assemble(`%define ROUNDS ${count}\n${source}`, {fileName: name});
  if (!assembly.ok) throw new Error(assembly.diagnostics.map(each => each.message).join('\n'));
  return assembly.bytes;
}

/** One run on this project's machine; the way it executes is all that differs. */
function ours(bytes, how = 'compiled') {
  const bare = requireTechnique('bare');
  const technique =
    how === 'reference' ? {...bare, start: options => bare.start({...options, executor: 'reference'})} : bare;
  const image = loadImage(bytes, 'boot-sector', {name: 'bench', memoryBytes: 4 << 20, commandLine: '', modules: []});
  const stop = stopwatch();
  const {result, serial} = runToResult({
    technique,
    image,
    guest: {id: 'bench', title: 'bench', bytes},
    clock: performance,
    ports: {exitPort: 0xf4, powerOffPort: undefined, capturePorts: []},
    ...(how === 'recorded' ? {recording: 'on', maxInstructions: RECORDED_STEPS} : {}),
  });
  return {...stop(result.instructions), text: new TextDecoder().decode(serial)};
}

/** v86 brings no BIOS: it gets one of ours, which does nothing but start the sector. From its first letter to the last. */
async function onV86(bytes, instructions) {
  const {V86} = await import('v86');
  const rom = assembled('boot-rom.asm', 0);
  rom.set(bytes, 0x200);
  const wasm = fileURLToPath(new URL('v86.wasm', import.meta.resolve('v86')));
  const emulator = new V86({
    wasm_path: wasm,
    bios: {buffer: rom.buffer.slice(rom.byteOffset, rom.byteOffset + rom.length)},
    memory_size: 16 << 20,
    autostart: true,
    disable_keyboard: true,
    disable_mouse: true,
    disable_speaker: true,
    log_level: 0,
  });
  let stop = stopwatch();
  const text = await new Promise(resolve => {
    let printed = '';
    emulator.add_listener('serial0-output-byte', byte => {
      if (printed === '') stop = stopwatch();
      printed += String.fromCharCode(byte);
      if (byte === 10) resolve(printed);
    });
  });
  const figures = stop(instructions);
  await emulator.destroy();
  return {...figures, text};
}

/** Rates by the wall's clock, and by the processor time of this process, which other processes disturb less. */
function stopwatch() {
  const start = performance.now();
  const before = process.cpuUsage();
  return instructions => {
    const {user, system} = process.cpuUsage(before);
    return {
      instructions,
      rate: (instructions / (performance.now() - start)) * 1000,
      busyRate: (instructions / (user + system)) * 1e6,
    };
  };
}

function series(work) {
  return Array.from({length: times}, work);
}
function sorted(runs) {
  return runs.map(run => run.rate).sort((a, b) => a - b);
}
function median(runs) {
  return sorted(runs)[runs.length >> 1];
}
function row(what, runs) {
  const rates = sorted(runs);
  const figures = [rates[0], median(runs), rates[rates.length - 1]].map(rate => (rate / 1e6).toFixed(2).padStart(8));
  const busy = runs.map(run => run.busyRate).sort((a, b) => a - b)[runs.length >> 1];
  console.log(
    `  ${what.padEnd(28)} ${figures.join(' /')} ${(busy / 1e6).toFixed(2).padStart(10)} (${runs[0].instructions} instructions)`,
  );
}
