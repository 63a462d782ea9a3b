// KVM exits a second: a plain C++ loop, the addon answering each exit in JavaScript on a worker thread, and the addon's
// batch for traces. Rounds are short and take turns, so that what else this
// machine does weighs on all alike; each is compared with the plain loop of its own round, and the median of that is told.
//
//   node native/bench/exits.mjs [exits a round] [rounds]      --json prints one object

import {spawnSync} from 'node:child_process';
import {once} from 'node:events';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {Worker, isMainThread, parentPort} from 'node:worker_threads';
import {native, reason} from '../index.js';

/** A guest that writes the same byte to 3f8h for ever, in real mode. */
function openGuest() {
  const kvm = new native.Kvm();
  const vm = kvm.createVm();
  const memory = vm.allocate(1 << 20);
  vm.setUserMemoryRegion(0, 0, 0, 1 << 20, memory);
  new Uint8Array(memory).set([0xee, 0xeb, 0xfd], 0x1000);
  const vcpu = vm.createVcpu(0);
  const sregs = new Uint8Array(312);
  vcpu.getSregs(sregs);
  sregs.fill(0, 0, 8);
  sregs.fill(0, 12, 14);
  vcpu.setSregs(sregs);
  const regs = new BigUint64Array(18);
  [regs[3], regs[16], regs[17]] = [0x3f8n, 0x1000n, 2n];
  vcpu.setRegs(regs);
  return {
    vcpu,
    close() {
      vm.close();
      kvm.close();
    },
  };
}

/** Every exit is decoded and its byte taken, as a device in JavaScript does. */
function answeredRate(count, synchronised) {
  const guest = openGuest();
  const {vcpu} = guest;
  const run = new DataView(vcpu.kvmRun);
  if (synchronised) run.setBigUint64(288, 7n, true);
  let taken = 0;
  let rip = 0n;
  const start = performance.now();
  for (let i = 0; i < count; i++) {
    if (vcpu.run(10_000) !== 0 || run.getUint32(8, true) !== 2) throw new Error('not an I/O exit');
    if (run.getUint16(34, true) === 0x3f8) taken += run.getUint8(Number(run.getBigUint64(40, true)));
    if (synchronised) rip = run.getBigUint64(304 + 128, true);
  }
  const rate = (count / (performance.now() - start)) * 1000;
  if (taken !== 0 || (synchronised && rip === 0n)) throw new Error('the guest did something else');
  guest.close();
  return rate;
}

function batchRate(count) {
  const guest = openGuest();
  const {vcpu} = guest;
  const ring = new Uint32Array(1024 * 8);
  let done = 0;
  const start = performance.now();
  while (done < count) done += vcpu.runBatch(ring, 10_000).count;
  const rate = (done / (performance.now() - start)) * 1000;
  guest.close();
  return rate;
}

const MODES = {
  'addon, each exit answered in JavaScript': count => answeredRate(count, false),
  'the same, with all registers (KVM_SYNC_X86)': count => answeredRate(count, true),
  'addon, batch of 1,024 for traces': batchRate,
};

function serveRounds() {
  parentPort.on('message', ({mode, count}) => parentPort.postMessage(MODES[mode](count)));
}

function buildPlainLoop(folder) {
  const binary = join(folder, 'exits');
  const source = fileURLToPath(new URL('./exits.cc', import.meta.url));
  const built = spawnSync(process.env.CXX || 'g++', ['-std=c++20', '-O2', '-Wall', '-Wextra', source, '-o', binary], {
    encoding: 'utf8',
  });
  if (built.status !== 0) throw new Error(`The plain loop does not compile:\n${built.stderr ?? ''}`);
  return binary;
}

/** The value that `fraction` of them do not reach. */
const quantile = (values, fraction) => values.toSorted((a, b) => a - b)[Math.floor(values.length * fraction)];
const round2 = value => Math.round(value * 100) / 100;

async function main() {
  const numbers = process.argv
    .slice(2)
    .filter(text => /^\d+$/.test(text))
    .map(Number);
  const [count, rounds] = [numbers[0] ?? 5000, numbers[1] ?? 31];
  if (native === undefined) throw new Error(reason.message);
  const folder = mkdtempSync(join(tmpdir(), 'hyperscope-'));
  const worker = new Worker(fileURLToPath(import.meta.url));
  try {
    const binary = buildPlainLoop(folder);
    const plain = () => Number(spawnSync(binary, [String(count), '1'], {encoding: 'utf8'}).stdout);
    const inWorker = async mode => {
      worker.postMessage({mode, count});
      const [rate] = await once(worker, 'message'); // rejects when the worker fails
      return rate;
    };
    const rates = {'plain C++ loop': []};
    for (const mode of Object.keys(MODES)) rates[mode] = [];
    for (let round = 0; round < rounds; round++) {
      rates['plain C++ loop'].push(plain());
      for (const mode of Object.keys(MODES)) rates[mode].push(await inWorker(mode));
    }
    report(rates, count, rounds);
  } finally {
    await worker.terminate();
    rmSync(folder, {recursive: true});
  }
}

function report(rates, count, rounds) {
  const yardstick = rates['plain C++ loop'];
  const rows = Object.entries(rates).map(([name, values]) => {
    const ratios = values.map((value, index) => value / yardstick[index]);
    return {
      name,
      exitsPerSecond: Math.round(quantile(values, 0.5)),
      ratio: round2(quantile(ratios, 0.5)),
      quartiles: [round2(quantile(ratios, 0.25)), round2(quantile(ratios, 0.75))],
    };
  });
  if (process.argv.includes('--json')) {
    console.log(JSON.stringify({count, rounds, rows}));
    return;
  }
  console.log(`KVM exits a second: median of ${rounds} rounds of ${count}`);
  for (const row of rows)
    console.log(
      `  ${row.name.padEnd(46)} ${String(row.exitsPerSecond).padStart(9)}   ${row.ratio.toFixed(2)} of C++` +
        ` (half of the rounds: ${row.quartiles.map(each => each.toFixed(2)).join(' to ')})`,
    );
}

if (isMainThread) {
  main().catch(error => {
    console.error(error.message);
    process.exit(1);
  });
} else {
  serveRounds();
}
